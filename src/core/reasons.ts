import type { AccountState } from "#core/account-state.ts";
import { type Change, changesOf, SILENCE_LOG2 } from "#core/changes.ts";
import { FEATURE_INDEX } from "#core/features.ts";
import type { Evidence, Family, Reason } from "#core/flag.ts";
import type { Links } from "#core/linkage.ts";
import type { Contribution } from "#core/model.ts";

/** What a rule reads: features by name (NaN where missing), and what lies behind them. */
export interface Facts {
  feature: (name: string) => number;
  state: AccountState;
  links: Links;
  changes: readonly Change[];
}

/** One rule: when it speaks, what it says, what it stands on. Values are features' own units (often log10 of 1 + n). */
interface Rule {
  code: string;
  family: Family;
  /** Linkage only: the family of what is shared. Linkage and what it links count as one. */
  links?: Family;
  features: readonly string[];
  speaks: (facts: Facts) => boolean;
  text: (facts: Facts) => string;
  evidence?: (facts: Facts) => Evidence[];
}

const percent = (value: number): string => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
const countOf = (log: number): number => Math.round(10 ** log - 1);
/** A fall to nothing and the return have no ratio: they are named, not numbered. */
const largest = (log2: number): string =>
  log2 >= SILENCE_LOG2
    ? "some of them to silence and back"
    : `the largest by a factor of ${(2 ** log2).toFixed(1)}`;
const milliseconds = (log: number): string => `${(10 ** log - 1).toFixed(0)} ms`;

/** Sources behind a statement about where work comes from: at most eight, the busiest first. */
function sourcesWhere({ state }: Facts, wanted: (kind: string, tier: string) => boolean): Evidence[] {
  return state.sources
    .filter(({ origin }) => wanted(origin.kind, origin.tier))
    .sort((a, b) => b.work - a.work)
    .map(({ origin, agent, shares, firstMs, lastMs }) => ({
      type: "source",
      ip: origin.ip,
      country: origin.country,
      kind: origin.kind,
      agent,
      shares,
      from: new Date(firstMs).toISOString(),
      to: new Date(lastMs).toISOString(),
    }));
}

const partners = ({ links }: Facts): Evidence[] =>
  links.partners.map(({ pool, account }) => ({ type: "account", pool, account }));

const changeEvidence = ({ changes }: Facts): Evidence[] =>
  changes.map(({ atMs, log2Ratio, logLikelihoodRatio }) => ({
    type: "change",
    at: new Date(atMs).toISOString(),
    ratio: 2 ** log2Ratio,
    logLikelihoodRatio,
  }));

/**
 * The rules, in the order their reasons are shown. A reason is what a human can check; the model's score says how
 * likely all of it together is. Thresholds: hidden leg after CalcuLatency (USENIX Security 2024), the rest chosen so
 * that a reason alone is unusual and not yet remarkable.
 */
