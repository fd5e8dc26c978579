import { once } from "node:events";
import { connect, isIPv4, type Socket } from "node:net";
import type { Task } from "#core/task.ts";
import { pause } from "./pause.ts";
import { onLines, sendLine } from "./stratum-lines.ts";

/** A simulated miner that speaks stratum V1 over a real connection. */
export interface MinerOptions {
  host: string;
  port: number;
  /** Its simulated IPv4 address, sent in a PROXY v2 header. Absent: it connects as who it is. */
  source?: { address: string; port: number };
  agent: string;
  /** `account.worker`. */
  worker: string;
  password?: string;
  /** In hashes a second, at a wall clock instant. */
  hashrateHs: (nowMs: number) => number;
  /** Hashes a share of difficulty 1 stands for; 2^32 unless said. */
  hashesPerDifficulty?: number;
  /** Time its messages take to the pool and back on the simulated path, added before it answers; 0 unless said. */
  roundTripMs?: number;
  /** Part of its shares that are for an outdated job, 0..1; 0 unless said. */
  stale?: number;
  onAnswer?: (accepted: boolean) => void;
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
  sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Waiting is memoryless, so it can be drawn anew this often: a change of difficulty or hashrate then counts at once. */
const REDRAW_MS = 1000;

/**
 * Connects, subscribes, logs in and hands in shares as a Poisson process of the given hashrate at the pool's
 * difficulty. Ends on abort; rejects when the pool ends the connection or refuses the login, so that its supervisor reconnects.
 */
export function runMiner(options: MinerOptions): Task {
  const { random = Math.random, now = Date.now, sleep = pause, roundTripMs = 0 } = options;
  return async (signal) => {
    const socket = connect({ host: options.host, port: options.port, noDelay: true });
    const ending = new AbortController();
    const all = AbortSignal.any([signal, ending.signal]);
    let ended = "the pool ended the connection";
    socket.on("error", (error) => {
      ended = error.message;
    });
    socket.on("close", () => ending.abort());
    signal.addEventListener("abort", () => socket.destroy(), { once: true, signal: ending.signal });
    try {
      if (options.source) socket.write(proxyHeader(options.source, options.port));
      const state = await logIn(socket, all);
      while (!all.aborted) {
        const perSecond =
          options.hashrateHs(now()) / (state.difficulty * (options.hashesPerDifficulty ?? 2 ** 32));
        const waitMs =
          perSecond > 0 ? (-Math.log(1 - random()) / perSecond) * 1000 : Number.POSITIVE_INFINITY;
        await sleep(Math.min(waitMs, REDRAW_MS), all);
        if (all.aborted || waitMs > REDRAW_MS || state.job === null) continue;
        submit(socket, state);
      }
      if (!signal.aborted) throw new Error(ended);
    } catch (cause) {
      throw new Error(`${options.worker}: ${(cause as Error).message}`, { cause });
    } finally {
      socket.destroy();
    }
  };

  function submit(socket: Socket, state: MinerState): void {
    const job = random() < (options.stale ?? 0) ? "0" : state.job;
    const word = () => (1 + Math.floor(random() * (2 ** 32 - 1))).toString(16).padStart(8, "0");
    state.serial += 1;
    const time = Math.floor(now() / 1000).toString(16);
    const params = [options.worker, job, `${word()}${word()}`, time, word()];
    sendLine(socket, { id: state.serial, method: "mining.submit", params });
  }

  /** Resolves when the login was accepted; an abort resolves it too. */
  async function logIn(socket: Socket, signal: AbortSignal): Promise<MinerState> {
    const state: MinerState = { difficulty: 1, job: null, serial: 2 };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    onLines(socket, async (message) => {
      const params: unknown[] = Array.isArray(message.params) ? message.params : [];
      if (message.method === "mining.set_difficulty") state.difficulty = Number(params[0]);
      else if (message.method === "mining.notify") {
        if (roundTripMs > 0) await sleep(roundTripMs, signal);
        state.job = String(params[0]);
      } else if (message.id === 1) {
        if (roundTripMs > 0) await sleep(roundTripMs, signal);
        const params = [options.worker, options.password ?? "x"];
        sendLine(socket, { id: 2, method: "mining.authorize", params });
      } else if (message.id === 2) {
        if (message.result === true) resolve();
        else reject(new Error("the pool refused the login"));
      } else if (message.id !== null && message.method === undefined) {
        options.onAnswer?.(message.result === true);
      }
    });
    if (socket.connecting) await Promise.race([once(socket, "connect"), promise]);
    sendLine(socket, { id: 1, method: "mining.subscribe", params: [options.agent] });
    await promise;
    return state;
  }
}

interface MinerState {
  difficulty: number;
  job: string | null;
  serial: number;
}

/** PROXY protocol version 2, TCP over IPv4, section 2.2 of the specification; the destination is the loopback. */
function proxyHeader(source: { address: string; port: number }, port: number): Buffer {
  if (!isIPv4(source.address)) throw new Error(`${source.address} is not an IPv4 address`);
  const header = Buffer.alloc(28);
  header.write("\r\n\r\n\0\r\nQUIT\n", "latin1");
  header.set([0x21, 0x11, 0, 12], 12);
  header.set(source.address.split(".").map(Number), 16);
  header.set([127, 0, 0, 1], 20);
  header.writeUInt16BE(source.port, 24);
  header.writeUInt16BE(port, 26);
  return header;
}
