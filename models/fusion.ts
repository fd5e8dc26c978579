import { FEATURES } from "#core/features.ts";
import { CLASSES } from "./network.ts";

/** What the parts of a model say of a vector, before they are fused. */
export interface Heads {
  /** The typology head's campaign logit. */
  campaign: number;
  /** The monotone head's logit. */
  risk: number;
  /** Rebuilding error in units of an honest account's median. */
  novelty: number;
  /** The boosted trees' logit. */
  forest: number;
}

/** How the heads become one number: a logistic regression on held-out worlds, at the stated base rate. */
export interface Fusion {
  /** Factors, none negative, on the heads; on novelty's logarithm. */
  campaign: number;
  risk: number;
  novelty: number;
  forest: number;
  bias: number;
  /** Median rebuilding error of honest accounts: the unit of novelty. */
  noveltyUnit: number;
  /** Campaigns per account that the value is calibrated for. */
  baseRate: number;
  /** What stands for the network's answer where it is not asked: for rows that the trees leave early. */
  left: Left;
}

/** What the network says, on average, of rows that the trees leave early. */
export interface Left {
  campaign: number;
  risk: number;
  novelty: number;
  /** Parts of a campaign's probability by typology, in the order of SCORED_TYPOLOGIES. */
  typologies: number[];
}

/** What one vector scores. */
export interface RowScore {
  logit: number;
  value: number;
  typologies: Float32Array;
  novelty: number;
}

/** Novelty beyond this is cut before its logarithm is taken, below as well: one wild feature must not decide. */
export const NOVELTY_CUT = 50;

/** Campaign logit of the class logits: log of the campaigns' part over the honest part. */
export function campaignLogit(logits: Float32Array, at: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 1; index < CLASSES.length; index += 1)
    largest = Math.max(largest, logits[at + index] as number);
  let sum = 0;
  for (let index = 1; index < CLASSES.length; index += 1)
    sum += Math.exp((logits[at + index] as number) - largest);
  return largest + Math.log(sum) - (logits[at] as number);
}

/** Mean square rebuilding error over the present features of an encoded row. */
export function rebuildingError(
  encoded: Float32Array,
  encodedAt: number,
  rebuilt: Float32Array,
  at: number,
): number {
  let error = 0;
  let present = 0;
  for (let column = 0; column < FEATURES.length; column += 1) {
    if (encoded[encodedAt + FEATURES.length + column] === 0) continue;
    present += 1;
    error += ((rebuilt[at + column] as number) - (encoded[encodedAt + column] as number)) ** 2;
  }
  return present > 0 ? error / present : 0;
}

/** The fused logit. */
export function fuse(fusion: Fusion, { campaign, risk, novelty, forest }: Heads): number {
  return (
    fusion.campaign * campaign +
    fusion.risk * risk +
    fusion.novelty * Math.log(boundNovelty(novelty)) +
    fusion.forest * forest +
    fusion.bias
  );
}

/** Novelty as it enters the fusion. */
export function boundNovelty(novelty: number): number {
  return Math.min(NOVELTY_CUT, Math.max(1 / NOVELTY_CUT, novelty));
}

/** The score of a row that the trees have left early, with `forest` for their answer: the network is not asked. */
export function scoreLeft(fusion: Fusion, forest: number): RowScore {
  const { left } = fusion;
  const logit = fuse(fusion, { ...left, forest });
  const value = sigmoid(logit);
  return {
    logit,
    value,
    typologies: Float32Array.from(left.typologies, (part) => value * part),
    novelty: left.novelty,
  };
}

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * Divides the value among the typologies, in the order of SCORED_TYPOLOGIES; the sanctioned place keeps its part.
 * `campaign` is the campaign logit of the same class logits.
 */
export function writeTypologyParts(
  logits: Float32Array,
  at: number,
  campaign: number,
  value: number,
  into: Float32Array,
  intoAt: number,
): void {
  const all = campaign + (logits[at] as number);
  for (let index = 0; index < CLASSES.length - 2; index += 1)
    into[intoAt + index] = value * Math.exp((logits[at + 1 + index] as number) - all);
}
