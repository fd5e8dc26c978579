import { z } from "zod";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Drifted } from "#core/flag.ts";
import { countBelow, countUpTo } from "./ranks.ts";

/**
 * Deciles of each feature's present values without repetition, the part of all rows in each bin between them, and
 * the part in which the feature is missing.
 */
export const featureBins = z
  .array(
    z.strictObject({
      cuts: z.array(z.number()).max(9),
      parts: z.array(z.number()),
      missing: z.number().min(0).max(1),
    }),
  )
  .length(FEATURES.length);
export type FeatureBins = z.infer<typeof featureBins>;

/**
 * What honest accounts looked like where the model was calibrated: deciles of every feature, against which the
 * distance of a pool is measured, and the scores that conformal p-values are ranked among.
 */
export const referenceSchema = z.strictObject({
  features: featureBins,
  /** Logits of honest accounts, one each, ascending, by stratum; where one has too few, a wider one answers. */
  scores: z.record(z.string(), z.array(z.number())),
});
export type Reference = z.infer<typeof referenceSchema>;

/** A reference was asked about, or made from, what is no number. */
export class ReferenceRefused extends Error {
  override name = "ReferenceRefused";
}

/** Fewer accounts say too little about a stratum's tail. */
const LEAST = 100;
/** Population stability index from which one looks, and from which thresholds stop holding (the usual .1 and .25). */
export const DRIFT_WARN = 0.1;
export const DRIFT_STOP = 0.25;

const MACHINE_RATE = FEATURE_INDEX.get("fleet.machineRate") as number;
const SIZE = FEATURE_INDEX.get("hashrate.size") as number;
const AGE = FEATURE_INDEX.get("operator.age") as number;

/** Younger than a week: half of the week's memory is still empty. After four, what people do has shown itself. */
const WEEK = Math.log10(1 + 7 * 24);
const FOUR_WEEKS = Math.log10(1 + 28 * 24);

/** Each is missing where a pool does not log what it is made of: names, programs, sessions, round trips, payouts. */
const LOGGED = ["fleet.workers", "fleet.proxyAgent", "fleet.sessions", "latency.tcp", "payout.payments"].map(
  (name) => FEATURE_INDEX.get(name) as number,
);

/** How much of an account is logged: pools that log the same are alike, others are not. */
function logsOf(rows: Float32Array, start: number): string {
  const absent = LOGGED.reduce((sum, column) => sum + (Number.isNaN(rows[start + column]) ? 1 : 0), 0);
  return absent === 0 ? "whole" : absent < 3 ? "part" : "little";
}

/** What is logged of an account, its age and hardware class: honest accounts of different strata are not exchangeable. */
export function stratumOf(rows: Float32Array, at: number): string {
  const start = at * FEATURES.length;
  const perWorker = rows[start + MACHINE_RATE] as number;
  const rate = Number.isNaN(perWorker) ? (rows[start + SIZE] as number) : perWorker;
  const hardware = rate < 6 ? "processor" : rate < 11.5 ? "card" : "asic";
  const age = rows[start + AGE] as number;
  return `${logsOf(rows, start)}/${age < WEEK ? "new" : age < FOUR_WEEKS ? "old" : "settled"}/${hardware}`;
}

/** A stratum and the wider ones it is part of, the narrowest first: of whatever hardware, of whatever age too, all. */
function within(stratum: string): string[] {
  const parts = stratum.split("/");
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join("/")), "all"];
}

/** Width of a soft edge, as a part of the feature's range. */
const SOFT = 1 / 40;
const edgeOf = ({ range }: (typeof FEATURES)[number]): number => (range[1] - range[0]) * SOFT;

/**
 * Deciles and parts of each feature over rows. Throws where a value is infinite. `soft`: cuts nearer than an edge's
 * width are one, and a value that near to a cut lies on both sides of it in parts. In a pool that pays all its
 * accounts at one hour they all hold nearly the same value; deciles would be hair's breadths that it leaves at once.
 */
export function binFeatures(
  rows: Float32Array,
  count: number,
  options: { soft?: boolean } = {},
): FeatureBins {
  return FEATURES.map((feature, column) => {
    const edge = options.soft ? edgeOf(feature) : 0;
    const present: number[] = [];
    for (let row = 0; row < count; row += 1) {
      const value = rows[row * FEATURES.length + column] as number;
      if (Number.isNaN(value)) continue;
      if (!Number.isFinite(value))
        throw new ReferenceRefused(`reference: row ${row} has an infinite "${feature.name}"`);
      present.push(value);
    }
    present.sort((left, right) => left - right);
    const cuts: number[] = [];
    for (let decile = 1; decile <= 9; decile += 1) {
      const cut = present[Math.floor((decile * present.length) / 10)] ?? 0;
      const last = cuts.at(-1);
      if (last === undefined || cut - last > edge) cuts.push(cut);
    }
    return { cuts, ...binned({ cuts, edge }, rows, column, count) };
  });
}

