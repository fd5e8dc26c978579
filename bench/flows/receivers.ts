import { execFile, fork, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const runFile = promisify(execFile);
/** Linux tells a process's time in these, whatever the kernel was built with (sysconf _SC_CLK_TCK). */
const TICKS_A_SECOND = 100;

/** One receiver, listening. */
export interface Receiver {
  port: number;
  /** CPU-seconds, user and system, of all its threads since it was started. */
  cpuSeconds(): Promise<number>;
  /** Resolves when all datagrams have left the socket and been taken in. */
  settled(): Promise<void>;
  /** Ends it; answers how many flows are in its store. */
  stop(): Promise<number>;
}

/** The collector, origin and store as the service joins them, in a process of their own. */
export async function startAssay(bufferBytes: number): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const file = join(folder, "flows.sqlite");
  const child = fork(new URL("./receiver.ts", import.meta.url), [file, `${bufferBytes}`]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const count = async () => {
    child.send("count");
    const [{ flows }] = (await once(child, "message")) as [{ flows: number }];
    return flows;
  };
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    async settled() {
      await drained(port);
      for (let before = -1, now = await count(); now !== before; now = await count()) {
        before = now;
        await setTimeout(100);
      }
    },
    async stop() {
      child.send("stop");
      const [{ stored }] = (await once(child, "message")) as [{ stored: number }];
      await once(child, "exit");
      await rm(folder, { recursive: true });
      return stored;
    },
  };
}

/**
 * Debian's nfcapd, which writes its records to a file. Without `bufferBytes` it has the system's own buffer, as the
 * package starts it (/etc/nfdump/default.conf names none).
 */
export async function startNfcapd(bufferBytes?: number): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const port = await freePort();
  const where = ["-w", folder, "-b", "127.0.0.1", "-p", `${port}`];
  const buffer = bufferBytes === undefined ? [] : ["-B", `${bufferBytes}`];
  const child = spawn("nfcapd", [...where, "-t", "3600", ...buffer], { stdio: "ignore" });
  await once(child, "spawn");
  const exited = once(child, "exit");
  while ((await queuedBytes(port)) === undefined) await setTimeout(20);
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    settled: () => drained(port),
    async stop() {
      child.kill("SIGTERM");
      await exited;
      let stored = 0;
      for (const file of await readdir(folder)) {
        if (!file.startsWith("nfcapd.")) continue;
        const { stdout } = await runFile("nfdump", ["-I", "-r", join(folder, file)]);
        stored += Number(/^Flows: (\d+)$/m.exec(stdout)?.[1] ?? 0);
      }
      await rm(folder, { recursive: true });
      return stored;
    },
  };
}

export async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

export async function cpuSecondsOf(pid: number): Promise<number> {
  // The program's name, in parentheses, may hold anything; the numbers follow it.
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Bytes waiting in the socket bound to this port, as Linux tells; nothing while there is none. */
async function queuedBytes(port: number): Promise<number | undefined> {
  const bound = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const lines = (await readFile("/proc/net/udp", "utf8")).split("\n");
  const line = lines.find((text) => text.slice(0, 24).includes(bound));
  return line === undefined ? undefined : Number.parseInt(line.split(/\s+/)[5]?.split(":")[1] ?? "0", 16);
}

async function drained(port: number): Promise<void> {
  while ((await queuedBytes(port)) !== 0) await setTimeout(20);
  // The last datagram has left the socket and may still be on its way to the store.
  await setTimeout(100);
}
