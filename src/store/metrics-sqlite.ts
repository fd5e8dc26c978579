import type { MetricRow } from "#core/metrics.ts";
import type { Checkpoint, CheckpointStore } from "#core/store.ts";
import type { MetricsCalls, PackedCheckpoint } from "./metrics-calls.ts";
import type { MetricsReaderCalls } from "./metrics-query.ts";
import { openThread } from "./thread.ts";

/** Where the embedded metrics store lives and how many days each level is kept. */
export interface MetricsOptions {
  file: string;
  rawDays: number;
  hourDays: number;
}

/** The embedded metrics store, with its housekeeping. */
export interface EmbeddedMetrics extends CheckpointStore {
  /** Deletes what is older than its retention, in steps between which checkpoints get their turn. */
  prune(nowMs: number): Promise<void>;
  /**
   * Takes rows of whole buckets, of what nothing is kept of: a bucket in which a pool (an exporter, a network: the
   * first tag) has anything stays as it is. Hours are added up anew where minutes came. Resolves to the rows taken.
   */
  fill(rows: readonly MetricRow[]): Promise<number>;
  /** First and last bucket of anything; null: nothing is kept. */
  bounds(): Promise<{ firstMs: number; lastMs: number } | null>;
}

/** Opens (or creates) the embedded metrics store. Whoever opens it closes it. */
export async function openMetrics({ file, rawDays, hourDays }: MetricsOptions): Promise<EmbeddedMetrics> {
  const thread = await openThread<MetricsCalls>({ kind: "metrics", file });
  // What is in memory is its own thread's only.
  const reader =
    file === ":memory:" ? null : await openThread<MetricsReaderCalls>({ kind: "metrics-reader", file });

  async function* accounts() {
    for (let last = ""; ; ) {
      const page = await thread.call("accounts", last);
      const end = page.at(-1);
      if (!end) return;
      yield* page;
      last = end.key;
    }
  }

  return {
    name: "sqlite",
    commit: (checkpoint) => thread.call("commit", pack(checkpoint)),
    write: (rows) => thread.call("write", rows),
    query: (query) => (reader ? reader.call("query", query) : thread.call("query", query)),
    fill: (rows) => thread.call("fill", rows),
    bounds: () => thread.call("bounds"),
    recover: async () => ({ cursors: await thread.call("cursors"), accounts: accounts() }),
    async prune(nowMs) {
      while (await thread.call("prune", nowMs, rawDays, hourDays));
    },
    async close() {
      await reader?.close();
      await thread.close();
    },
  };
}

/** A state may be a view on a larger buffer, and cloning a view clones the whole of it: hence the copy. */
function pack({ cursors, deltas, accounts }: Checkpoint): PackedCheckpoint {
  let size = 0;
  for (const state of accounts.values()) size += state.byteLength;
  const bytes = new Uint8Array(size);
  const keys: string[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const [key, state] of accounts) {
    bytes.set(state, end);
    end += state.byteLength;
    keys.push(key);
    ends.push(end);
  }
  return { cursors, deltas, accounts: { keys, ends, bytes } };
}
