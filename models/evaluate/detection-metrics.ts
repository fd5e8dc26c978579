import type { Dataset } from "./dataset.ts";

/** Care levels, as the simulator names them. */
export const CARES = ["blatant", "middle", "careful"] as const;

/** A campaign as it is judged: its best score over all accounts and windows. */
export interface CampaignScore {
  name: string;
  typology: string;
  care: string;
  machines: number;
  world: number;
  score: number;
  /** When and how its accounts scored, in order of time. */
  windows: [atMs: number, score: number][];
}

/** Scores of a data set's rows brought to what is judged: honest account-days, and campaigns. */
export interface Judged {
  /** Highest score of each honest account and day, ascending. */
  clean: Float64Array;
  /**
   * Highest score of each honest account in thirty days after thirty days, ascending: one flag stays open for it, however many
   * days it scores, and once that is answered nobody is asked again for thirty.
   */
  flaggable: Float64Array;
  /** Campaigns that were never seen have a score of minus infinity: they count as missed. */
  campaigns: CampaignScore[];
}

const DAY_MS = 86_400_000;
/** Days for which an answered flag is not asked about again: what the queue does (src/store/ops-flags.ts). */
const ANSWERED_DAYS = 30;

/** Folds rows into honest account-days and campaigns. */
export function judge(set: Dataset, scores: ArrayLike<number>): Judged {
  const clean = new Map<number, number>();
  const flaggable = new Map<number, number>();
  const firstMs = new Map<number, number>();
  for (let row = 0; row < set.count; row += 1) {
    const owner = set.owner[row] as number;
    firstMs.set(owner, Math.min(firstMs.get(owner) ?? Number.POSITIVE_INFINITY, set.atMs[row] as number));
  }
  const campaigns = new Map<string, CampaignScore>();
  const nameOf = (owner: number): string => `${set.truth[owner]?.campaign}/${set.worldOf[owner]}`;
  for (const [index, { campaign, typology, care, machines }] of set.truth.entries()) {
    if (campaign === null || typology === null || care === null) continue;
    const name = nameOf(index);
    if (campaigns.has(name)) continue;
    const world = set.worldOf[index] as number;
    const score = Number.NEGATIVE_INFINITY;
    campaigns.set(name, { name, typology, care, machines, world, score, windows: [] });
  }
  for (let row = 0; row < set.count; row += 1) {
    const owner = set.owner[row] as number;
    const score = scores[row] as number;
    const atMs = set.atMs[row] as number;
    const found = set.truth[owner]?.campaign === null ? undefined : campaigns.get(nameOf(owner));
    if (found) {
      found.score = Math.max(found.score, score);
      found.windows.push([atMs, score]);
    } else {
      const key = owner * 100_000 + Math.floor(atMs / DAY_MS);
      clean.set(key, Math.max(clean.get(key) ?? Number.NEGATIVE_INFINITY, score));
      const days = Math.floor((atMs - (firstMs.get(owner) as number)) / DAY_MS);
      const flag = owner * 1000 + Math.floor(days / ANSWERED_DAYS);
      flaggable.set(flag, Math.max(flaggable.get(flag) ?? Number.NEGATIVE_INFINITY, score));
    }
  }
  for (const { windows } of campaigns.values()) windows.sort((left, right) => left[0] - right[0]);
  return {
    clean: Float64Array.from(clean.values()).sort(),
    flaggable: Float64Array.from(flaggable.values()).sort(),
    campaigns: [...campaigns.values()],
  };
}

/** The score that so many of the honest account-days exceed; `clean` ascending. */
export function thresholdAt(clean: Float64Array, rate: number): number {
  const above = Math.floor(rate * clean.length);
  return clean[Math.max(0, clean.length - 1 - above)] ?? Number.POSITIVE_INFINITY;
}

/**
 * The score at which honest accounts open so many flags an account-day: an account opens one, what it scores while
 * that is open brings it up to date, and for thirty days after it was opened none is opened again. This is what a queue receives.
 */
export function thresholdForFlags({ clean, flaggable }: Judged, rate: number): number {
  const flags = Math.floor(rate * clean.length);
  return flaggable[Math.max(0, flaggable.length - 1 - flags)] ?? Number.POSITIVE_INFINITY;
}