export const RULES: readonly Rule[] = [
  {
    code: "ORIGIN_COMPREHENSIVE",
    family: "origin",
    features: ["origin.comprehensive"],
    speaks: ({ feature }) => feature("origin.comprehensive") > 0.001,
    text: ({ feature }) =>
      `${percent(feature("origin.comprehensive"))} of the day's work came from places under comprehensive sanctions.`,
    evidence: (facts) => sourcesWhere(facts, (_, tier) => tier === "comprehensive"),
  },
  {
    code: "ORIGIN_WATCH",
    family: "origin",
    features: ["origin.watch", "origin.watchCountries"],
    speaks: ({ feature }) => feature("origin.watch") >= 0.5 || feature("origin.watchCountries") >= 2,
    text: ({ feature }) =>
      `${percent(feature("origin.watch"))} of the week's work came from places where overseas bases are reported, ${feature("origin.watchCountries")} of them among the recent sources.`,
    evidence: (facts) => sourcesWhere(facts, (_, tier) => tier === "watch"),
  },
  {
    code: "ORIGIN_HIDDEN",
    family: "origin",
    features: ["origin.hidden", "origin.hosting"],
    speaks: ({ feature }) => feature("origin.hidden") >= 0.2,
    text: ({ feature }) =>
      `${percent(feature("origin.hidden"))} of the day's work came through VPN, Tor or relay networks.`,
    evidence: (facts) => sourcesWhere(facts, (kind) => kind === "vpn" || kind === "tor" || kind === "relay"),
  },
  {
    code: "ORIGIN_ROTATION",
    family: "origin",
    features: ["origin.newSources", "origin.countries", "origin.entropy"],
    speaks: ({ feature }) => countOf(feature("origin.newSources")) >= 5 || feature("origin.countries") >= 4,
    text: ({ feature }) =>
      `${countOf(feature("origin.newSources"))} addresses were new within the day; the recent sources stand in ${feature("origin.countries")} countries.`,
    evidence: (facts) => sourcesWhere(facts, () => true),
  },
  {
    code: "ORIGIN_SATELLITE",
    family: "origin",
    features: ["origin.satellite"],
    speaks: ({ feature }) => feature("origin.satellite") >= 0.1,
    text: ({ feature }) =>
      `${percent(feature("origin.satellite"))} of the day's work came from satellite networks.`,
    evidence: (facts) => sourcesWhere(facts, (kind) => kind === "satellite"),
  },
  {
    code: "LATENCY_HIDDEN_LEG",
    family: "latency",
    features: ["latency.hiddenLeg", "latency.hiddenShare", "latency.app", "latency.tcp"],
    speaks: ({ feature }) =>
      10 ** feature("latency.hiddenLeg") - 1 >= 20 && feature("latency.hiddenShare") >= 0.5,
    text: ({ feature }) =>
      `The miner answers ${milliseconds(feature("latency.app"))} away while its address is ${milliseconds(feature("latency.tcp"))} away: a leg of at least ${milliseconds(feature("latency.hiddenLeg"))} lies behind the visible address.`,
  },
  {
    code: "HASHRATE_ONSET",
    family: "hashrate",
    features: ["hashrate.onset"],
    speaks: ({ feature }) => countOf(feature("hashrate.onset")) >= 24,
    text: ({ feature }) =>
      `Activity started in a step after ${countOf(feature("hashrate.onset"))} hours of silence.`,
    evidence: changeEvidence,
  },
  {
    code: "HASHRATE_STEPS",
    family: "hashrate",
    features: ["hashrate.changesUp", "hashrate.changesDown", "hashrate.largestChange", "hashrate.evidence"],
    speaks: ({ feature }) =>
      countOf(feature("hashrate.changesUp")) + countOf(feature("hashrate.changesDown")) >= 4 &&
      feature("hashrate.largestChange") >= 1,
    text: ({ feature }) =>
      `${countOf(feature("hashrate.changesUp"))} rises and ${countOf(feature("hashrate.changesDown"))} falls within the week, ${largest(feature("hashrate.largestChange"))}.`,
    evidence: changeEvidence,
  },
  {
    code: "FLEET_MANY_BEHIND_ONE",
    family: "fleet",
    features: ["fleet.workersPerAddress", "fleet.proxyAgent"],
    speaks: ({ feature }) =>
      feature("fleet.workersPerAddress") >= 4 ||
      (feature("fleet.proxyAgent") >= 0.5 && feature("fleet.workersPerAddress") >= 2),
    text: ({ feature }) =>
      `About ${(2 ** feature("fleet.workersPerAddress")).toFixed(0)} workers stand behind each address.`,
    evidence: (facts) => sourcesWhere(facts, () => true),
  },
  {
    code: "FLEET_MANY_SMALL",
    family: "fleet",
    features: ["fleet.addresses", "fleet.machineRate", "fleet.workers"],
    speaks: ({ feature }) =>
      countOf(feature("fleet.addresses")) >= 25 && feature("fleet.workersPerAddress") <= 1,
    text: ({ feature }) =>
      `${countOf(feature("fleet.addresses"))} addresses with about one machine each, ${(10 ** feature("fleet.machineRate")).toExponential(1)} H/s a machine.`,
    evidence: (facts) => sourcesWhere(facts, () => true),
  },
  {
    code: "FLEET_RENTAL",
    family: "fleet",
    features: ["fleet.rentalAgent"],
    speaks: ({ feature }) => feature("fleet.rentalAgent") >= 0.5,
    text: ({ feature }) =>
      `${percent(feature("fleet.rentalAgent"))} of the day's work was done by agents of hashrate rental markets.`,
    evidence: (facts) => sourcesWhere(facts, () => true),
  },
  {
    code: "OPERATOR_HOURS",
    family: "operator",
    features: ["operator.pyongyangHours", "operator.localHours", "operator.concentration"],
    speaks: ({ feature }) =>
      feature("operator.pyongyangHours") >= 0.7 &&
      countOf(feature("operator.actions")) >= 4 &&
      !(feature("operator.localHours") >= feature("operator.pyongyangHours")),
    text: ({ feature }) =>
      `${percent(feature("operator.pyongyangHours"))} of about ${countOf(feature("operator.actions"))} operator actions fell within office hours at UTC+9, more than within those of the main country.`,
  },
  {
    code: "PAYOUT_NEAR_THRESHOLD",
    family: "payout",
    features: ["payout.nearThreshold"],
    speaks: ({ feature }) =>
      feature("payout.nearThreshold") >= 0.5 && countOf(feature("payout.payments")) >= 2,
    text: ({ feature }) =>
      `${percent(feature("payout.nearThreshold"))} of about ${countOf(feature("payout.payments"))} payouts stood at 80 to 99 % of a reporting threshold.`,
  },
  {
    code: "PAYOUT_ADDRESS_CHANGES",
    family: "payout",
    features: ["payout.addressChanges"],
    speaks: ({ feature }) => 10 ** feature("payout.addressChanges") - 1 >= 1.5,
    text: ({ feature }) =>
      `The payout address changed about ${countOf(feature("payout.addressChanges"))} times within the week.`,
  },
  {
    code: "LINKAGE_SPLIT",
    family: "linkage",
    links: "hashrate",
    features: ["linkage.split"],
    speaks: ({ feature }) => feature("linkage.split") >= 0.5,
    text: () =>
      "Together with a linked account it does the same work in a steady ratio between 80:20 and 90:10.",
    evidence: partners,
  },
  {
    code: "LINKAGE_PAYOUT",
    family: "linkage",
    links: "payout",
    features: ["linkage.payout"],
    speaks: ({ feature }) => countOf(feature("linkage.payout")) >= 1,
    text: ({ feature }) =>
      `${countOf(feature("linkage.payout"))} other accounts are paid to the same address.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_NETWORK",
    family: "linkage",
    links: "origin",
    features: ["linkage.network"],
    speaks: ({ feature }) => countOf(feature("linkage.network")) >= 1,
    text: ({ feature }) =>
      `${countOf(feature("linkage.network"))} other accounts mine from the same rare network.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_TEMPLATE",
    family: "linkage",
    links: "fleet",
    features: ["linkage.template"],
    speaks: ({ feature }) => countOf(feature("linkage.template")) >= 1,
    text: ({ feature }) =>
      `${countOf(feature("linkage.template"))} other accounts use the same rare pair of agent and worker-name template.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_COINCIDENCE",
    family: "linkage",
    links: "hashrate",
    features: ["linkage.coincidence"],
    speaks: ({ feature }) => countOf(feature("linkage.coincidence")) >= 3,
    text: ({ feature }) =>
      `${countOf(feature("linkage.coincidence"))} change points fell within ten minutes of a linked account's.`,
    evidence: partners,
  },
  {
    code: "ROUTE_SYNCHRONY",
    family: "route",
    features: ["route.coincidence"],
    speaks: ({ feature }) => feature("route.coincidence") >= 3,
    text: ({ feature }) =>
      `Its falls and returns coincide with route events of a watched network; by chance with p = ${(10 ** -feature("route.coincidence")).toExponential(1)}.`,
    evidence: changeEvidence,
  },
];