/** Makes the reference from honest rows. `logits` and `owner` go with them; the last row of each account is ranked. */
export function makeReference(
  rows: Float32Array,
  count: number,
  logits: ArrayLike<number>,
  owner: ArrayLike<number>,
): Reference {
  const features = binFeatures(rows, count);
  const last = new Map<number, number>();
  for (let row = 0; row < count; row += 1) last.set(owner[row] as number, row);
  const scores: Record<string, number[]> = {};
  for (const row of last.values()) {
    const score = Math.round((logits[row] as number) * 1e4) / 1e4;
    if (Number.isNaN(score)) throw new ReferenceRefused(`reference: the logit of row ${row} is NaN`);
    for (const one of within(stratumOf(rows, row))) {
      scores[one] ??= [];
      scores[one].push(score);
    }
  }
  for (const list of Object.values(scores)) list.sort((left, right) => left - right);
  return { features, scores };
}

/**
 * Conformal p-value of a score among honest accounts of its stratum: (1 + number at least as high) / (n + 1) (Bates et
 * al., arXiv 2104.08279). Under exchangeability P(p ≤ α) ≤ α, whatever the score means. Where many scores are equal (171 of
 * 1,200 settled accounts of which all is logged have one and the same) p is larger than that: with `tie` drawn from 0 to 1, equals are ranked by lot, and p is uniform (Vovk, Gammerman &
 * Shafer 2005, smoothed conformal prediction).
 */
export function conformalP(reference: Reference, stratum: string, logit: number, tie = 1): number {
  if (Number.isNaN(logit)) throw new ReferenceRefused("reference: a logit is NaN");
  const lists = within(stratum).map((one) => reference.scores[one] ?? []);
  const scores = lists.find(({ length }) => length >= LEAST) ?? lists.at(-1) ?? [];
  const above = scores.length - countUpTo(scores, logit);
  const equal = scores.length - above - countBelow(scores, logit);
  return (above + tie * (1 + equal)) / (scores.length + 1);
}

/** Conformal p-value of row `at`, from its value: the logit is taken in four digits, as references hold it. */
export function conformalOf(
  reference: Reference,
  rows: Float32Array,
  value: number,
  at = 0,
  tie = 1,
): number {
  const inside = Math.min(Math.max(value, 1e-30), 1 - 1e-7);
  const logit = Math.round(Math.log(inside / (1 - inside)) * 1e4) / 1e4;
  return conformalP(reference, stratumOf(rows, at), logit, tie);
}

/**
 * Population stability index of each feature against bins: sum over ten bins and "missing" of (a − b)·ln(a / b). NaN
 * where nothing can be compared. With `present`, only over the rows that have the feature: another pool collects
 * other things, which is no drift. `soft` where the bins are.
 */
export function drift(
  reference: Pick<Reference, "features">,
  rows: Float32Array,
  count: number,
  options: { present?: boolean; soft?: boolean } = {},
): Drifted[] {
  return FEATURES.map((feature, column) => {
    const { name } = feature;
    const { cuts, parts, missing } = reference.features[column] as FeatureBins[number];
    const found = binned({ cuts, edge: options.soft ? edgeOf(feature) : 0 }, rows, column, count);
    const [ours, theirs] = options.present ? [1 - missing, 1 - found.missing] : [1, 1];
    if (!(ours > 0 && theirs > 0)) return { feature: name, psi: Number.NaN };
    const bins = parts.map((part, index) => [part / ours, (found.parts[index] as number) / theirs] as const);
    if (!options.present) bins.push([missing, found.missing]);
    return { feature: name, psi: bins.reduce((sum, [a, b]) => sum + stability(a, b), 0) };
  });
}

/**
 * Part of rows in each bin (a value equal to a cut lies below it), and part in which the feature is missing. Across an
 * edge's width around a cut a value's part above it rises evenly from 0 to 1.
 */
function binned(
  { cuts, edge }: { cuts: readonly number[]; edge: number },
  rows: Float32Array,
  column: number,
  count: number,
) {
  const counts = new Array<number>(cuts.length + 1).fill(0);
  let absent = 0;
  for (let row = 0; row < count; row += 1) {
    const value = rows[row * FEATURES.length + column] as number;
    if (Number.isNaN(value)) {
      absent += 1;
      continue;
    }
    let left = 1;
    for (const [bin, cut] of cuts.entries()) {
      const above = edge > 0 ? Math.min(1, Math.max(0, (value - cut) / edge + 0.5)) : value > cut ? 1 : 0;
      (counts[bin] as number) += left - above;
      left = above;
      if (left === 0) break;
    }
    (counts[cuts.length] as number) += left;
  }
  const whole = Math.max(1, count);
  return { parts: counts.map((one) => one / whole), missing: absent / whole };
}

/** One bin's part; parts below a thousandth count as that, so that an empty bin is not infinite. */
function stability(expected: number, found: number): number {
  const a = Math.max(expected, 1e-3);
  const b = Math.max(found, 1e-3);
  return (b - a) * Math.log(b / a);
}
