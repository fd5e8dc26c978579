import { LINKAGE_RULES } from "#core/linkage-rules.ts";
import {
  changeEvidence,
  countOf,
  HOURS_NATS,
  largest,
  likelier,
  milliseconds,
  percent,
  type Rule,
  sourcesWhere,
  times,
} from "#core/rule.ts";

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
    code: "LATENCY_LONG_LEGS",
    family: "latency",
    features: ["latency.longLegs", "latency.leg"],
    speaks: ({ feature }) => feature("latency.longLegs") >= 0.5,
    text: ({ feature }) =>
      `In ${percent(feature("latency.longLegs"))} of the day's sessions a leg of 20 ms or more, half of the way at least, lay behind the visible address.`,
  },
  {
    code: "HASHRATE_ONSET",
    family: "hashrate",
    features: ["hashrate.onset", "hashrate.returnRatio"],
    speaks: ({ feature }) => countOf(feature("hashrate.onset")) >= 24,
    text: ({ feature }) =>
      `Activity came back after ${countOf(feature("hashrate.onset"))} hours of silence${times(feature("hashrate.returnRatio"))}.`,
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
    features: [
      "operator.hoursEvidence",
      "operator.pyongyangHours",
      "operator.localHours",
      "operator.concentration",
      "operator.phaseCos",
      "operator.phaseSin",
    ],
    speaks: ({ feature }) =>
      feature("operator.hoursEvidence") >= HOURS_NATS && countOf(feature("operator.actions")) >= 4,
    text: ({ feature }) =>
      `${percent(feature("operator.pyongyangHours"))} of about ${countOf(feature("operator.actions"))} operator actions fell within office hours at UTC+9: about ${likelier(feature("operator.hoursEvidence"))} times as likely as for an owner by the visible country's clock.`,
  },
  {
    code: "OPERATOR_RESTARTS",
    family: "operator",
    features: ["operator.restartEvidence", "operator.restarts"],
    speaks: ({ feature }) => feature("operator.restartEvidence") >= HOURS_NATS,
    text: ({ feature }) =>
      `The hours of its restarts, about ${countOf(feature("operator.restarts"))} of them somebody's, are about ${likelier(feature("operator.restartEvidence"))} times as likely for office hours at UTC+9 as for an owner by the visible country's clock.`,
  },
  {
    code: "PAYOUT_NEAR_THRESHOLD",
    family: "payout",
    features: ["payout.nearThreshold"],
    speaks: ({ feature }) =>
      feature("payout.nearThreshold") >= 0.5 && countOf(feature("payout.payments")) >= 2,
    text: ({ feature }) =>
      `${percent(feature("payout.nearThreshold"))} of about ${countOf(feature("payout.payments"))} payouts stood at 80 to 99 % of a reporting threshold: 1,000, 3,000 or 10,000 US dollars.`,
  },
  {
    code: "PAYOUT_ADDRESS_CHANGES",
    family: "payout",
    features: ["payout.addressChanges"],
    speaks: ({ feature }) => 10 ** feature("payout.addressChanges") - 1 >= 1.5,
    text: ({ feature }) =>
      `The payout address changed about ${countOf(feature("payout.addressChanges"))} times within the week.`,
  },
  ...LINKAGE_RULES,
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
