import {
  HOUR_MS,
  type Level,
  MEASUREMENTS,
  type MeasurementName,
  type MetricRow,
  MINUTE_MS,
} from "../../src/core/metrics.ts";
import { HOSTILE_NAMES } from "../contract/store.ts";

const COUNTRIES =
  "RU KZ CN US CA DE NL FI SE NO IS PY BR AR VE IR KP GE AE OM ET NG ZA AU NZ JP KR SG ZZ".split(" ");
const KINDS = ["residential", "business", "hosting", "vpn", "unknown"];
const POOLS = ["main", "observed"];

/** Tag values of every measurement, as a pool of `accounts` watched and largest accounts has them. */
function tags(accounts: number): Record<MeasurementName, string[][]> {
  const names = [...HOSTILE_NAMES, ...Array.from({ length: accounts }, (_, index) => `bc1q${index}`)];
  const tier = (country: string) =>
    country === "KP" ? "comprehensive" : country === "IR" ? "watch" : "none";
  const origins = COUNTRIES.flatMap((country) => KINDS.map((kind) => ["main", country, kind, tier(country)]));
  const ofAccounts = names.map((name) => ["main", name]);
  const some = ofAccounts.slice(0, HOSTILE_NAMES.length + 50);
  return {
    hashrate: POOLS.map((pool) => [pool, "sha256d"]),
    origin: origins,
    account_hashrate: ofAccounts,
    account_origin: some.flatMap((account) => [
      [...account, "RU", "none"],
      [...account, "ZZ", "unknown"],
    ]),
    account_latency: some,
    account_change: some,
    account_worker_change: some,
    account_extreme: some.map((account) => [...account, "rttMs"]),
    network: [["KP-star"], ["IR-tic"]],
    job: POOLS.map((pool) => [pool]),
    flow: COUNTRIES.map((country) => ["10.0.0.1", country, tier(country)]),
    route: [
      ["KP-star", "175.45.176.0/24"],
      ["KP-star", "175.45.178.0/24"],
      ["IR-tic", "217.218.0.0/15"],
    ],
    score: [["main"]],
    flag: ["low", "high", "critical"].map((severity) => ["main", "anomaly", severity]),
    collector: [["tap"], ["ckpool"]],
    delivery: [["soc"]],
    spool: [["influx"], ["journal"]],
    list: [["ofac"], ["eu"]],
    drift: [["campaigns 1.0.0"]],
    shadow: POOLS.map((pool) => [pool, "consistency 2.0.0"]),
  };
}

/** Buckets of every measurement in [fromMs, toMs), hour by hour or minute by minute; the same numbers each time. */
export function* simulated(
  level: Level,
  fromMs: number,
  toMs: number,
  accounts: number,
): Generator<MetricRow[]> {
  const all = tags(accounts);
  const widthMs = level === "1m" ? MINUTE_MS : HOUR_MS;
  for (let bucketMs = Math.ceil(fromMs / widthMs) * widthMs; bucketMs < toMs; bucketMs += widthMs) {
    const rows: MetricRow[] = [];
    for (const measurement of Object.keys(MEASUREMENTS) as MeasurementName[]) {
      const { sums, lasts } = MEASUREMENTS[measurement];
      all[measurement].forEach((of, index) => {
        const values = Array.from(
          { length: sums.length + lasts.length },
          (_, at) => 1 + ((index * 7 + at * 3 + bucketMs / widthMs) % 11),
        );
        rows.push({ measurement, tags: of, level, bucketMs, values });
      });
    }
    yield rows;
  }
}
