import { z } from "zod";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";

/**
 * What honest accounts looked like where the model was calibrated: deciles of every feature, against which drift is
 * measured, and the scores that conformal p-values are ranked among.
 */
export const referenceSchema = z.strictObject({
  /**
   * Deciles of each feature's present values without repetition, the part of all rows in each bin between them, and
   * the part in which the feature is missing.
   */
  features: z
    .array(
      z.strictObject({
        cuts: z.array(z.number()).max(9),
        parts: z.array(z.number()),
        missing: z.number().min(0).max(1),
      }),
    )
    .length(FEATURES.length),
  /** Logits of honest accounts, one each, ascending, by stratum; a stratum with too few is answered by "all". */
  scores: z.record(z.string(), z.array(z.number())),
});
export type Reference = z.infer<typeof referenceSchema>;

/** A stratum with fewer accounts says too little about its tail. */
const LEAST = 200;
/** Population stability index from which one looks, and from which thresholds stop holding (the usual .1 and .25). */
export const DRIFT_WARN = 0.1;
export const DRIFT_STOP = 0.25;

const MACHINE_RATE = FEATURE_INDEX.get("fleet.machineRate") as number;
const SIZE = FEATURE_INDEX.get("hashrate.size") as number;
const AGE = FEATURE_INDEX.get("operator.age") as number;

/** Hardware class and age of an account: honest accounts of different strata are not exchangeable. */
export function stratumOf(rows: Float32Array, at: number): string {
  const start = at * FEATURES.length;
  const perWorker = rows[start + MACHINE_RATE] as number;
  const rate = Number.isNaN(perWorker) ? (rows[start + SIZE] as number) : perWorker;
  const hardware = rate < 6 ? "processor" : rate < 11.5 ? "card" : "asic";
  // Younger than a week: half of the week's memory is still empty.
  return `${hardware}/${(rows[start + AGE] as number) < Math.log10(169) ? "new" : "old"}`;
}

/** Makes the reference from honest rows. `logits` and `owner` go with them; the last row of each account is ranked. */
export function makeReference(
  rows: Float32Array,
  count: number,
  logits: ArrayLike<number>,
  owner: ArrayLike<number>,
): Reference {
  const width = FEATURES.length;
  const features = FEATURES.map((_, column) => {
    const present: number[] = [];
    for (let row = 0; row < count; row += 1) {
      const value = rows[row * width + column] as number;
      if (!Number.isNaN(value)) present.push(value);
    }
    present.sort((left, right) => left - right);
    const deciles = Array.from({ length: 9 }, (_unused, index) => {
      return present[Math.floor(((index + 1) * present.length) / 10)] ?? 0;
    });
    const cuts = [...new Set(deciles)];
    return { cuts, ...binned(cuts, rows, column, count) };
  });
  const last = new Map<number, number>();
  for (let row = 0; row < count; row += 1) last.set(owner[row] as number, row);
  const scores: Record<string, number[]> = { all: [] };
  for (const row of last.values()) {
    const score = Math.round((logits[row] as number) * 1e4) / 1e4;
    scores.all?.push(score);
    const stratum = stratumOf(rows, row);
    scores[stratum] ??= [];
    scores[stratum].push(score);
  }
  for (const list of Object.values(scores)) list.sort((left, right) => left - right);
  return { features, scores };
}

/**
 * Conformal p-value of a score among honest accounts of its stratum: (1 + number at least as high) / (n + 1) (Bates et
 * al., arXiv 2104.08279). Under exchangeability P(p ≤ α) ≤ α, whatever the score means.
 */
export function conformalP(reference: Reference, stratum: string, logit: number): number {
  const own = reference.scores[stratum] ?? [];
  const scores = own.length >= LEAST ? own : (reference.scores.all ?? []);
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scores[middle] as number) >= logit) high = middle;
    else low = middle + 1;
  }
  return (1 + scores.length - low) / (scores.length + 1);
}

/**
 * Population stability index of each feature against the reference: sum over ten bins and "missing" of
 * (a − b)·ln(a / b).
 */
export function drift(
  reference: Reference,
  rows: Float32Array,
  count: number,
): { feature: string; psi: number }[] {
  return FEATURES.map(({ name }, column) => {
    const { cuts, parts, missing } = reference.features[column] as Reference["features"][number];
    const found = binned(cuts, rows, column, count);
    const bins = parts.map((part, index) => [part, found.parts[index] as number] as const);
    const psi = [...bins, [missing, found.missing] as const].reduce(
      (sum, [a, b]) => sum + stability(a, b),
      0,
    );
    return { feature: name, psi };
  });
}

/** Part of rows in each bin (a value equal to a cut lies below it), and part in which the feature is missing. */
function binned(cuts: readonly number[], rows: Float32Array, column: number, count: number) {
  const counts = new Array<number>(cuts.length + 1).fill(0);
  let absent = 0;
  for (let row = 0; row < count; row += 1) {
    const value = rows[row * FEATURES.length + column] as number;
    if (Number.isNaN(value)) {
      absent += 1;
      continue;
    }
    let bin = 0;
    while (bin < cuts.length && value > (cuts[bin] as number)) bin += 1;
    (counts[bin] as number) += 1;
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
