import type { Family } from "#core/flag.ts";

/** One column of the feature vector. The registry below is also the source of docs/features.md. */
export interface Feature {
  /** Stable; `family.thing`. */
  name: string;
  family: Family;
  unit: "fraction" | "log10" | "log2" | "ratio" | "ms" | "hours" | "count" | "nats";
  /** Values are clamped to this range. */
  range: readonly [number, number];
  about: string;
  /** True where more of it never lowers the risk: the monotone head may use it. */
  risk: boolean;
}

const define = (
  name: string,
  unit: Feature["unit"],
  range: readonly [number, number],
  risk: boolean,
  about: string,
): Feature => ({ name, family: name.slice(0, name.indexOf(".")) as Family, unit, range, about, risk });

const FRACTION = [0, 1] as const;
const COUNT = [0, 6] as const;

/**
 * The feature vector, in order. "Day", "week" and "month" are exponentially weighted with time constants of 24, 168 and
 * 720 hours; everything is computed from the past alone. A feature that cannot be computed is missing (NaN), never 0.
 */
export const FEATURES: readonly Feature[] = [
  define(
    "origin.comprehensive",
    "fraction",
    FRACTION,
    true,
    "Day's work from places under comprehensive sanctions.",
  ),
  define(
    "origin.watch",
    "fraction",
    FRACTION,
    true,
    "Week's work from places where overseas bases are reported.",
  ),
  define(
    "origin.watchCountries",
    "count",
    [0, 8],
    true,
    "Such places with at least 2 % of the work of the recent sources.",
  ),
  define("origin.hosting", "fraction", FRACTION, false, "Day's work from hosting networks."),
  define("origin.hidden", "fraction", FRACTION, true, "Day's work from VPN, Tor and relay networks."),
  define("origin.satellite", "fraction", FRACTION, true, "Day's work from satellite networks."),
  define("origin.unknown", "fraction", FRACTION, false, "Day's work whose country is unknown."),
  define("origin.countries", "count", [0, 8], false, "Countries among the recent sources."),
  define(
    "origin.entropy",
    "ratio",
    [0, 3],
    false,
    "Entropy of the recent sources' countries, weighted by work, in bits.",
  ),
  define("origin.newSources", "log10", COUNT, true, "Addresses first seen within the day, 1 + n."),
  define("latency.tcp", "log10", [0, 4], false, "Least TCP round trip of two days, ms + 1."),
  define("latency.app", "log10", [0, 4], false, "Least application round trip of two days, ms + 1."),
  define(
    "latency.hiddenLeg",
    "log10",
    [0, 4],
    true,
    "Application less TCP round trip, ms + 1: a leg behind the visible address.",
  ),
  define(
    "latency.hiddenShare",
    "fraction",
    FRACTION,
    true,
    "The hidden leg as a part of the application round trip.",
  ),
  define("latency.leg", "log10", [0, 4], true, "Mean leg behind the address of the day's sessions, ms + 1."),
  define(
    "latency.longLegs",
    "fraction",
    FRACTION,
    true,
    "Day's sessions with a leg of at least 20 ms and half of the way.",
  ),
  define("hashrate.size", "log10", [0, 21], false, "Day's mean hashrate, H/s + 1."),
  define("hashrate.dayOverWeek", "log2", [-6, 6], false, "Day's rate over the week's."),
  define("hashrate.changesUp", "log10", [0, 3], false, "Upward change points of the week, 1 + n."),
  define("hashrate.changesDown", "log10", [0, 3], false, "Downward change points of the week, 1 + n."),
  define(
    "hashrate.largestChange",
    "log2",
    [0, 12],
    false,
    "Largest absolute log2 ratio among the recent change points.",
  ),
  define(
    "hashrate.evidence",
    "log10",
    [0, 6],
    false,
    "Log-likelihood ratio of the strongest recent change point, 1 + nats.",
  ),
  define(
    "hashrate.dispersion",
    "log10",
    [-1, 4],
    false,
    "Variance over mean of hourly shares; 0 is Poisson.",
  ),
  define(
    "hashrate.active",
    "fraction",
    FRACTION,
    false,
    "Hours of the week with any share, of those since first seen.",
  ),
  define(
    "hashrate.onset",
    "log10",
    [0, 3],
    true,
    "Hours of silence, a day at least, before the last return of three weeks, 1 + n.",
  ),
  define(
    "hashrate.returnRatio",
    "log2",
    [-8, 8],
    true,
    "Day's rate over the rate of an active hour before that silence.",
  ),
  define(
    "hashrate.profile",
    "ratio",
    [0, 1],
    false,
    "Amplitude of the daily profile: first harmonic over the mean.",
  ),
  define("hashrate.profilePhaseCos", "ratio", [-1, 1], false, "Cosine of the daily profile's phase in UTC."),
  define("hashrate.profilePhaseSin", "ratio", [-1, 1], false, "Sine of the daily profile's phase in UTC."),
  define("fleet.workers", "log10", COUNT, false, "Distinct workers of two days, 1 + n."),
  define("fleet.addresses", "log10", COUNT, false, "Distinct source addresses of two days, 1 + n."),
  define("fleet.workersPerAddress", "log2", [-8, 8], true, "Workers over addresses."),
  define("fleet.machineRate", "log10", [0, 18], false, "Hashrate per worker, H/s + 1."),
  define(
    "fleet.proxyAgent",
    "fraction",
    FRACTION,
    true,
    "Day's work through agents that gather many machines (proxies).",
  ),
  define("fleet.rentalAgent", "fraction", FRACTION, true, "Day's work by agents of hashrate rental markets."),
  define("fleet.agents", "log10", [0, 2], false, "Distinct agents of two days, 1 + n."),
  define("fleet.templates", "log10", [0, 2], false, "Distinct worker-name templates of two days, 1 + n."),
  define("fleet.stale", "fraction", FRACTION, false, "Day's shares that came too late."),
  define("fleet.rejected", "fraction", FRACTION, false, "Day's shares rejected for other reasons."),
  define("fleet.sessions", "log10", COUNT, false, "Connections opened within the day, 1 + n."),
  define(
    "operator.actions",
    "log10",
    COUNT,
    false,
    "Hours of the month in which somebody acted (set up a worker, agent or address), 1 + n.",
  ),
  define(
    "operator.pyongyangHours",
    "fraction",
    FRACTION,
    true,
    "Actions of the month within 09:00-18:00 at UTC+9.",
  ),
  define(
    "operator.localHours",
    "fraction",
    FRACTION,
    false,
    "Actions of the month within 09:00-18:00 at the longitude of the main country.",
  ),
  define(
    "operator.hoursEvidence",
    "nats",
    [-30, 30],
    true,
    "Log-likelihood ratio of the month's actions: Pyongyang's office hours against an owner's day.",
  ),
  define(
    "operator.concentration",
    "ratio",
    [0, 1],
    false,
    "How concentrated the hours of the actions are: resultant length on the clock.",
  ),
  define("operator.phaseCos", "ratio", [-1, 1], false, "Cosine of the actions' mean hour in UTC."),
  define("operator.phaseSin", "ratio", [-1, 1], false, "Sine of the actions' mean hour in UTC."),
  define("operator.age", "log10", [0, 4], false, "Hours since the account was first seen, + 1."),
  define("payout.payments", "log10", [0, 4], false, "Payouts of the month, 1 + n."),
  define(
    "payout.size",
    "log10",
    [0, 8],
    false,
    "Mean payout of the month, US dollars (mean of the logarithms).",
  ),
  define(
    "payout.spread",
    "log10",
    [0, 3],
    false,
    "Deviation of the month's payouts: of log10 of their worth in US dollars.",
  ),
  define(
    "payout.nearThreshold",
    "fraction",
    FRACTION,
    true,
    "Payouts of the month at 80 to 99 % of a reporting threshold.",
  ),
  define("payout.addressChanges", "log10", [0, 3], true, "Payout addresses changed within the week, 1 + n."),
  define(
    "linkage.network",
    "log10",
    [0, 4],
    true,
    "Other accounts on the same rare source network (/24 or /48), 1 + n.",
  ),
  define("linkage.payout", "log10", [0, 4], true, "Other accounts paid to the same address, 1 + n."),
  define(
    "linkage.template",
    "log10",
    [0, 4],
    true,
    "Other accounts with the same rare pair of agent and worker-name template, 1 + n.",
  ),
  define(
    "linkage.split",
    "fraction",
    [0, 1],
    true,
    "Closeness of a linked pair's work to a stable 80:20 to 90:10 split; 1 is inside and steady.",
  ),
  define(
    "linkage.together",
    "ratio",
    [0, 20],
    true,
    "Standard errors by which its hours move with, or against, a linked account's.",
  ),
  define(
    "linkage.succession",
    "fraction",
    FRACTION,
    true,
    "Closeness to a linked account that ended when it began, or began when it ended, at the same rate.",
  ),
  define(
    "linkage.coincidence",
    "log10",
    [0, 3],
    true,
    "Change points of the week within 10 minutes of a linked account's, 1 + n.",
  ),
  define("linkage.cluster", "log10", [0, 2], false, "Other accounts of its cluster, 1 + n."),
  define(
    "linkage.clusterPlaces",
    "count",
    [0, 8],
    true,
    "Places of the watch tier that the accounts of the cluster mine from.",
  ),
  define(
    "linkage.clusterHours",
    "nats",
    [-30, 30],
    true,
    "Evidence of Pyongyang's hours, summed over the cluster.",
  ),
  define(
    "linkage.clusterNearThreshold",
    "log10",
    [0, 3],
    true,
    "Payouts of the month near a reporting threshold, over the cluster, 1 + n.",
  ),
  define(
    "route.coincidence",
    "log10",
    [0, 12],
    true,
    "-log10 p that so many change points fell within 15 minutes of a watched network's route events by chance.",
  ),
];

/** Position of each feature in the vector. */
export const FEATURE_INDEX: ReadonlyMap<string, number> = new Map(
  FEATURES.map((feature, index) => [feature.name, index]),
);

/** Names the vector's layout: models trained on another are refused. FNV-1a over names, units and ranges. */
export const FEATURE_SCHEMA: string = (() => {
  let hash = 0x811c9dc5;
  for (const { name, unit, range } of FEATURES) {
    for (const character of `${name}|${unit}|${range.join("..")};`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    }
  }
  return `${FEATURES.length}-${hash.toString(16).padStart(8, "0")}`;
})();

/** Name → value, null where missing: for evidence and explanations. */
export function featureRecord(row: Float32Array): Record<string, number | null> {
  return Object.fromEntries(
    FEATURES.map(({ name }, index) => {
      const value = row[index] as number;
      return [name, Number.isNaN(value) ? null : value];
    }),
  );
}
