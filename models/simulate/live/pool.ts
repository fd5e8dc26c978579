import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Task } from "#core/task.ts";
import { pause } from "./pause.ts";
import { type PoolJob, type PoolSession, servePoolSession } from "./pool-session.ts";
import { EXTRANONCE_1_BYTES, makeTemplate } from "./template.ts";

/** A small real stratum V1 pool for the demonstration and for tests. */
export interface PoolOptions {
  host?: string;
  port?: number;
  /** Told once, when miners can connect: port 0 has its number then. */
  onListening?: (address: AddressInfo) => void;
  /** Difficulty of every connection's first job; 1 unless said. */
  difficulty?: number;
  /** Steers each connection to one share in `shareEveryMs`, never under `minimum`. Absent: the difficulty stays. */
  vardiff?: { shareEveryMs: number; minimum: number };
  /** A new job comes this often, 30 s unless said; one in `jobsPerBlock` (20 unless said) is a new block. */
  jobEveryMs?: number;
  jobsPerBlock?: number;
  firstHeight?: number;
  tag?: string;
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
  sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs the pool until `signal` aborts. It takes a share on the miner's word, by this rule: the job is one it handed
 * out since the last block (else 21), the worker logged in on this connection (else 24), the same extranonce 2, time,
 * nonce and version bits were not sent for this job before (else 22), and the nonce is not 00000000 (else 23).
 */
export function runPool(options: PoolOptions): Task {
  const { random = Math.random, now = Date.now, sleep = pause } = options;
  return async (signal) => {
    const sessions = new Set<PoolSession>();
    let serial = 0;
    let connected = 0;
    let height = options.firstHeight ?? 900_000;
    let template = makeTemplate({ height, tag: options.tag ?? "Assay demonstration", random });
    const nextJob = (clean: boolean): PoolJob => {
      serial += 1;
      return { ...template, id: serial.toString(16), clean, timeSeconds: Math.floor(now() / 1000) };
    };
    let job = nextJob(true);
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      connected += 1;
      const session = servePoolSession(socket, {
        extranonce1: connected.toString(16).padStart(2 * EXTRANONCE_1_BYTES, "0"),
        difficulty: options.difficulty ?? 1,
        vardiff: options.vardiff,
        now,
        job: () => job,
      });
      sessions.add(session);
      socket.on("close", () => sessions.delete(session));
    });
    server.listen({ host: options.host ?? "127.0.0.1", port: options.port ?? 0 });
    try {
      await once(server, "listening");
      options.onListening?.(server.address() as AddressInfo);
      for (let count = 1; !signal.aborted; count += 1) {
        await sleep(options.jobEveryMs ?? 30_000, signal);
        if (signal.aborted) break;
        const clean = count % (options.jobsPerBlock ?? 20) === 0;
        if (clean) {
          height += 1;
          template = makeTemplate({ height, tag: options.tag ?? "Assay demonstration", random });
        }
        job = nextJob(clean);
        for (const session of sessions) session.notify();
      }
    } finally {
      server.close();
      for (const session of sessions) session.close();
    }
  };
}
