import type { Socket } from "node:net";
import type { Job } from "#core/observation.ts";
import type { Task } from "#core/task.ts";
import { createDecoderFactory } from "./decoder.ts";
import { JobBoard } from "./job-board.ts";
import { createDecodeCounters, type Moment } from "./ledger-context.ts";
import { LineFramer } from "./line-framer.ts";
import { readMessage } from "./message.ts";
import { addressOf } from "./script-address.ts";
import { dial } from "./upstream.ts";

/** A pool that is watched as its miners see it. */
export interface ObservedPool {
  name: string;
  host: string;
  port: number;
  tls: boolean;
  /** PEM file of the authorities that vouch for it; read by the observer. */
  ca?: string;
  /** `mining` for Bitcoin and its kin, `cryptonote` for Monero and its kin. */
  protocol: "mining" | "cryptonote";
  worker: string;
  password: string;
  algorithm: string;
  /** Whose addresses the coinbase pays; script-address.ts names those that can be written. */
  coin: string;
}

/** What watching one pool needs. */
export interface WatchOptions {
  agent: string;
  maxLineBytes: number;
  /** A connection is ended and made anew after about this time: pools move miners, and stale ones see stale jobs. */
  reconnectMs: number;
  /** A connection that has said nothing for so long is taken for dead. */
  silenceMs: number;
  onJob: (job: Job, branches: readonly string[]) => void;
  onGone: () => void;
  refuse: (reason: string, place: string) => void;
  now: () => number;
  tick: () => number;
  /** In [0, 1). */
  random: () => number;
}

/**
 * Watches one pool until `signal` aborts, or fails when the connection does: its supervisor makes a new one. It logs in and
 * never submits; it answers `client.get_version` and `mining.ping` as a miner would, and follows no `client.reconnect` to
 * another host.
 */
export function watchPool(pool: ObservedPool, options: WatchOptions): Task {
  return async (signal) => {
    while (!signal.aborted) {
      const socket = await dial(
        { host: pool.host, port: pool.port, tls: pool.tls, ca: pool.ca },
        null,
        signal,
      );
      try {
        await watchConnection(pool, options, socket, signal);
      } finally {
        socket.destroy();
        options.onGone();
      }
    }
  };
}

/** Resolves when it is time for a new connection or `signal` aborts; rejects when the connection fails. */
async function watchConnection(
  pool: ObservedPool,
  options: WatchOptions,
  socket: Socket,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const moment = (): Moment => ({ atMs: options.now(), tickMs: options.tick() });
  const board = new JobBoard(() => {});
  const decoder = createDecoderFactory(
    {
      pool: pool.name,
      algorithm: pool.algorithm,
      counters: createDecodeCounters(),
      // Sessions and shares are the observer's own and tell nothing.
      emit: () => {},
      refuse: options.refuse,
      announce: board.announce.bind(board),
      addressOf: (script) => addressOf(script, pool.coin),
      onTemplate: options.onJob,
    },
    { maxLineBytes: options.maxLineBytes },
  )({ session: pool.name, address: pool.host, port: pool.port }, moment());
  const answers = new LineFramer(options.maxLineBytes);
  const send = (message: object) => {
    const line = `${JSON.stringify(message)}\n`;
    socket.write(line);
    decoder.push("up", Buffer.from(line), moment());
  };
  const silence = setTimeout(() => reject(new Error(`${pool.name}: silent`)), options.silenceMs);
  const renewal = setTimeout(resolve, options.reconnectMs * (0.8 + 0.4 * options.random()));
  signal.addEventListener("abort", () => resolve(), { once: true });
  socket.on("error", (cause) => reject(new Error(`${pool.name}: ${cause.message}`, { cause })));
  socket.on("close", () => reject(new Error(`${pool.name}: the pool closed the connection`)));
  socket.on("end", () => reject(new Error(`${pool.name}: the pool ended the connection`)));
  socket.on("data", (chunk: Buffer) => {
    silence.refresh();
    decoder.push("down", chunk, moment());
    for (const line of answers.push(chunk)) {
      const message = readMessage(line);
      if (message?.method === "client.get_version")
        send({ id: message.body.id, result: options.agent, error: null });
      else if (message?.method === "mining.ping") send({ id: message.body.id, result: "pong", error: null });
      else if (message?.method === "client.reconnect") resolve();
    }
  });
  try {
    if (pool.protocol === "mining") {
      send({ id: 1, method: "mining.subscribe", params: [options.agent] });
      send({ id: 2, method: "mining.authorize", params: [pool.worker, pool.password] });
    } else {
      const params = { login: pool.worker, pass: pool.password, agent: options.agent };
      send({ id: 1, jsonrpc: "2.0", method: "login", params });
    }
    await promise;
  } finally {
    clearTimeout(silence);
    clearTimeout(renewal);
  }
}
