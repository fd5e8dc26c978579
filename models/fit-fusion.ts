import type { Fusion } from "./fusion.ts";
import { solve } from "./solve.ts";

/** Campaigns per account that values are calibrated for (DETECTION.md: how it is judged). */
export const BASE_RATE = 1e-4;

/** What the heads say of held-out rows, and whether each is a campaign's. */
export interface HeadRows {
  campaign: Float64Array;
  risk: Float64Array;
  /** Natural logarithm of novelty, bounded as in use. */
  novelty: Float64Array;
  forest: Float64Array;
  positive: Uint8Array;
  /** Weight of each row before the base rate is imposed: equal parts for every account, however long it is seen. */
  weight: Float64Array;
  /** 1 where all heads were asked, 0 where something stands for an answer. */
  asked: Uint8Array;
}

/** The heads. */
const HEADS = ["campaign", "risk", "novelty", "forest"] as const;
type Head = (typeof HEADS)[number];

/** The regression did not end in numbers. */
export class FusionFailed extends Error {
  override name = "FusionFailed";
}

/** Pull towards zero of each factor: keeps the regression finite where held-out rows separate. */
const RIDGE = 1e-4;

/**
 * Part of campaigns at which the heads' shares in the sum are learned. At the base rate a handful of honest rows, those
 * that one head happens to take for a campaign, would outweigh all else; here hundreds speak.
 */
const SHARING_RATE = 1e-2;

/**
 * Logistic regression of campaign on the heads, in two steps: how much each head counts beside the others, on the rows that all were
 * asked about, with campaigns one in a hundred; then how steeply their sum tells, and from where, at the base rate. Rows are re-weighted
 * to a rate, not re-sampled. Factors are never negative: Newton's method, and a head whose factor would be is left out and the rest
 * fitted again.
 */
export function fitFusion(rows: HeadRows, baseRate: number): Omit<Fusion, "hours" | "noveltyUnit" | "left"> {
  let active: readonly Head[] = HEADS;
  const told = <Values extends Float64Array | Uint8Array>(values: Values): Values =>
    values.filter((_, row) => rows.asked[row] === 1) as Values;
  for (;;) {
    const shares = newton(
      active.map((head) => told(rows[head])),
      { positive: told(rows.positive), weight: told(rows.weight) },
      Math.max(baseRate, SHARING_RATE),
    );
    const negative = active.filter((_, index) => (shares[index] as number) < 0);
    if (negative.length > 0) {
      active = active.filter((head) => !negative.includes(head));
      continue;
    }
    const sum = Float64Array.from(rows.positive, (_, row) =>
      active.reduce(
        (total, head, index) => total + (shares[index] as number) * (rows[head][row] as number),
        0,
      ),
    );
    const [steepness, bias] = newton([sum], rows, baseRate) as [number, number];
    if (!(steepness > 0)) throw new FusionFailed("fusion: the heads together do not tell campaigns");
    const at = (head: Head): number => {
      const index = active.indexOf(head);
      return index < 0 ? 0 : steepness * (shares[index] as number);
    };
    return {
      campaign: at("campaign"),
      risk: at("risk"),
      novelty: at("novelty"),
      forest: at("forest"),
      bias,
      baseRate,
    };
  }
}

/** How steeply one number tells campaigns at the base rate, and from where; not at all where it tells the contrary. */
export function fitSteepness(
  values: Float64Array,
  rows: Pick<HeadRows, "positive" | "weight">,
  baseRate: number,
): Fusion["hours"] {
  const [factor, bias] = newton([values], rows, baseRate) as [number, number];
  return factor > 0 ? { factor, bias } : { factor: 0, bias: Math.log(baseRate / (1 - baseRate)) };
}

/** Factors of the columns and, last, the bias. */
function newton(
  columns: readonly Float64Array[],
  rows: Pick<HeadRows, "positive" | "weight">,
  baseRate: number,
): number[] {
  const size = columns.length + 1;
  const factors = new Array<number>(size).fill(0);
  factors[size - 1] = Math.log(baseRate / (1 - baseRate));
  const weights = imposeBaseRate(rows, baseRate);
  for (let round = 0; round < 60; round += 1) {
    const gradient = new Array<number>(size).fill(0);
    const hessian = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    const point = new Array<number>(size).fill(1);
    for (let row = 0; row < rows.positive.length; row += 1) {
      let logit = factors[size - 1] as number;
      for (let column = 0; column < columns.length; column += 1) {
        point[column] = (columns[column] as Float64Array)[row] as number;
        logit += (factors[column] as number) * (point[column] as number);
      }
      const probability = 1 / (1 + Math.exp(-logit));
      const weight = weights[row] as number;
      const residual = weight * ((rows.positive[row] as number) - probability);
      const curvature = weight * probability * (1 - probability);
      for (let i = 0; i < size; i += 1) {
        (gradient[i] as number) += residual * (point[i] as number);
        for (let j = 0; j <= i; j += 1) {
          ((hessian[i] as number[])[j] as number) += curvature * (point[i] as number) * (point[j] as number);
        }
      }
    }
    // Weights sum to 1 with the campaigns' part near the base rate; ridge and damping are in that unit.
    for (let i = 0; i < size; i += 1) {
      if (i < size - 1) (gradient[i] as number) -= RIDGE * baseRate * (factors[i] as number);
      ((hessian[i] as number[])[i] as number) += RIDGE * baseRate;
      for (let j = i + 1; j < size; j += 1)
        (hessian[i] as number[])[j] = (hessian[j] as number[])[i] as number;
    }
    const step = solve(hessian, gradient);
    const length = Math.max(...step.map(Math.abs));
    const damping = Math.min(1, 2 / length);
    for (let i = 0; i < size; i += 1) (factors[i] as number) += damping * (step[i] as number);
    if (length < 1e-8) break;
  }
  if (!factors.every(Number.isFinite))
    throw new FusionFailed("fusion: the heads' rows hold NaN or do not fit");
  return factors;
}

/** Weights that sum to 1, campaigns `baseRate` of it. */
export function imposeBaseRate(rows: Pick<HeadRows, "positive" | "weight">, baseRate: number): Float64Array {
  let positive = 0;
  let negative = 0;
  for (let row = 0; row < rows.positive.length; row += 1) {
    if (rows.positive[row] === 1) positive += rows.weight[row] as number;
    else negative += rows.weight[row] as number;
  }
  return rows.weight.map((weight, row) =>
    rows.positive[row] === 1 ? (weight * baseRate) / positive : (weight * (1 - baseRate)) / negative,
  );
}
