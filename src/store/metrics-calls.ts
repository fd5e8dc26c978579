import type { DatabaseSync } from "node:sqlite";
import {
  DAY_MS,
  HOUR_MS,
  type Level,
  MEASUREMENTS,
  type MetricDelta,
  type MetricQuery,
  type MetricRow,
} from "#core/metrics.ts";
import { fill } from "./metrics-fill.ts";
import { queryMetrics } from "./metrics-query.ts";
import { type MeasurementTables, metricTables, parameters } from "./metrics-tables.ts";
import { transaction } from "./transaction.ts";

/** A checkpoint as it crosses to the thread: account states laid end to end, so that only their own bytes travel. */
export interface PackedCheckpoint {
  cursors: ReadonlyMap<string, string>;
  deltas: readonly MetricDelta[];
  accounts: { keys: string[]; ends: number[]; bytes: Uint8Array };
}

/** What several deltas of one bucket come to. */
interface Merged {
  tags: readonly string[];
  series: number;
  bucketMs: number;
  values: number[];
  /** The minute each last value was taken in. */
  lastMs: number[];
}

/** Distinct series remembered per measurement before the dictionary is asked again. */
const SERIES_REMEMBERED = 100_000;
const ACCOUNTS_A_PAGE = 1_000;
/** One prune statement deletes at most this much of a level, so that a checkpoint waits milliseconds, not minutes. */
const PRUNE_STEP_MS = 6 * HOUR_MS;

/** The calls of the metrics thread. */
export type MetricsCalls = ReturnType<typeof metricsCalls>;

/** Opens the metrics tables in `db` and serves them. Power loss may undo the newest checkpoints whole: cursors go back with what they counted. */
export function metricsCalls(db: DatabaseSync) {
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000");
  db.exec(`CREATE TABLE IF NOT EXISTS cursors (collector TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS accounts (key TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT`);
  const tables = metricTables(db);
  const putCursor = db.prepare("INSERT OR REPLACE INTO cursors (collector, cursor) VALUES (?, ?)");
  const putAccount = db.prepare(
    "INSERT INTO accounts (key, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
  );
  const dropAccount = db.prepare("DELETE FROM accounts WHERE key = ?");
  const allCursors = db.prepare("SELECT collector, cursor FROM cursors");
  const someAccounts = db.prepare("SELECT key, state FROM accounts WHERE key > ? ORDER BY key LIMIT ?");
  const remembered = new Map<string, Map<string, number>>();

  const table = (name: string): MeasurementTables => {
    const found = tables.get(name as MetricRow["measurement"]);
    if (!found) throw new Error(`no measurement named ${name}`);
    return found;
  };

  function seriesOf(measurement: MeasurementTables, tags: readonly string[]): number {
    let known = remembered.get(measurement.name);
    if (!known || known.size >= SERIES_REMEMBERED) {
      known = new Map();
      remembered.set(measurement.name, known);
    }
    const key = JSON.stringify(tags);
    const id = known.get(key) ?? measurement.series(tags);
    known.set(key, id);
    return id;
  }

  /** All or nothing; series created by a transaction that was undone are forgotten with it. */
  function atomically<T>(work: () => T): T {
    try {
      return transaction(db, work);
    } catch (error) {
      remembered.clear();
      throw error;
    }
  }

  function addAll(deltas: readonly MetricDelta[]): MetricRow[] {
    const changed: MetricRow[] = [];
    for (const [name, merged] of merge(deltas, (delta) => seriesOf(table(delta.measurement), delta.tags))) {
      const { measurement, levels } = table(name);
      for (const level of ["1m", "1h"] as const) {
        for (const gained of [...merged[level].values()].flatMap((bucket) => [...bucket.values()])) {
          const row = levels[level].add.get(...parameters(measurement, gained)) as unknown as (
            | number
            | null
          )[];
          const values = row.map((value) => value ?? Number.NaN);
          changed.push({ measurement: name, tags: gained.tags, level, bucketMs: gained.bucketMs, values });
        }
      }
    }
    return changed;
  }

  return {
    commit(checkpoint: PackedCheckpoint): MetricRow[] {
      return atomically(() => {
        const changed = addAll(checkpoint.deltas);
        for (const [collector, cursor] of checkpoint.cursors) putCursor.run(collector, cursor);
        const { keys, ends, bytes } = checkpoint.accounts;
        keys.forEach((key, index) => {
          const state = bytes.subarray(ends[index - 1] ?? 0, ends[index]);
          if (state.length === 0) dropAccount.run(key);
          else putAccount.run(key, state);
        });
        return changed;
      });
    },

    write(rows: readonly MetricRow[]): void {
      atomically(() => {
        for (const row of rows) {
          const into = table(row.measurement);
          const series = seriesOf(into, row.tags);
          const put = { bucketMs: row.bucketMs, series, values: row.values, lastMs: row.bucketMs };
          into.levels[row.level].put.run(...parameters(into.measurement, put));
        }
      });
    },

    /** Of each bucket and first tag value that nothing is kept of, takes all rows; leaves the others as they are. */
    fill: (rows: readonly MetricRow[]): number => atomically(() => fill(rows, table, seriesOf)),

    query: (query: MetricQuery): MetricRow[] => queryMetrics(db, query),

    /** First and last bucket of anything; null: nothing is kept. */
    bounds(): { firstMs: number; lastMs: number } | null {
      const all = [...tables.values()].flatMap(({ levels }) => [
        levels["1m"].bounds.get(),
        levels["1h"].bounds.get(),
      ]);
      const kept = all.filter((row) => typeof row?.first === "number");
      if (kept.length === 0) return null;
      return {
        firstMs: Math.min(...kept.map((row) => Number(row?.first))),
        lastMs: Math.max(...kept.map((row) => Number(row?.last))),
      };
    },

    cursors(): Map<string, string> {
      return new Map(allCursors.all().map((row) => [String(row.collector), String(row.cursor)]));
    },

    /** The next accounts after `key`, in order; fewer than a page: the last ones. */
    accounts(key: string): { key: string; state: Uint8Array }[] {
      return someAccounts.all(key, ACCOUNTS_A_PAGE) as { key: string; state: Uint8Array }[];
    },

    /** Deletes at most a few hours of each level from before its retention; true when there may be more. */
    prune(nowMs: number, rawDays: number, hourDays: number): boolean {
      let more = false;
      for (const { levels } of tables.values()) {
        for (const [level, days] of [
          ["1m", rawDays],
          ["1h", hourDays],
        ] as const) {
          const cutoffMs = nowMs - days * DAY_MS;
          const first = levels[level].bounds.get()?.first;
          if (typeof first !== "number" || first >= cutoffMs) continue;
          const untilMs = Math.min(cutoffMs, first + PRUNE_STEP_MS);
          levels[level].prune.run(untilMs);
          more ||= untilMs < cutoffMs;
        }
      }
      return more;
    },
  };
}

