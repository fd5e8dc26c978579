import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Figure, median } from "./figure.ts";
import type { Measured, Request } from "./tap/load.ts";

const CONNECTIONS = [1, 100, 5000];
/** Round trips of one run, 30 of them beyond its p99, and runs of each kind; the median run counts. */
const ROUND_TRIPS = 3000;
const RUNS = 5;
const THROUGHPUT_RUNS = 3;
/** Round trips a second through each, over all connections: far under what either can do, so that latency and no queue is measured. */
const RATE = 500;
const PEER = "HAProxy, TCP mode";

interface Proxy extends AsyncDisposable {
  port: number;
  pid: number;
}

/**
 * Round trips from miner to pool and back through Assay's tap and through HAProxy in TCP mode on one thread. Latency is taken
 * through both at the same time, share by share in turns, so that whatever else the machine does meets both; throughput
 * through one after the other. Pool, miners, tap and HAProxy are a process each; the tap decodes everything.
 */
export async function* run(): AsyncGenerator<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const script = fileURLToPath(new URL("./tap/load.ts", import.meta.url));
  const pool = fork(script);
  const load = fork(script);
  try {
    const { port } = await ask<{ port: number }>(pool, { kind: "pool" });
    await using tap = await startTap(port);
    await using haproxy = await startHaproxy(port, directory);
    for (const connections of CONNECTIONS) yield* latency(load, [tap.port, haproxy.port], connections);
    for (const connections of CONNECTIONS)
      yield await throughput(load, [tap.port, haproxy.port], connections);
    yield await memory(load, port);
  } finally {
    load.kill();
    pool.kill();
    await rm(directory, { recursive: true });
  }
}

async function* latency(load: ChildProcess, ports: number[], connections: number): AsyncGenerator<Figure> {
  const runs: Measured[][] = [];
  for (let run = 0; run < RUNS; run += 1) {
    // The one that is connected to first has longer to settle: by turns.
    const turned = run % 2 === 0 ? ports : ports.toReversed();
    const request: Request = {
      kind: "load",
      ports: turned,
      connections,
      roundTrips: ROUND_TRIPS,
      rate: RATE,
    };
    const measured = await ask<Measured[]>(load, request);
    runs.push(run % 2 === 0 ? measured : measured.toReversed());
  }
  for (const [name, key] of [
    ["p50", "p50Us"],
    ["p99", "p99Us"],
  ] as const) {
    const value = median(runs.map(([tap]) => tap![key]));
    const peerValue = median(runs.map(([, haproxy]) => haproxy![key]));
    const ratio = median(runs.map(([tap, haproxy]) => tap![key] / haproxy![key]));
    yield { figure: `tap.${name}_us_${connections}`, value, unit: "µs", peer: PEER, peerValue, ratio };
    yield { figure: `tap.${name}_over_haproxy_${connections}`, value: ratio, unit: "×", peer: PEER };
  }
}

async function throughput(load: ChildProcess, ports: number[], connections: number): Promise<Figure> {
  const rates: number[][] = ports.map(() => []);
  for (let run = 0; run < THROUGHPUT_RUNS; run += 1) {
    for (const [index, port] of ports.entries()) {
      const request: Request = {
        kind: "load",
        ports: [port],
        connections,
        roundTrips: 3 * ROUND_TRIPS,
        rate: null,
      };
      const [measured] = await ask<Measured[]>(load, request);
      rates[index]!.push(measured!.perSecond);
    }
  }
  const [value, peerValue] = rates.map(median) as [number, number];
  const figure = `tap.round_trips_per_second_${connections}`;
  return { figure, value, unit: "1/s", peer: PEER, peerValue, ratio: value / peerValue };
}

/** How a fresh tap's resident memory grows from 100 connections to 5,000 more that have logged in and mined. */
async function memory(load: ChildProcess, poolPort: number): Promise<Figure> {
  const connections = 5000;
  await using tap = await startTap(poolPort);
  await ask(load, { kind: "hold", port: tap.port, connections: 100 });
  const before = await residentBytes(tap.pid);
  await ask(load, { kind: "hold", port: tap.port, connections });
  const after = await residentBytes(tap.pid);
  await ask(load, { kind: "release" });
  return { figure: "tap.bytes_per_connection", value: (after - before) / connections, unit: "bytes" };
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function ask<T>(child: ChildProcess, request: Request): Promise<T> {
  const answer = once(child, "message") as Promise<[T]>;
  child.send(request);
  return (await answer)[0];
}

async function startTap(upstream: number): Promise<Proxy> {
  const child = fork(fileURLToPath(new URL("./tap/process.ts", import.meta.url)), [String(upstream)]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { port, pid: child.pid!, [Symbol.asyncDispose]: () => stop(child) };
}

async function startHaproxy(upstream: number, directory: string): Promise<Proxy> {
  const port = await freePort();
  const file = join(directory, "haproxy.cfg");
  // One thread, as the tap has.
  await writeFile(
    file,
    `global
  maxconn 6000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 300s
  timeout server 300s
listen stratum
  bind 127.0.0.1:${port}
  server pool 127.0.0.1:${upstream}
`,
  );
  const child = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  await once(child, "spawn");
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 100) throw new Error("bench tap: HAProxy does not listen");
    await delay(20);
  }
  return { port, pid: child.pid!, [Symbol.asyncDispose]: () => stop(child) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill();
  await ended;
}
