import { MEASUREMENTS, type MeasurementName, type MetricDelta, MINUTE_MS } from "#core/metrics.ts";
import type { Origin } from "#core/origin.ts";

/** Buckets of one pool's running minute, held directly: nearly every share falls into them. Hot path. */
interface Minute {
  minute: number;
  hashrate: MetricDelta | undefined;
  origins: Map<Origin, MetricDelta>;
}

/** Gathers what metrics gained since they were last taken. Bounded by the series of the minutes in between. */
export class MetricsBook {
  #deltas = new Map<string, MetricDelta>();
  readonly #minutes = new Map<string, Minute>();

  /** The bucket of a series at an instant, made empty where it is missing. Sums start at 0, lasts at NaN. */
  bucket(measurement: MeasurementName, tags: readonly string[], atMs: number): MetricDelta {
    const bucketMs = atMs - (atMs % MINUTE_MS);
    const key = `${measurement}\n${bucketMs}\n${tags.join("\n")}`;
    let delta = this.#deltas.get(key);
    if (!delta) {
      const { sums, lasts } = MEASUREMENTS[measurement];
      const values = [...sums.map(() => 0), ...lasts.map(() => Number.NaN)];
      delta = { measurement, tags, bucketMs, values };
      this.#deltas.set(key, delta);
    }
    return delta;
  }

  /** Adds one share. `column` of `hashrate`: 0 accepted (with its work), 2 stale, 3 otherwise rejected. */
  share(
    share: { pool: string; algorithm: string; atMs: number },
    column: 0 | 2 | 3,
    work: number,
    origin: Origin | undefined,
  ): void {
    const minute = share.atMs - (share.atMs % MINUTE_MS);
    let current = this.#minutes.get(share.pool);
    if (!current) {
      current = { minute: -1, hashrate: undefined, origins: new Map() };
      this.#minutes.set(share.pool, current);
    }
    if (current.minute !== minute || !current.hashrate || current.hashrate.tags[1] !== share.algorithm) {
      current.minute = minute;
      current.hashrate = this.bucket("hashrate", [share.pool, share.algorithm], minute);
      current.origins.clear();
    }
    const values = current.hashrate.values;
    (values[column] as number) += 1;
    if (column !== 0) return;
    (values[1] as number) += work;
    if (!origin) return;
    let delta = current.origins.get(origin);
    if (!delta) {
      delta = this.bucket("origin", [share.pool, origin.country, origin.kind, origin.tier], minute);
      current.origins.set(origin, delta);
    }
    (delta.values[0] as number) += 1;
    (delta.values[1] as number) += work;
  }

  /** All gathered deltas; the book is empty afterwards. */
  take(): MetricDelta[] {
    const deltas = [...this.#deltas.values()];
    this.#deltas = new Map();
    for (const minute of this.#minutes.values()) {
      minute.hashrate = undefined;
      minute.origins.clear();
    }
    return deltas;
  }
}
