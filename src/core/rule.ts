import type { AccountState } from "#core/account-state.ts";
import type { Evidence, Family } from "#core/flag.ts";
import type { Links } from "#core/linkage.ts";
import { type Change, SILENCE_LOG2 } from "#core/rate-changes.ts";

/** What a rule reads: features by name (NaN where missing), and what lies behind them. */
export interface Facts {
  feature: (name: string) => number;
  state: AccountState;
  links: Links;
  changes: readonly Change[];
}

/** One rule: when it speaks, what it says, what it stands on. Values are features' own units (often log10 of 1 + n). */
export interface Rule {
  code: string;
  family: Family;
  /** Linkage only: the family of what is shared. Linkage and what it links count as one. */
  links?: Family;
  features: readonly string[];
  speaks: (facts: Facts) => boolean;
  text: (facts: Facts) => string;
  evidence?: (facts: Facts) => Evidence[];
}

export const percent = (value: number): string => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
export const countOf = (log: number): number => Math.round(10 ** log - 1);
/** A fall to nothing and the return have no ratio: they are named, not numbered. */
export const largest = (log2: number): string =>
  log2 >= SILENCE_LOG2
    ? "some of them to silence and back"
    : `the largest by a factor of ${(2 ** log2).toFixed(1)}`;
/** How a rate compares with the one before, where both are known. */
export const times = (log2: number): string =>
  Number.isNaN(log2) ? "" : `, at ${(2 ** log2).toFixed(1)} times the rate before`;
export const milliseconds = (log: number): string => `${(10 ** log - 1).toFixed(0)} ms`;

/** Sources behind a statement about where work comes from: at most eight, the busiest first. */
export function sourcesWhere({ state }: Facts, wanted: (kind: string, tier: string) => boolean): Evidence[] {
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

export const partners = ({ links }: Facts): Evidence[] =>
  links.partners.map(({ pool, account }) => ({ type: "account", pool, account }));

export const changeEvidence = ({ changes }: Facts): Evidence[] =>
  changes.map(({ atMs, log2Ratio, logLikelihoodRatio }) => ({
    type: "change",
    at: new Date(atMs).toISOString(),
    ratio: 2 ** log2Ratio,
    logLikelihoodRatio,
  }));

/** Evidence, in nats, from which hours of actions are worth a word: one owner in twenty by chance. */
export const HOURS_NATS = 3;

/** The accounts of a cluster, for evidence. */
export const clusterMembers = ({ links }: Facts): Evidence[] =>
  (links.cluster?.members ?? []).map(({ pool, account }) => ({ type: "account", pool, account }));

/** How many times as likely a log-likelihood ratio makes something, in two digits. */
export const likelier = (nats: number): string =>
  Number(Math.exp(nats).toPrecision(2)).toLocaleString("en-US");

/** Where a cluster mines from, where that is of note. */
export const watched = (places: number): string =>
  places === 0
    ? ""
    : `; together they mine from ${places} ${places === 1 ? "place" : "places"} where overseas bases are reported`;