/** Bucket → series → what it gained. */
type Buckets = Map<number, Map<number, Merged>>;

/** Adds up the deltas of one bucket, for both levels. */
function merge(
  deltas: readonly MetricDelta[],
  seriesOf: (delta: MetricDelta) => number,
): Map<MetricDelta["measurement"], Record<Level, Buckets>> {
  const all = new Map<MetricDelta["measurement"], Record<Level, Buckets>>();
  for (const delta of deltas) {
    let buckets = all.get(delta.measurement);
    if (!buckets) {
      buckets = { "1m": new Map(), "1h": new Map() };
      all.set(delta.measurement, buckets);
    }
    const series = seriesOf(delta);
    addTo(buckets["1m"], delta, series, delta.bucketMs);
    addTo(buckets["1h"], delta, series, Math.floor(delta.bucketMs / HOUR_MS) * HOUR_MS);
  }
  return all;
}

function addTo(buckets: Buckets, delta: MetricDelta, series: number, bucketMs: number): void {
  let bucket = buckets.get(bucketMs);
  if (!bucket) {
    bucket = new Map();
    buckets.set(bucketMs, bucket);
  }
  const found = bucket.get(series);
  if (found) {
    addValues(found, delta);
    return;
  }
  const { tags, values } = delta;
  const lastMs = values.map((value) => (Number.isNaN(value) ? 0 : delta.bucketMs));
  bucket.set(series, { tags, series, bucketMs, values: [...values], lastMs });
}

function addValues(into: Merged, { measurement, values, bucketMs }: MetricDelta): void {
  const sums = MEASUREMENTS[measurement].sums.length;
  for (let index = 0; index < into.values.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (index < sums) into.values[index] = (into.values[index] ?? 0) + value;
    else if (!Number.isNaN(value) && bucketMs >= (into.lastMs[index] ?? 0)) {
      into.values[index] = value;
      into.lastMs[index] = bucketMs;
    }
  }
}
