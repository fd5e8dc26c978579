import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createTap, type Tap, type TapOptions } from "../../../collectors/stratum/tap.ts";
import type { Observation, Refusal, Session, Share } from "../../../src/core/observation.ts";
import type { Task } from "../../../src/core/task.ts";

export const silent = () => {};

/** Waits for a condition, polling; fails with `what` after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface RunningTap extends AsyncDisposable {
  tap: Tap;
  port: number;
  observations: Observation[];
  refusals: Refusal[];
  shares(): Share[];
  sessions(event?: Session["event"]): Session[];
  stop(): Promise<void>;
}

/** A tap on a free loopback port in front of `upstreamPort`, whose batches are collected. */
export async function startTap(
  upstreamPort: number,
  overrides: Partial<TapOptions> = {},
): Promise<RunningTap> {
  const listening = Promise.withResolvers<AddressInfo>();
  const tap = createTap({
    name: "tap",
    listen: { host: "127.0.0.1", port: 0 },
    upstream: { host: "127.0.0.1", port: upstreamPort },
    pool: "testpool",
    algorithm: "sha256d",
    proxyProtocol: { accept: false, from: ["127.0.0.1", "::1"], emit: "off" },
    maxConnections: 100,
    maxConnectionsPerAddress: 100,
    maxLineBytes: 65_536,
    idleMs: 600_000,
    lingerMs: 1,
    log: silent,
    ...overrides,
    onListening(address) {
      listening.resolve(address);
      overrides.onListening?.(address);
    },
  });
  const ending = new AbortController();
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  const running = (async () => {
    for await (const batch of tap.collect(ending.signal)) {
      observations.push(...batch.observations);
      refusals.push(...(batch.refusals ?? []));
    }
  })();
  running.catch(listening.reject);
  const { port } = await listening.promise;
  const stop = async () => {
    ending.abort();
    await running;
  };
  const of = <T extends Observation["type"]>(type: T) =>
    observations.filter(
      (observation): observation is Extract<Observation, { type: T }> => observation.type === type,
    );
  return {
    tap,
    port,
    observations,
    refusals,
    shares: () => of("share"),
    sessions: (event) => of("session").filter((session) => event === undefined || session.event === event),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export interface RunningServer extends AsyncDisposable {
  server: Server;
  port: number;
  sockets: Socket[];
}

/** A TCP server on a free loopback port that keeps its sockets. */
export async function startServer(take: (socket: Socket) => void): Promise<RunningServer> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", silent);
    take(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A connected loopback client that keeps what it receives. */
export async function dial(port: number): Promise<{ socket: Socket; received: () => Buffer }> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", silent);
  await once(socket, "connect");
  return { socket, received: () => Buffer.concat(chunks) };
}

/** Runs a task until disposed. */
export function running(task: Task): AsyncDisposable & { ended: Promise<void> } {
  const ending = new AbortController();
  const ended = task(ending.signal);
  ended.catch(silent);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await ended.catch(silent);
    },
  };
}