/** The reasons that speak for an account's window, heaviest first. `contributions` may be empty: weights are then equal. */
export function reasonsFor(
  state: AccountState,
  row: Float32Array,
  links: Links,
  contributions: readonly Contribution[],
): Reason[] {
  const feature = (name: string): number => row[FEATURE_INDEX.get(name) as number] as number;
  const facts: Facts = { feature, state, links, changes: changesOf(state) };
  const carried = new Map(
    contributions.map(({ feature: name, contribution }) => [name, Math.max(0, contribution)]),
  );
  const total = [...carried.values()].reduce((sum, value) => sum + value, 0);
  const speaking = RULES.filter((rule) => rule.speaks(facts));
  return speaking
    .map(({ code, family, features, text, evidence }) => {
      const weight =
        total > 0
          ? features.reduce((sum, name) => sum + (carried.get(name) ?? 0), 0) / total
          : 1 / speaking.length;
      return { code, family, text: text(facts), weight, evidence: evidence?.(facts) ?? [] };
    })
    .sort((a, b) => b.weight - a.weight);
}

/** Families that agree independently: what linkage links counts as that family, not as a second one. */
export function independentFamilies(reasons: readonly Reason[]): number {
  const families = new Set<Family>();
  for (const { code, family } of reasons) {
    families.add(family === "linkage" ? (RULES.find((rule) => rule.code === code)?.links ?? family) : family);
  }
  return families.size;
}