/** Part of campaigns above a threshold; NaN without campaigns. */
export function recallAt(campaigns: readonly CampaignScore[], threshold: number): number {
  if (campaigns.length === 0) return Number.NaN;
  return campaigns.filter(({ score }) => score > threshold).length / campaigns.length;
}

/** Recall by care and by typology at a false-positive rate per account-day. */
export function recallTable(judged: Judged, rate: number): Record<string, number> {
  const threshold = thresholdAt(judged.clean, rate);
  const table: Record<string, number> = { all: recallAt(judged.campaigns, threshold) };
  for (const care of CARES)
    table[care] = recallAt(
      judged.campaigns.filter((one) => one.care === care),
      threshold,
    );
  for (const typology of new Set(judged.campaigns.map((one) => one.typology)))
    table[typology] = recallAt(
      judged.campaigns.filter((one) => one.typology === typology),
      threshold,
    );
  return table;
}

/**
 * Calibration error over bins of equal weighted count of positives and negatives alike (adaptive bins): mean over
 * bins of |mean value − part positive|, weighted by the bins.
 */
export function calibrationError(
  values: ArrayLike<number>,
  positive: ArrayLike<number>,
  weight: ArrayLike<number>,
  bins = 20,
): number {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index).sort(
    (left, right) => (values[left] as number) - (values[right] as number) || left - right,
  );
  let total = 0;
  for (let row = 0; row < values.length; row += 1) total += weight[row] as number;
  let error = 0;
  let at = 0;
  for (let bin = 1; bin <= bins; bin += 1) {
    const until = bin === bins ? order.length : Math.floor((bin * order.length) / bins);
    let claimed = 0;
    let found = 0;
    for (; at < until; at += 1) {
      const row = order[at] as number;
      claimed += (weight[row] as number) * (values[row] as number);
      if (positive[row] === 1) found += weight[row] as number;
    }
    error += Math.abs(claimed - found) / total;
  }
  return error;
}

/** Precision against recall over campaigns, honest account-days weighted to the base rate; at most 200 points. */
export function precisionRecall({ clean, campaigns }: Judged, baseRate: number): [number, number][] {
  const scores = campaigns.map(({ score }) => score).sort((left, right) => right - left);
  const points: [number, number][] = [];
  const every = Math.max(1, Math.floor(scores.length / 200));
  for (let index = every - 1; index < scores.length; index += every) {
    const threshold = scores[index] as number;
    const recall = (index + 1) / scores.length;
    let above = 0;
    while (above < clean.length && (clean[clean.length - 1 - above] as number) >= threshold) above += 1;
    const hits = recall * baseRate;
    points.push([recall, hits / (hits + ((1 - baseRate) * above) / clean.length)]);
  }
  return points;
}

/** Calibration of calibrated values at the base rate: adaptive error, Brier score, and a point for each bin. */
export function calibrationBins(
  set: Dataset,
  values: ArrayLike<number>,
  baseRate: number,
): { error: number; brier: number; points: [number, number][] } {
  const positive = Uint8Array.from(set.owner, (owner) => (set.truth[owner]?.campaign ? 1 : 0));
  const campaigns = positive.reduce((sum, one) => sum + one, 0);
  const weight = Float64Array.from(positive, (one) =>
    one === 1 ? baseRate / campaigns : (1 - baseRate) / (set.count - campaigns),
  );
  let brier = 0;
  for (let row = 0; row < set.count; row += 1)
    brier += (weight[row] as number) * ((values[row] as number) - (positive[row] as number)) ** 2;
  const order = Uint32Array.from({ length: set.count }, (_, index) => index).sort(
    (left, right) => (values[left] as number) - (values[right] as number) || left - right,
  );
  const points: [number, number][] = [];
  const bins = 30;
  for (let bin = 0; bin < bins; bin += 1) {
    let mass = 0;
    let claimed = 0;
    let found = 0;
    for (
      let at = Math.floor((bin * order.length) / bins);
      at < Math.floor(((bin + 1) * order.length) / bins);
      at += 1
    ) {
      const row = order[at] as number;
      mass += weight[row] as number;
      claimed += (weight[row] as number) * (values[row] as number);
      if (positive[row] === 1) found += weight[row] as number;
    }
    if (mass > 0) points.push([claimed / mass, found / mass]);
  }
  return { error: calibrationError(values, positive, weight), brier, points };
}
