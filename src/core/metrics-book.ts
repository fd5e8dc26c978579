import type { ExtremeHour } from "#core/hour-metrics.ts";
import { MEASUREMENTS, type MeasurementName, type MetricDelta, MINUTE_MS } from "#core/metrics.ts";
import type { Origin } from "#core/origin.ts";
import { SILENCE_LOG2 } from "#core/rate-changes.ts";

/** Names the watched network an address stands in. */
export type NetworkOf = (origin: Origin) => string | undefined;

/** A bucket the book may still add to. */
export interface Bucket extends MetricDelta {
  open: boolean;
}

/** An account with its own series. */
interface Named {
  pool: string;
  account: string;
}

/** One that remembers its bucket. */
interface Series extends Named {
  bucket: Bucket | undefined;
}

/** A source that remembers the bucket its last share counted in. */
interface Remembering {
  origin: Origin;
  bucket: Bucket | undefined;
  /** The same for the series of its account. */
  accountBucket: Bucket | undefined;
  network: string | undefined;
}

/** Gathers what metrics gained since they were last taken. Bounded by the series of the minutes in between. */
export class MetricsBook {
  #deltas = new Map<string, Bucket>();
  /** The bucket of the last share of each pool and algorithm: nearly every share falls into it. */
  readonly #running = new Map<string, Bucket>();
  readonly #networkOf: NetworkOf;

  constructor(networkOf: NetworkOf = () => undefined) {
    this.#networkOf = networkOf;
  }

  /** The bucket of a series at an instant, made empty where it is missing. Sums start at 0, lasts at NaN. */
  bucket(measurement: MeasurementName, tags: readonly string[], atMs: number): Bucket {
    const bucketMs = atMs - (atMs % MINUTE_MS);
    const key = `${measurement}\n${bucketMs}\n${tags.join("\n")}`;
    let delta = this.#deltas.get(key);
    if (!delta) {
      const { sums, lasts } = MEASUREMENTS[measurement];
      const values = [...sums.map(() => 0), ...lasts.map(() => Number.NaN)];
      delta = { measurement, tags, bucketMs, values, open: true };
      this.#deltas.set(key, delta);
    }
    return delta;
  }

  /** Counts one share. `column` of `hashrate`: 0 accepted (with its work), 2 stale, 3 otherwise rejected. Hot path. */
  share(share: { pool: string; algorithm: string; atMs: number }, column: 0 | 2 | 3, work: number): void {
    let running = this.#running.get(share.pool);
    if (!running?.open || !holds(running, share.atMs) || running.tags[1] !== share.algorithm) {
      running = this.bucket("hashrate", [share.pool, share.algorithm], share.atMs);
      this.#running.set(share.pool, running);
    }
    const { values } = running;
    (values[column] as number) += 1;
    if (column === 0) (values[1] as number) += work;
  }

  /** Counts an accepted share where it came from. Hot path: the source remembers its bucket. */
  origin(share: { pool: string; atMs: number }, work: number, source: Remembering): void {
    let bucket = source.bucket;
    // Without a bucket its origin is new: the only time at which its network can be another.
    if (bucket === undefined) source.network = this.#networkOf(source.origin);
    if (!bucket?.open || !holds(bucket, share.atMs)) {
      const { country, kind, tier } = source.origin;
      bucket = this.bucket("origin", [share.pool, country, kind, tier], share.atMs);
      source.bucket = bucket;
    }
    add(bucket, work);
    // Few shares come from a watched network: no bucket is remembered for it.
    if (source.network !== undefined) add(this.bucket("network", [source.network], share.atMs), work);
  }

  /** Counts an accepted share of an account that has its own series. Hot path: account and source remember their buckets. */
  account(state: Series, work: number, source: Remembering | undefined, atMs: number): void {
    let own = state.bucket;
    if (!own?.open || !holds(own, atMs)) {
      own = this.bucket("account_hashrate", [state.pool, state.account], atMs);
      state.bucket = own;
    }
    add(own, work);
    if (!source) return;
    let there = source.accountBucket;
    if (!there?.open || !holds(there, atMs)) {
      const { country, tier } = source.origin;
      there = this.bucket("account_origin", [state.pool, state.account, country, tier], atMs);
      source.accountBucket = there;
    }
    add(there, work);
  }

  /** Notes the round trips of a watched account's session. */
  latency(
    { pool, account }: Named,
    trips: { rttMs?: number | undefined; appRttMs?: number | undefined },
    atMs: number,
  ): void {
    const { values } = this.bucket("account_latency", [pool, account], atMs);
    (values[0] as number) += 1;
    if (trips.rttMs !== undefined) values[1] = trips.rttMs;
    if (trips.appRttMs !== undefined) values[2] = trips.appRttMs;
  }

  /** Notes a change point of a watched account. */
  change({ pool, account }: Named, change: { atMs: number; log2Ratio: number }): void {
    const { values } = this.bucket("account_change", [pool, account], change.atMs);
    (values[0] as number) += 1;
    values[1] = 2 ** change.log2Ratio;
  }

  /** Notes a change point of one of a watched account's workers. */
  workerChange({ pool, account }: Named, change: { atMs: number; log2Ratio: number }): void {
    const { values } = this.bucket("account_worker_change", [pool, account], change.atMs);
    (values[0] as number) += 1;
    if (change.log2Ratio <= -SILENCE_LOG2) (values[1] as number) += 1;
    values[2] = 2 ** change.log2Ratio;
  }

  /** Notes an hour in which one of a watched account's metrics became extreme. */
  extreme({ pool, account }: Named, { metric, atMs, value, threshold }: ExtremeHour): void {
    const { values } = this.bucket("account_extreme", [pool, account, metric], atMs);
    (values[0] as number) += 1;
    values[1] = value;
    values[2] = threshold;
  }

  /** Notes a job a pool handed out. */
  job({
    pool,
    clean,
    height,
    atMs,
  }: {
    pool: string;
    clean: boolean;
    height?: number | undefined;
    atMs: number;
  }): void {
    const { values } = this.bucket("job", [pool], atMs);
    (values[0] as number) += 1;
    if (clean) (values[1] as number) += 1;
    if (height !== undefined) values[3] = height;
  }

  /** All gathered deltas; the book is empty afterwards, and whoever remembers a bucket sees that it is closed. */
  take(): MetricDelta[] {
    const deltas = [...this.#deltas.values()];
    for (const delta of deltas) delta.open = false;
    this.#deltas = new Map();
    return deltas.map(({ open: _, ...delta }) => delta);
  }
}

function add({ values }: Bucket, work: number): void {
  (values[0] as number) += 1;
  (values[1] as number) += work;
}

function holds(delta: MetricDelta, atMs: number): boolean {
  return atMs >= delta.bucketMs && atMs < delta.bucketMs + MINUTE_MS;
}
