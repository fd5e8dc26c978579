import { HOUR_MS, MEASUREMENTS, type MeasurementName, type MetricRow, MINUTE_MS } from "#core/metrics.ts";
import type { Store } from "#core/store.ts";

/** Ten buckets of each series are held at once at most: 200,000 rows at the bound of 20,000 series of accounts. */
const STEP_MS = { "1m": 10 * MINUTE_MS, "1h": 10 * HOUR_MS };

/** Rows written at once at least: a measurement of a quiet pool has one in ten minutes, and a write is a round trip. */
const LEAST_ROWS = 5_000;

/**
 * Copies what `from` holds of [fromMs, toMs), all measurements and both levels. Rows are absolute, so copying twice is
 * copying once, and a bucket that both have becomes that of `from`.
 */
export async function copyMetrics(
  from: Pick<Store, "query">,
  to: Pick<Store, "write">,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<void> {
  let waiting: MetricRow[] = [];
  for (const measurement of Object.keys(MEASUREMENTS) as MeasurementName[]) {
    const by = MEASUREMENTS[measurement].tags;
    for (const level of ["1m", "1h"] as const) {
      // An hour that began before the range belongs to it with its minutes.
      for (let at = fromMs - (fromMs % HOUR_MS); at < toMs; at += STEP_MS[level]) {
        const rows = await from.query({
          measurement,
          level,
          fromMs: at,
          toMs: Math.min(at + STEP_MS[level], toMs),
          by,
        });
        waiting = waiting.concat(rows);
        if (waiting.length < LEAST_ROWS) continue;
        await to.write(waiting);
        waiting = [];
      }
    }
  }
  if (waiting.length > 0) await to.write(waiting);
}
