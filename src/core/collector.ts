import type { Observation, Refusal } from "#core/observation.ts";

/**
 * A run of observations in the source's order. Bounded: at most a few thousand.
 * `cursor` says where to go on *after* this batch; it is committed together with everything the batch changed, so a
 * source that can be read again loses nothing and counts nothing twice, whenever the process dies.
 */
export interface Batch {
  observations: Observation[];
  /** Opaque to all but the collector. Absent: the source cannot be read again (what it hands over goes through the journal). */
  cursor?: string;
  /** Bad input met on the way, by place; at most 100 entries a batch, the rest folded into `count`. */
  refusals?: Refusal[];
  /** Fields that no schema knows, left out. */
  unknownFields?: number;
  /** Observations dated before the one that stood ahead of them in the same source: taken, and counted. */
  backwards?: number;
}

/**
 * A source of observations. Pulling the next batch is the backpressure: a collector never reads ahead of it by more
 * than a stated bound. `collect` ends when the source ends or `signal` aborts (what is buffered then is not handed
 * over), throws with its name and the cause when the source breaks, and closes what it opened in every case.
 */
export interface Collector {
  /** Stable over restarts: the committed cursor is kept under it. */
  readonly name: string;
  collect(signal: AbortSignal, cursor?: string): AsyncIterable<Batch>;
}
