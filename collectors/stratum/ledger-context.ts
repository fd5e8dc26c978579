import type { Job, Observation } from "#core/observation.ts";

/** When something was seen: wall clock for the observation, and a clock that never steps back for durations. */
export interface Moment {
  atMs: number;
  tickMs: number;
}

/** Which way bytes go: `up` from the miner to the pool, `down` from the pool to the miner. */
export type Direction = "up" | "down";

/** What decoding met; each only ever rises. */
export interface DecodeCounters {
  messages: number;
  malformed: number;
  oversized: number;
  shares: number;
  /** Difficulties a pool announced that cannot be one: 0, negative, not a number, beyond MAX_DIFFICULTY. */
  badDifficulties: number;
  /** Shares of a job this connection was not told, or told too long ago. */
  unknownJobs: number;
  refusedLogins: number;
  /** Connections that are not line-framed JSON: TLS, Stratum V2, HTTP. */
  opaque: number;
  /** Requests whose answer never came, and answers to nothing. */
  unanswered: number;
  unasked: number;
}

/** Counters at zero. */
export function createDecodeCounters(): DecodeCounters {
  return {
    messages: 0,
    malformed: 0,
    oversized: 0,
    shares: 0,
    badDifficulties: 0,
    unknownJobs: 0,
    refusedLogins: 0,
    opaque: 0,
    unanswered: 0,
    unasked: 0,
  };
}

/** What all connections to one pool share. */
export interface LedgerContext {
  pool: string;
  /** Of connections whose dialect leaves it open. */
  algorithm: string;
  counters: DecodeCounters;
  emit: (observation: Observation) => void;
  /** `reason` is a constant text, `place` the session. */
  refuse: (reason: string, place: string) => void;
  /** Called for each job a pool announces on any connection; tells the same job once, after `complete` filled it in. */
  announce: (job: Job, complete: () => void) => void;
  /** Writes the address an output script pays; with it jobs carry their outputs. */
  addressOf?: (script: string) => string | null;
  /** Called with each job that is told, and the merkle branches of its template where it has them. */
  onTemplate?: (job: Job, branches: readonly string[]) => void;
}

/** Who the connection belongs to. `address` is the miner's own, behind whatever balancer. */
export interface SessionIdentity {
  session: string;
  address: string;
  port?: number;
  tls?: boolean;
  /** JA4 of the miner's TLS hello, once it was read. */
  tlsFingerprint?: string;
  /** The connection's beginning was not seen. */
  midStream?: boolean;
}

/** A request of the miner, kept until the pool answers it. */
export type Pending = { id: string } & (
  | { kind: "subscribe"; agent?: string }
  | { kind: "authorize"; name: unknown }
  | { kind: "submit"; name: unknown; difficulty: number; announced: number; atMs: number; delayMs?: number }
  | { kind: "other" }
);
