import type { Dataset } from "./dataset.ts";

/** Care levels, as the simulator names them. */
export const CARES = ["blatant", "middle", "careful"] as const;

/** Scores of a data set's rows brought to what is judged: honest account-days, and campaigns. */
export interface Judged {
  /** Highest score of each honest account and day. */
  clean: Float64Array;
  /** Highest score of each campaign over all its accounts and days, with what it is. */
  campaigns: {
    name: string;
    typology: string;
    care: string;
    machines: number;
    score: number;
    atMs: number;
  }[];
}

const DAY_MS = 86_400_000;

/** Folds rows into honest account-days and campaigns. Campaigns whose accounts were never seen count as missed. */
export function judge(set: Dataset, scores: ArrayLike<number>): Judged {
  const clean = new Map<number, number>();
  const campaigns = new Map<string, Judged["campaigns"][number]>();
  for (const [index, { campaign, typology, care, machines }] of set.truth.entries()) {
    if (campaign === null || typology === null || care === null) continue;
    const name = `${campaign}/${set.worldOf[index]}`;
    if (!campaigns.has(name))
      campaigns.set(name, { name, typology, care, machines, score: Number.NEGATIVE_INFINITY, atMs: 0 });
  }
  for (let row = 0; row < set.count; row += 1) {
    const owner = set.owner[row] as number;
    const score = scores[row] as number;
    const { campaign } = set.truth[owner] as Dataset["truth"][number];
    if (campaign === null) {
      const key = owner * 100_000 + Math.floor((set.atMs[row] as number) / DAY_MS);
      clean.set(key, Math.max(clean.get(key) ?? Number.NEGATIVE_INFINITY, score));
      continue;
    }
    const found = campaigns.get(`${campaign}/${set.worldOf[owner]}`);
    if (found && score > found.score) {
      found.score = score;
      found.atMs = set.atMs[row] as number;
    }
  }
  return { clean: Float64Array.from(clean.values()).sort(), campaigns: [...campaigns.values()] };
}

/** The score that so many of the honest account-days exceed; `clean` ascending. */
export function thresholdAt(clean: Float64Array, rate: number): number {
  const above = Math.floor(rate * clean.length);
  return clean[Math.max(0, clean.length - 1 - above)] ?? Number.POSITIVE_INFINITY;
}

/** Part of campaigns above a threshold; NaN without campaigns. */
export function recallAt(campaigns: Judged["campaigns"], threshold: number): number {
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
