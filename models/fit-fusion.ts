import type { Fusion } from "./oracle.ts";

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
}

/** The heads, in the order of the regression's columns. */
const HEADS = ["campaign", "risk", "novelty", "forest"] as const;

/** The regression did not end in numbers. */
export class FusionFailed extends Error {
  override name = "FusionFailed";
}

/** Pull towards zero of each factor: keeps the regression finite where held-out rows separate. */
const RIDGE = 1e-4;

/**
 * Logistic regression of campaign on the heads, rows re-weighted to the base rate (not re-sampled), factors
 * never negative. Newton's method; a factor that would turn negative is left out and the rest fitted again.
 */
export function fitFusion(rows: HeadRows, baseRate: number): Omit<Fusion, "noveltyUnit"> {
  let active = HEADS.map((_, column) => column);
  for (;;) {
    const factors = newton(rows, baseRate, active);
    const negative = active.filter((column, index) => column >= 0 && (factors[index] as number) < 0);
    if (negative.length === 0) {
      const at = (column: number): number => factors[active.indexOf(column)] ?? 0;
      const [campaign, risk, novelty, forest] = HEADS.map((_, column) => at(column)) as [
        number,
        number,
        number,
        number,
      ];
      return { campaign, risk, novelty, forest, bias: factors.at(-1) as number, baseRate };
    }
    active = active.filter((column) => !negative.includes(column));
  }
}

function newton(rows: HeadRows, baseRate: number, active: readonly number[]): number[] {
  const columns = active.map((column) => rows[HEADS[column] as (typeof HEADS)[number]]);
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

/** Solves a small symmetric system by Gaussian elimination with pivoting. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const a = matrix.map((row, index) => [...row, right[index] as number]);
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (
        Math.abs((a[row] as number[])[column] as number) > Math.abs((a[pivot] as number[])[column] as number)
      )
        pivot = row;
    }
    [a[column], a[pivot]] = [a[pivot] as number[], a[column] as number[]];
    const head = a[column] as number[];
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const line = a[row] as number[];
      const factor = (line[column] as number) / (head[column] as number);
      for (let index = column; index <= size; index += 1)
        (line[index] as number) -= factor * (head[index] as number);
    }
  }
  return a.map((row, index) => (row[size] as number) / (row[index] as number));
}
