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
  /** What the hours alone say, as a logit at the base rate: so many times that of the trees that see nothing else, and what is added. */
  hours: { factor: number; bias: number };
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
  /** Parts of a campaign's probability by typology, in the order of LEARNED_TYPOLOGIES. */
  typologies: number[];
}

/** What one vector scores. */
export interface RowScore {
  logit: number;
  value: number;
  /** Parts of the value, in the order of SCORED_TYPOLOGIES. */
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

/**
 * Part of campaigns that are believed to be of a kind which nobody has described: as many as of the others, for want of knowing better.
 */
const UNSEEN_PART = 0.5;

/** Logit by the hours alone, where the trees that see nothing else say `hours`. */
export const hoursLogit = ({ hours: { factor, bias } }: Fusion, hours: number): number =>
  factor * hours + bias;

/** Odds, as a logit, of a campaign of either kind: one that looks like those that were learned, or one of which the hours tell. */
export function eitherLogit(known: number, byHours: number): number {
  const most = Math.max(known, byHours);
  const [one, other] = [(1 - UNSEEN_PART) * Math.exp(known - most), UNSEEN_PART * Math.exp(byHours - most)];
  return most + Math.log(one + other);
}

/** Part of those odds that the hours alone have. */
export const unseenPart = (known: number, byHours: number): number => sigmoid(unseenOdds(known, byHours));

const unseenOdds = (known: number, byHours: number): number =>
  byHours - known + Math.log(UNSEEN_PART / (1 - UNSEEN_PART));

/** Logits of both kinds: of those that were learned, and by the hours. */
export type Odds = [known: number, byHours: number];

/** The mean of that part on the straight way between two points: what the hours' move counts for in the move of the whole, exactly. */
export function unseenBetween(start: Odds, end: Odds): number {
  const [from, to] = [unseenOdds(...start), unseenOdds(...end)];
  if (Math.abs(to - from) < 1e-6) return sigmoid(from);
  return (softplus(to) - softplus(from)) / (to - from);
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * Divides the value among the learned typologies, in the order of LEARNED_TYPOLOGIES; the sanctioned place keeps its part.
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
