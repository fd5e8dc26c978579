import { HOUR_MS, type MetricRow } from "#core/metrics.ts";
import { type MeasurementTables, parameters } from "./metrics-tables.ts";

/**
 * Puts the rows of those buckets and first tag values (a pool's, mostly) that have none, and adds up the hours of new
 * minutes again. Answers how many rows it put. Call it in a transaction, with all rows of a bucket at once.
 */
export function fill(
  rows: readonly MetricRow[],
  table: (name: string) => MeasurementTables,
  seriesOf: (measurement: MeasurementTables, tags: readonly string[]) => number,
): number {
  /** By measurement, level and bucket: who was there before. */
  const present = new Map<string, Set<unknown>>();
  const hours = new Map<string, { of: MeasurementTables; hourMs: number; owner: string }>();
  let taken = 0;
  for (const { measurement: name, level, bucketMs, tags, values } of rows) {
    const of = table(name);
    const bucket = `${name} ${level} ${bucketMs}`;
    let owners = present.get(bucket);
    if (!owners) {
      owners = new Set(of.levels[level].owners.all(bucketMs).map((row) => row.owner));
      present.set(bucket, owners);
    }
    const owner = tags[0] as string;
    if (owners.has(owner)) continue;
    const row = { bucketMs, series: seriesOf(of, tags), values, lastMs: bucketMs };
    of.levels[level].put.run(...parameters(of.measurement, row));
    taken += 1;
    if (level === "1h") continue;
    const hourMs = bucketMs - (bucketMs % HOUR_MS);
    hours.set(`${name} ${hourMs} ${owner}`, { of, hourMs, owner });
  }
  for (const { of, hourMs, owner } of hours.values()) {
    of.hour.drop.run(hourMs, owner);
    of.hour.sum.run(hourMs, hourMs, hourMs + HOUR_MS, owner);
  }
  return taken;
}
