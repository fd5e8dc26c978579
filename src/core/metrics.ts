/**
 * The measurements Assay keeps, under one name in SQLite, InfluxDB, Grafana, the API and the console.
 * Every field is either a sum over its bucket or the last value in it, so deltas add up and late data corrects itself.
 */
export interface Measurement {
  tags: readonly string[];
  sums: readonly string[];
  lasts: readonly string[];
}

/** Never an IP, a job or a hash as a tag. `work` is in hashes; hashrate is work over the bucket's seconds. */
export const MEASUREMENTS = {
  hashrate: { tags: ["pool", "algorithm"], sums: ["shares", "work", "stale", "rejected"], lasts: [] },
  origin: { tags: ["pool", "country", "kind", "tier"], sums: ["shares", "work"], lasts: [] },
  /** Watched and top accounts only, at most 20,000 series. */
  account_hashrate: { tags: ["pool", "account"], sums: ["shares", "work"], lasts: [] },
  /** What stands on an account's page; the same accounts only. */
  account_origin: { tags: ["pool", "account", "country", "tier"], sums: ["shares", "work"], lasts: [] },
  /** Round trips of TCP and of the application; their difference is the leg behind a proxy. */
  account_latency: { tags: ["pool", "account"], sums: ["sessions"], lasts: ["rttMs", "appRttMs"] },
  account_change: { tags: ["pool", "account"], sums: ["changes"], lasts: ["ratio"] },
  /** Changes of single workers' hashrate, and how many of them were to silence; a flag's evidence names the workers. */
  account_worker_change: { tags: ["pool", "account"], sums: ["changes", "silences"], lasts: ["ratio"] },
  /** Hours in which a metric that is no count became extreme, with its value and what it exceeded. */
  account_extreme: { tags: ["pool", "account", "metric"], sums: ["hours"], lasts: ["value", "threshold"] },
  /** Accepted work from the addresses of watched networks, named as in `route`. */
  network: { tags: ["network"], sums: ["shares", "work"], lasts: [] },
  /** Pools observed: their templates, and those that came a minute or more after most other pools had settled on another block. */
  job: { tags: ["pool"], sums: ["jobs", "clean", "diverged"], lasts: ["height"] },
  flow: { tags: ["exporter", "country", "tier"], sums: ["flows", "bytes", "packets", "lost"], lasts: [] },
  route: { tags: ["network", "prefix"], sums: ["announcements", "withdrawals"], lasts: ["visiblePeers"] },
  score: { tags: ["pool"], sums: ["accounts", "scoreSum"], lasts: ["maximum"] },
  flag: {
    tags: ["pool", "kind", "severity"],
    /** `verdictMs`: from opening to verdict, summed over the verdicts. */
    sums: ["opened", "confirmed", "useful", "falsePositive", "verdictMs"],
    lasts: [],
  },
  collector: { tags: ["collector"], sums: ["observations", "refused", "unknownFields"], lasts: ["lagMs"] },
  delivery: { tags: ["destination"], sums: ["delivered", "failed", "dead"], lasts: [] },
  /** Whatever waits on disk for another part to come back. */
  spool: { tags: ["spool"], sums: ["dropped"], lasts: ["bytes"] },
  list: { tags: ["list"], sums: [], lasts: ["ageHours", "entries"] },
  /**
   * The worst of all pools. `psi`: population stability index of an input against the pool's own reference;
   * `training`: the same against the training pools; `conformal`: distance of conformal p-values from uniform.
   */
  drift: { tags: ["model"], sums: [], lasts: ["psi", "training", "conformal"] },
  /** A shadow beside the active model: accounts scored, and flags that both, or only one of them, would raise. */
  shadow: {
    tags: ["pool", "model"],
    sums: ["accounts", "both", "onlyActive", "onlyShadow"],
    lasts: ["rankCorrelation"],
  },
} as const satisfies Record<string, Measurement>;
export type MeasurementName = keyof typeof MEASUREMENTS;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** Roll-up levels computed in Assay. */
export type Level = "1m" | "1h";

/** What one bucket of one series gained. `values` follow the measurement's sums, then its lasts (NaN: no new last value). */
export interface MetricDelta {
  measurement: MeasurementName;
  /** Tag values in the measurement's own order. */
  tags: readonly string[];
  /** Start of the minute, milliseconds since the epoch. */
  bucketMs: number;
  values: number[];
}

/** One stored bucket, absolute. */
export interface MetricRow {
  measurement: MeasurementName;
  tags: readonly string[];
  level: Level;
  bucketMs: number;
  values: number[];
}

/**
 * A question to the metrics store: buckets of one measurement in [fromMs, toMs). Sums are summed, and last values
 * maximised, over the tags not in `by`; the rows' `tags` are those of `by`, in its order.
 */
export interface MetricQuery {
  measurement: MeasurementName;
  level: Level;
  fromMs: number;
  toMs: number;
  where?: Partial<Record<string, string>>;
  by?: readonly string[];
}
