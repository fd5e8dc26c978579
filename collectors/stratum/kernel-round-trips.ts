import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { LineFramer } from "./line-framer.ts";
import { pause } from "./pause.ts";
import { plainAddress } from "./proxy-protocol.ts";

/** Told the least TCP round trip to a peer, in milliseconds; `peer` as `peerKey` names it. */
export type TakeRoundTrip = (peer: string, milliseconds: number) => void;

/** Asks the kernel once; false where it does not tell. One question at a time. */
export type AskRoundTrips = (take: TakeRoundTrip) => Promise<boolean>;

/** A line of `ss` has about 600 bytes. */
const MAX_LINE_BYTES = 16_384;
/** Between two pieces (of at most 64 kB) of an answer: it waits in the pipe, and `ss` with it, instead of taking a core for itself. */
const PIECE_EVERY_MS = 10;
/** Answers each line on standard input; what `ss` prints begins with a digit. */
const SCRIPT = 'while read -r _; do ss -tinHO state established sport = ":$1"; echo "end $?"; done';

/** How a peer is named. */
export function peerKey(address: string, port: number): string {
  return `${plainAddress(address)} ${port}`;
}

/**
 * Asks Linux's kernel, through iproute2's `ss`, for the round trips of the connections accepted on a local port; Node
 * gives no access to TCP_INFO. A shell that is started here, while this process is small, starts `ss` at every question:
 * started from a tap with 5,000 connections it held up forwarding for 6 ms, and for 340 ms on a busy machine, because
 * all the memory of the tap is copied for the child. An answer (12 MB for 20,000 connections) is read piece by piece. False
 * where there is no such tool or it fails: then nothing is known, and absent is honest. The shell ends with `signal`,
 * and with this process.
 */
export function openKernelRoundTrips(port: number, signal: AbortSignal): AskRoundTrips {
  const shell = spawn("sh", ["-c", SCRIPT, "sh", String(port)], {
    signal,
    stdio: ["pipe", "pipe", "ignore"],
  });
  // A shell that is not there or ends is said by its output, which ends.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  const lines = readPaced(shell.stdout, signal);
  return async (take) => {
    shell.stdin.write("\n");
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      for (const text of line.value) {
        if (text.startsWith("end ")) return text === "end 0";
        readSocketLine(text, take);
      }
    }
    return false;
  };
}

/** The lines of each piece; `end` is the last line of its answer, and so of its piece. */
async function* readPaced(output: Readable, signal: AbortSignal): AsyncGenerator<string[]> {
  const framer = new LineFramer(MAX_LINE_BYTES);
  try {
    for await (const chunk of output) {
      yield framer.push(chunk as Buffer);
      await pause(PIECE_EVERY_MS, signal);
    }
  } catch {
    // A broken pipe is an end.
  }
}

/**
 * Reads a line of `ss -tinHO`: receive queue, send queue, local and peer address, then `name:value` words of TCP_INFO.
 * `minrtt` is the least of a sliding window of five minutes (net.ipv4.tcp_min_rtt_wlen); where it is absent the
 * smoothed `rtt` stands in. Any other line says nothing.
 */
export function readSocketLine(line: string, take: TakeRoundTrip): void {
  const peer = /^\s*\d+\s+\d+\s+\S+\s+\[?([0-9a-fA-F.:]+(?:%\w+)?)\]?:(\d+)\s/.exec(line);
  const least = /\sminrtt:([\d.]+)/.exec(line) ?? /\srtt:([\d.]+)\//.exec(line);
  const milliseconds = Number(least?.[1]);
  if (peer && milliseconds > 0) take(peerKey(peer[1]!, Number(peer[2])), milliseconds);
}
