import { DAY_MS, HOUR_MS, MEASUREMENTS, type MeasurementName, MINUTE_MS } from "#core/metrics.ts";
import type { Store } from "#core/store.ts";
import type { EmbeddedMetrics } from "./metrics-sqlite.ts";

/** Minutes given at once: 200,000 rows at the bound of 20,000 series of accounts. */
const STEP_MS = 10 * MINUTE_MS;

/** What is filled, and how far back each level is kept. */
export interface Span {
  fromMs: number;
  toMs: number;
  nowMs: number;
  rawDays: number;
  hourDays: number;
}

/**
 * Fills `to` with what `from` (a store of its own, written by a replay) holds of [fromMs, toMs). It fills and never
 * adds: doing it twice is doing it once, and what was counted live is not counted again. Minutes are filled minute by
 * minute; hours whose minutes are kept no longer are filled whole. Resolves to the rows taken.
 */
export async function backfill(
  from: Pick<Store, "query">,
  to: Pick<EmbeddedMetrics, "fill">,
  { fromMs, toMs, nowMs, rawDays, hourDays }: Span,
): Promise<number> {
  const keptMs = (days: number) => Math.ceil((nowMs - days * DAY_MS) / HOUR_MS) * HOUR_MS;
  const minutesFromMs = keptMs(rawDays);
  let taken = 0;
  for (const measurement of Object.keys(MEASUREMENTS) as MeasurementName[]) {
    const by = MEASUREMENTS[measurement].tags;
    const firstMs = Math.max(fromMs - (fromMs % HOUR_MS), keptMs(hourDays));
    for (let hourMs = firstMs; hourMs < toMs; hourMs += HOUR_MS) {
      const hour = { measurement, by, fromMs: hourMs, toMs: hourMs + HOUR_MS };
      const rows = await from.query({ ...hour, level: "1h" });
      if (rows.length === 0) continue;
      if (hourMs < minutesFromMs) {
        taken += await to.fill(rows);
        continue;
      }
      for (let atMs = hourMs; atMs < hourMs + HOUR_MS; atMs += STEP_MS) {
        const minutes = await from.query({ ...hour, level: "1m", fromMs: atMs, toMs: atMs + STEP_MS });
        if (minutes.length > 0) taken += await to.fill(minutes);
      }
    }
  }
  return taken;
}
