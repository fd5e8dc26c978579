import type { Socket } from "node:net";
import { onLines, sendLine } from "./stratum-lines.ts";
import { EXTRANONCE_2_BYTES, type Template } from "./template.ts";

/** A job as the pool hands it to all its connections. */
export interface PoolJob extends Template {
  id: string;
  clean: boolean;
  timeSeconds: number;
}

/** The pool's side of one connection. */
export interface PoolSession {
  /** Sends the pool's newest job, and before it a difficulty that vardiff has moved. */
  notify(): void;
  close(): void;
}

interface SessionOptions {
  extranonce1: string;
  difficulty: number;
  vardiff: { shareEveryMs: number; minimum: number } | undefined;
  now: () => number;
  job: () => PoolJob;
}

/** Errors of the original proposal. */
const STALE = [21, "Job not found", null];
const DUPLICATE = [22, "Duplicate share", null];
const LOW_DIFFICULTY = [23, "Low difficulty share", null];
const UNAUTHORIZED = [24, "Unauthorized worker", null];
/** Vardiff looks back over so many shares: with Poisson arrivals the interval is then known to a quarter. */
const VARDIFF_SHARES = 16;
/** What a low share's nonce looks like here; nothing is hashed. */
const LOW_NONCE = "00000000";

/** Serves one miner until its connection ends. */
export function servePoolSession(socket: Socket, options: SessionOptions): PoolSession {
  const workers = new Set<string>();
  /** What was sent for each job handed out since the last block. */
  const jobs = new Map<string, Set<string>>();
  let { difficulty } = options;
  let announced = Number.NaN;
  let subscribed = false;
  let shares = 0;
  let sinceMs = options.now();

  function notify(): void {
    if (!subscribed) return;
    retarget();
    if (difficulty !== announced) {
      announced = difficulty;
      sendLine(socket, { id: null, method: "mining.set_difficulty", params: [difficulty] });
    }
    const job = options.job();
    if (job.clean) jobs.clear();
    jobs.set(job.id, new Set());
    const { id, prevHash, coinbase1, coinbase2, clean, timeSeconds } = job;
    const time = timeSeconds.toString(16).padStart(8, "0");
    const params = [id, prevHash, coinbase1, coinbase2, [], "20000000", "1702c4e4", time, clean];
    sendLine(socket, { id: null, method: "mining.notify", params });
  }

  function retarget(): void {
    const { vardiff } = options;
    const elapsedMs = options.now() - sinceMs;
    if (!vardiff || (shares < VARDIFF_SHARES && elapsedMs < VARDIFF_SHARES * vardiff.shareEveryMs)) return;
    const ratio = (Math.max(shares, 0.5) * vardiff.shareEveryMs) / Math.max(elapsedMs, 1);
    // A step of two either way is left alone, or the noise of 16 shares would move it at every job.
    if (ratio > 2 || ratio < 0.5)
      difficulty = Math.max(difficulty * Math.min(Math.max(ratio, 0.25), 4), vardiff.minimum);
    shares = 0;
    sinceMs = options.now();
  }

  function judge(params: unknown[]): unknown[] | null {
    const [worker, job, extranonce2, time, nonce, versionBits] = params;
    const sent = jobs.get(String(job));
    if (!sent) return STALE;
    if (!workers.has(String(worker))) return UNAUTHORIZED;
    const share = [extranonce2, time, nonce, versionBits].join(" ");
    if (sent.has(share)) return DUPLICATE;
    sent.add(share);
    if (nonce === LOW_NONCE) return LOW_DIFFICULTY;
    shares += 1;
    return null;
  }

  onLines(socket, ({ id, method, params }) => {
    const values: unknown[] = Array.isArray(params) ? params : [];
    if (method === "mining.subscribe") {
      const channels = [
        ["mining.set_difficulty", options.extranonce1],
        ["mining.notify", options.extranonce1],
      ];
      sendLine(socket, { id, result: [channels, options.extranonce1, EXTRANONCE_2_BYTES], error: null });
      subscribed = true;
    } else if (method === "mining.authorize") {
      const accepted = typeof values[0] === "string" && values[0] !== "";
      if (accepted) workers.add(values[0] as string);
      sendLine(socket, { id, result: accepted, error: accepted ? null : UNAUTHORIZED });
      if (accepted && workers.size === 1) notify();
    } else if (method === "mining.submit") {
      const error = judge(values);
      sendLine(socket, { id, result: error === null ? true : null, error });
    } else {
      sendLine(socket, { id, result: null, error: [20, "Not supported", null] });
    }
  });
  // A miner that goes away ends its connection; there is nothing else to do about it.
  socket.on("error", () => {});
  return { notify, close: () => socket.destroy() };
}
