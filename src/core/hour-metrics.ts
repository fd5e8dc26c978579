import { type Exceedance, type ExtremeOptions, Extremes } from "#core/extremes.ts";
import { HOUR_MS } from "#core/metrics.ts";

/** Metrics of an hour that are no counts: least round trips of TCP and of the application, and stale shares among all. */
export const HOUR_METRICS = ["rttMs", "appRttMs", "staleRatio"] as const;
export type HourMetric = (typeof HOUR_METRICS)[number];

/** A metric that became extreme, in the hour that begins at `atMs`. */
export interface ExtremeHour extends Exceedance {
  metric: HourMetric;
  atMs: number;
}

/**
 * One hour in a thousand, after a week of hours with the metric and a day to compare with; measured 1.5 to 1.7 in a
 * thousand. A smaller risk would need more hours to learn from than accounts have.
 */
export const HOURLY: ExtremeOptions = { risk: 1e-3, warmUp: 168, level: 0.9, peaks: 100, depth: 24 };
/** Shares below which an hour's part of stale ones says nothing. */
const LEAST_SHARES = 30;
/** Extreme hours in a row after which they are the new level, and are learned as that. */
const NEW_LEVEL_HOURS = 24;

interface Stream {
  extremes: Extremes;
  /** Extreme hours in a row. */
  run: number;
}

const begin = (): Stream => ({ extremes: new Extremes(HOURLY), run: 0 });

/**
 * The running hour of an account's metrics, and what is extreme for each. An hour counts when it is over; what comes
 * late for it is left out. Hours in which a metric was not measured are missing, not 0.
 */
export class HourMetrics {
  readonly #streams = HOUR_METRICS.map(begin);
  readonly #least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  #fromMs = Number.NEGATIVE_INFINITY;
  #shares = 0;
  #stale = 0;

  /** Whether `atMs` lies behind the running hour. Ask before anything of it is noted, and `close` the hour. */
  over(atMs: number): boolean {
    return atMs >= this.#fromMs + HOUR_MS;
  }

  /** Ends the running hour and begins that of `atMs`. Tells each metric that has just become extreme, once a run of hours. */
  close(atMs: number): ExtremeHour[] {
    const found: ExtremeHour[] = [];
    const values = [...this.#least, this.#shares < LEAST_SHARES ? Number.NaN : this.#stale / this.#shares];
    for (const [index, metric] of HOUR_METRICS.entries()) {
      const value = values[index] as number;
      if (!Number.isFinite(value)) continue;
      const stream = this.#streams[index] as Stream;
      const exceedance = stream.extremes.take(value);
      stream.run = exceedance ? stream.run + 1 : 0;
      if (exceedance && stream.run === 1) found.push({ metric, atMs: this.#fromMs, ...exceedance });
      if (stream.run >= NEW_LEVEL_HOURS) this.#streams[index] = begin();
    }
    this.#least.fill(Number.POSITIVE_INFINITY);
    this.#shares = 0;
    this.#stale = 0;
    this.#fromMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    return found;
  }

  /** Counts a share that was accepted or stale. */
  share(stale: boolean, atMs: number): void {
    if (atMs < this.#fromMs) return;
    this.#shares += 1;
    if (stale) this.#stale += 1;
  }

  /** Notes the round trips of a session, where they were measured. */
  trips(rttMs: number | undefined, appRttMs: number | undefined, atMs: number): void {
    if (atMs < this.#fromMs) return;
    for (const [index, value] of [rttMs, appRttMs].entries())
      if (value !== undefined && value < (this.#least[index] as number)) this.#least[index] = value;
  }
}
