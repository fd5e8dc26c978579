import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  HOUR_MS,
  MEASUREMENTS,
  type Measurement,
  type MetricQuery,
  type MetricRow,
  MINUTE_MS,
} from "#core/metrics.ts";
import { column } from "./metrics-tables.ts";

/** The calls of the reading thread, whose database is open for reading only. */
export type MetricsReaderCalls = ReturnType<typeof metricsReaderCalls>;

/** A long question must not hold up a checkpoint, nor a checkpoint the console: questions have a thread of their own. */
export const metricsReaderCalls = (db: DatabaseSync) => ({
  query: (query: MetricQuery): MetricRow[] => queryMetrics(db, query),
});

/** Below this share of all series, a query seeks each bucket of each series; above, it reads the whole range. */
const SEEK_SHARE = 1 / 8;

/**
 * Answers a query: sums are summed and last values maximised over the tags not asked for; a row's tags are those of
 * `by`, in its order. Names are looked up in MEASUREMENTS, all values are bound.
 */
export function queryMetrics(db: DatabaseSync, query: MetricQuery): MetricRow[] {
  const { measurement: name, level, by = [], where = {} } = query;
  const measurement: Measurement | undefined = MEASUREMENTS[name];
  if (!measurement) throw new Error(`no measurement named ${name}`);
  const filters = Object.entries(where).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const tag of [...by, ...filters.map(([tag]) => tag)]) {
    if (!measurement.tags.includes(tag)) throw new Error(`${name} has no tag named ${tag}`);
  }
  const table = `${name}_${level}`;
  const widthMs = level === "1m" ? MINUTE_MS : HOUR_MS;
  // Each on its own is read off the key; asked for together, SQLite would read the whole table.
  const bounds = db
    .prepare(`SELECT (SELECT min(ts) FROM ${table}) AS first, (SELECT max(ts) FROM ${table}) AS last`)
    .get();
  if (typeof bounds?.first !== "number" || typeof bounds.last !== "number") return [];
  const fromMs = Math.max(Math.ceil(query.fromMs / widthMs) * widthMs, bounds.first);
  const toMs = Math.min(query.toMs, bounds.last + 1);
  if (!(fromMs < toMs)) return [];

  const { sums, lasts } = measurement;
  const matching = filters.map(([tag]) => `s.${column(tag)} = ?`).join(" AND ");
  const wanted: SQLInputValue[] = filters.map(([, value]) => value);
  const groups = by.map((tag) => `s.${column(tag)}`);
  const fields = [
    ...sums.map((sum) => `sum(d.${column(sum)})`),
    ...lasts.map((last) => `max(d.${column(last)})`),
  ];
  const select = `SELECT d.ts, ${[...groups, ...fields].join(", ")}`;
  const end = `GROUP BY ${["d.ts", ...groups].join(", ")} ORDER BY ${["d.ts", ...groups].join(", ")}`;
  const seek = filters.length > 0 && isSelective(db, name, matching, wanted);
  // CROSS JOIN fixes the order of the loops: the primary key starts with the bucket.
  const statement = seek
    ? db.prepare(`WITH RECURSIVE bucket (ts) AS (
          SELECT CAST(? AS INTEGER) UNION ALL SELECT ts + ${widthMs} FROM bucket WHERE ts + ${widthMs} < ?)
        ${select} FROM bucket b CROSS JOIN ${name}_series s CROSS JOIN ${table} d ON d.ts = b.ts AND d.series = s.id
        WHERE ${matching} ${end}`)
    : db.prepare(`${select} FROM ${table} d CROSS JOIN ${name}_series s ON s.id = d.series
        WHERE d.ts >= ? AND d.ts < ?${matching && ` AND ${matching}`} ${end}`);
  statement.setReturnArrays(true);
  const rows = statement.all(fromMs, toMs, ...wanted) as unknown as (string | number | null)[][];
  return rows.map((row) => ({
    measurement: name,
    level,
    bucketMs: Number(row[0]),
    tags: row.slice(1, 1 + by.length).map(String),
    values: row.slice(1 + by.length).map((value) => (value === null ? Number.NaN : Number(value))),
  }));
}

function isSelective(db: DatabaseSync, name: string, matching: string, wanted: SQLInputValue[]): boolean {
  const count = (filter: string, values: SQLInputValue[]) =>
    Number(db.prepare(`SELECT count(*) AS n FROM ${name}_series s ${filter}`).get(...values)?.n);
  return count(`WHERE ${matching}`, wanted) <= count("", []) * SEEK_SHARE;
}
