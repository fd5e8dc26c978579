import type { Family, Reason } from "#core/flag.ts";
import { TYPOLOGIES } from "#core/typologies.ts";
import type { FlagDetail } from "./client.ts";
import { percent } from "./format.ts";

/** The console's sentences about flags. Everything is "consistent with": nobody is accused by a page. */

/** A typology's name for a chip: `overseas-base` as "Overseas base". */
export function typologyName(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * What a typology means, to follow "consistent with": as this build knows it, as the flag's reasons describe it, or, where
 * neither does, by its name.
 */
export const typologySentence = (name: string, reasons: readonly Reason[] = []): string =>
  TYPOLOGIES.find((typology) => typology.name === name)?.about ??
  describedAs(name, reasons) ??
  typologyName(name).toLowerCase();

/** What a typology of the operator's own means, where a reason says so. */
export function describedAs(name: string, reasons: readonly Reason[]): string | undefined {
  const sign = reasons
    .flatMap(({ evidence }) => evidence)
    .find((each) => each.type === "sign" && each.typology === name);
  return typeof sign?.about === "string" ? sign.about : undefined;
}

export const TYPOLOGY_NAMES: readonly string[] = TYPOLOGIES.map(({ name }) => name);

export const FAMILY_WORDS: Record<Family, [name: string, asks: string]> = {
  origin: ["Origin", "where sessions come from"],
  latency: ["Latency", "whether the distance fits the place"],
  hashrate: ["Hashrate", "how it changes"],
  fleet: ["Fleet", "what machines, and how many behind one address"],
  operator: ["Operator", "when a human acts, and how"],
  payout: ["Payout", "where the money goes"],
  linkage: ["Linkage", "what accounts share"],
  route: ["Route", "whether a network's outages are the account's"],
};

/** Words of estimative probability as ICD 203 sets them (2015, section D.6.e.2). */
export function likelihood(score: number): string {
  if (score >= 0.95) return "almost certain";
  if (score >= 0.8) return "very likely";
  if (score >= 0.55) return "likely";
  if (score >= 0.45) return "about even";
  if (score >= 0.2) return "unlikely";
  return "very unlikely";
}

/**
 * How much stands behind a likelihood, apart from the likelihood: agreeing families, hours observed, and how much of the
 * work has an origin. Each adds a point; none of them is taken from the score.
 */
export function confidence({ flag, evidence }: Pick<FlagDetail, "flag" | "evidence">): {
  level: "low" | "moderate" | "high";
  grounds: string[];
} {
  const hours = evidence.sharesPerHour.filter((shares) => shares > 0).length;
  const work = evidence.sources.reduce((sum, source) => sum + source.work, 0);
  const dark = evidence.sources.filter((source) => source.country === "ZZ" || source.country === "");
  const unknown = work > 0 ? dark.reduce((sum, source) => sum + source.work, 0) / work : 1;
  const families = flag.families.length;
  const points =
    (families >= 3 ? 1 : 0) + (families >= 4 ? 1 : 0) + (hours >= 72 ? 1 : 0) + (unknown < 0.1 ? 1 : 0);
  return {
    level: points >= 4 ? "high" : points >= 2 ? "moderate" : "low",
    grounds: [
      `${families} independent ${families === 1 ? "family" : "families"} of evidence`,
      `${hours} of ${evidence.sharesPerHour.length} hours with shares`,
      work > 0 ? `origin unknown for ${percent(unknown)} of the work` : "no work observed",
    ],
  };
}

export const OUTCOME_WORDS = {
  confirm: ["Confirm", "The evidence holds: the account deserves action."],
  useful: ["Useful", "Worth the look, but not enough to act on."],
  "false-positive": ["False positive", "There is an innocent explanation; say which."],
} as const;

export const TIER_WORDS: Record<string, string> = {
  comprehensive: "Comprehensive sanctions",
  watch: "Watched",
  none: "No sanctions",
  unknown: "Unknown",
};

/** For tables, where the legend beside them says the rest. */
export const TIER_SHORT: Record<string, string> = {
  ...TIER_WORDS,
  comprehensive: "Comprehensive",
  none: "None",
};

/** Metrics of an hour that are no counts. */
export const METRIC_WORDS = {
  rttMs: "TCP round trip",
  appRttMs: "application round trip",
  staleRatio: "stale shares",
} as const;

const ACTIONS: Record<string, string> = {
  "flag.opened": "raised the flag",
  "flag.reopened": "raised the flag again",
  "flag.updated": "brought the flag up to date",
  "flag.state": "changed the state",
  "model.reference": "had a pool's reference taken anew",
  "verdict.confirm": "confirmed the flag",
  "verdict.useful": "called the flag useful",
  "verdict.false-positive": "called the flag a false positive",
};
/** An audit action in words; one this build does not know as it is written. */
export const actionWords = (action: string): string => ACTIONS[action] ?? action;
