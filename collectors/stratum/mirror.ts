import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Batch, Collector } from "#core/collector.ts";
import { readCaptureStream } from "./capture.ts";

/** A port that sees a copy of the miners' traffic, and the program that captures there. */
export interface MirrorOptions {
  name: string;
  /** Program and arguments; writes pcap or pcapng to its standard output: `tcpdump -U -w - -i eth1 tcp port 3333`. */
  command: readonly string[];
  pool: string;
  /** Of connections whose dialect leaves it open. */
  algorithm: string;
  maxLineBytes: number;
}

/** How much of what the program complains about is kept for the failure's message. */
const MAX_COMPLAINT = 1000;

/**
 * Reads stratum off a mirror port through tcpdump, tshark or another program that captures: this is no capture driver. The
 * program is ended on abort. Throws when it cannot be started or ends by itself, with what it said last.
 */
export function createMirror({ name, command, pool, algorithm, maxLineBytes }: MirrorOptions): Collector {
  const [program = "", ...args] = command;

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    if (signal.aborted) return;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "close");
    // Both are awaited below; until then a failure to start must not be fatal.
    ended.catch(() => {});
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-MAX_COMPLAINT);
    });
    const stop = () => child.kill();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const batch of readCaptureStream(child.stdout, name, { pool, algorithm, maxLineBytes })) {
        if (signal.aborted) return;
        yield batch;
      }
      const [code] = await ended;
      if (!signal.aborted) throw new Error(`${program} ended with ${code}: ${complaint.trim()}`);
    } catch (cause) {
      if (!signal.aborted) throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    } finally {
      signal.removeEventListener("abort", stop);
      child.kill();
      await ended.catch(() => {});
    }
  }

  return { name, collect };
}
