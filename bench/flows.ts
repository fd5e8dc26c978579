import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { createDecoder } from "../collectors/flows/decoder.ts";
import type { Flow } from "../src/core/observation.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";
import { FLOWS_A_DATAGRAM, makeReplay } from "./flows/datagrams.ts";

/**
 * How many flow records a second end in a store without one lost, beside Debian's nfcapd: the same datagrams from the
 * same sender over loopback, in turns. Assay looks up every address's origin and commits sums to its own store; nfcapd writes
 * its records to a file. Both as they start by default: Assay asks the kernel for a large socket buffer, nfcapd for
 * none; beside it stands what nfcapd does when it is given the same.
 */
const SECONDS = 1;
const STEP = 1.4;
/** Datagrams a second to begin with. */
const FIRST_RATE = 8000;
const TURNS = 2;
/** Replays decoded for one measurement of the decoder. */
const ROUNDS = 100;
const BUFFER_BYTES = 16 * 1024 * 1024;
const runFile = promisify(execFile);

/** One receiver, listening: `stop` ends it and says how many flows are in its store. */
interface Receiver {
  port: number;
  /** Have all datagrams left the socket and been taken in? */
  settled(): Promise<void>;
  stop(): Promise<number>;
}

export async function* run(): AsyncGenerator<Figure> {
  for (const version of ["v9", "v5"] as const) {
    const ours = search(version, startAssay);
    const theirs = search(version, () => startNfcapd([]));
    const buffered = search(version, () => startNfcapd(["-B", `${BUFFER_BYTES}`]));
    // In turns, so that what else the machine does meets all alike.
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const side of [ours, theirs, buffered]) await side.turn();
    }
    const value = ours.median();
    for (const [peer, peerValue] of [
      ["nfcapd", theirs.median()],
      ["nfcapd, same buffer", buffered.median()],
    ] as const) {
      const figure = `flows.${version}_lossless_per_second`;
      yield { figure, value, unit: "flows/s", peer, peerValue, ratio: value / peerValue };
    }
    const ratio = value / theirs.median();
    yield {
      figure: `flows.${version}_over_nfcapd`,
      value: ratio,
      unit: "×",
      peer: "nfcapd",
      peerValue: 1,
      ratio,
    };
  }
  for (const version of ["v9", "v5"] as const) {
    const value = await decodeRate(version);
    yield { figure: `flows.${version}_decode_per_cpu_second`, value, unit: "flows/CPU-s" };
  }
}

/** The highest steady rates, one a turn; later turns begin where the ones before came to. */
function search(version: "v5" | "v9", start: () => Promise<Receiver>) {
  const rates: number[] = [];
  let first = FIRST_RATE;
  return {
    async turn() {
      const { flows, datagrams } = await highestRate(version, first, start);
      rates.push(flows);
      first = Math.max(FIRST_RATE, datagrams / STEP);
    },
    median: () => median(rates),
  };
}

/** The highest rate at which every flow sent was stored. */
async function highestRate(version: "v5" | "v9", first: number, start: () => Promise<Receiver>) {
  let rate = first;
  let failures = 0;
  const best = { flows: 0, datagrams: 0 };
  // Rising until it loses twice in a row: one loss may be this machine's, two are the receiver's.
  while (failures < 2) {
    const receiver = await start();
    const sent = await send(version, receiver.port, rate);
    await receiver.settled();
    const stored = await receiver.stop();
    const seconds = sent.elapsedMs / 1000;
    if (stored === sent.flows) {
      failures = 0;
      best.flows = Math.max(best.flows, (sent.datagrams / seconds) * FLOWS_A_DATAGRAM[version]);
      best.datagrams = Math.max(best.datagrams, sent.datagrams / seconds);
      // The sender is at its own end: what it reached is a lower bound, and no more can be learned.
      if (sent.datagrams / seconds < rate * 0.9) break;
      rate *= STEP;
    } else {
      failures += 1;
      if (best.flows === 0 && failures === 2 && rate > 100) {
        // The first rate was too high already.
        rate /= 8;
        failures = 0;
      }
    }
  }
  return best;
}

interface Sent {
  /** Sent at the rate, and how long that took. */
  datagrams: number;
  elapsedMs: number;
  /** In all, the warm-up's too. */
  flows: number;
}

async function send(version: string, port: number, rate: number): Promise<Sent> {
  const child = fork(new URL("./flows/sender.ts", import.meta.url), [
    version,
    `${port}`,
    `${rate}`,
    `${SECONDS}`,
  ]);
  const [sent] = (await once(child, "message")) as [Sent];
  await once(child, "exit");
  return sent;
}

async function startAssay(): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const child = fork(new URL("./flows/receiver.ts", import.meta.url), [join(folder, "flows.sqlite")]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const count = async () => {
    child.send("count");
    const [{ flows }] = (await once(child, "message")) as [{ flows: number }];
    return flows;
  };
  return {
    port,
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

async function startNfcapd(buffer: readonly string[]): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const port = await freePort();
  const options = ["-w", folder, "-b", "127.0.0.1", "-p", `${port}`, "-t", "3600", ...buffer];
  const child: ChildProcess = spawn("nfcapd", options, { stdio: "ignore" });
  await once(child, "spawn");
  const exited = once(child, "exit");
  while ((await queuedBytes(port)) === undefined) await setTimeout(20);
  return {
    port,
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

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
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

/** Records decoded per CPU-second, the flows thrown away. */
async function decodeRate(version: "v5" | "v9"): Promise<number> {
  const { datagrams, flows, number } = makeReplay(version);
  const decoder = createDecoder();
  const rates: number[] = [];
  for (let run = 0; run < 7; run += 1) {
    const seconds = await cpuSeconds(() => {
      for (let round = run * ROUNDS; round < (run + 1) * ROUNDS; round += 1) {
        const decoded: Flow[] = [];
        datagrams.forEach((datagram, index) => {
          number(index, round);
          decoder.decode(datagram, "127.0.0.1", 1, Number.NaN, decoded);
        });
      }
    });
    rates.push((flows * ROUNDS) / seconds);
  }
  return median(rates);
}
