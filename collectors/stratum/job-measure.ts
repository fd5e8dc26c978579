import type { MetricDelta } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Job, Observation } from "#core/observation.ts";
import { GRACE_MS } from "./template-watch.ts";

/** A pool's newest job. */
interface Newest {
  prevHash: string;
  /** When the pool was first seen on this block, and when it last said anything. */
  sinceMs: number;
  lastMs: number;
  /** Pools that were once on one block mine one chain. */
  chain: object;
}

/** Counts the jobs of the `job` measurement that were `diverged`; the analysis counts all of them. */
export interface JobMeasure {
  take(observations: readonly Observation[]): void;
  /** What was gained since the last call. */
  takeDeltas(): MetricDelta[];
}

/** Pools hand out a job a minute or more; one that was silent for so long no longer stands where it stood. */
const SILENT_MS = 10 * 60_000;
/** Pools compared; the one that has been silent longest gives way. */
const MAX_POOLS = 1_000;

/**
 * A job diverges when most of the other pools of its chain have been building on another block for a minute: its pool
 * is late, alone or ahead. Event time alone, so that a replay counts what the service counted.
 */
export function createJobMeasure(): JobMeasure {
  const book = new MetricsBook();
  /** In order of their latest job. */
  const pools = new Map<string, Newest>();

  function note({ pool, prevHash, atMs }: Job): Newest {
    const before = pools.get(pool);
    const newest: Newest = {
      prevHash,
      sinceMs: before?.prevHash === prevHash ? before.sinceMs : atMs,
      lastMs: atMs,
      chain: before?.chain ?? {},
    };
    pools.delete(pool);
    for (const other of pools.values()) {
      if (other.prevHash !== prevHash || other.chain === newest.chain) continue;
      const { chain } = other;
      for (const one of pools.values()) if (one.chain === chain) one.chain = newest.chain;
    }
    pools.set(pool, newest);
    for (const [longest] of pools) if (pools.size > MAX_POOLS) pools.delete(longest);
    return newest;
  }

  /** Whether most of the other pools have settled on one other block. */
  function diverges(own: Newest, atMs: number): boolean {
    const blocks = new Map<string, { pools: number; sinceMs: number }>();
    let others = 0;
    for (const other of pools.values()) {
      if (other === own || other.chain !== own.chain || other.lastMs < atMs - SILENT_MS) continue;
      others += 1;
      const block = blocks.get(other.prevHash) ?? { pools: 0, sinceMs: other.sinceMs };
      block.pools += 1;
      block.sinceMs = Math.max(block.sinceMs, other.sinceMs);
      blocks.set(other.prevHash, block);
    }
    for (const [prevHash, block] of blocks) {
      if (block.pools * 2 <= others || prevHash === own.prevHash) continue;
      return atMs - Math.max(own.sinceMs, block.sinceMs) >= GRACE_MS;
    }
    return false;
  }

  return {
    take(observations) {
      for (const observation of observations) {
        if (observation.type !== "job") continue;
        const { pool, atMs } = observation;
        // What comes late says nothing of where its pool stands now.
        if (atMs < (pools.get(pool)?.lastMs ?? 0)) continue;
        if (!diverges(note(observation), atMs)) continue;
        const { values } = book.bucket("job", [pool], atMs);
        values[2] = values[2]! + 1;
      }
    },
    takeDeltas: () => book.take(),
  };
}
