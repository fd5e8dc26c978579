import { FEATURE_INDEX } from "#core/features.ts";
import type { Contribution, Counterfactual } from "#core/model.ts";

/** Backends agree with the scores used here to so much: what is told must hold on each of them. */
const PARITY = 1e-5;
/** Halvings of the way from the account to the average one. */
const ROUNDS = 12;

/**
 * The least change found that takes a vector's score below a threshold: features that raised the score are set to the
 * average account's, the strongest first, until it is below; those not needed are put back; the rest goes only as far
 * as it must. What is missing stays missing. Every answer was scored again as it is told. Null where the score is
 * below already or no such change is found.
 */
export function findCounterfactual(
  row: Float32Array,
  options: {
    threshold: number;
    score: (row: Float32Array) => number;
    /** Of `row`, the strongest first. */
    contributions: readonly Contribution[];
    /** The average account, by feature. */
    average: ArrayLike<number>;
  },
): Counterfactual | null {
  const { threshold, score, contributions, average } = options;
  const below = (changed: Float32Array): boolean => score(changed) + PARITY < threshold;
  if (score(row) < threshold) return null;
  const point = row.slice();
  const moved: number[] = [];
  for (const { feature, contribution } of contributions) {
    const column = FEATURE_INDEX.get(feature) as number;
    if (contribution <= 0 || Number.isNaN(row[column] as number)) continue;
    point[column] = average[column] as number;
    moved.push(column);
    if (below(point)) break;
  }
  if (!below(point)) return null;
  for (const column of [...moved].reverse()) {
    point[column] = row[column] as number;
    if (below(point)) moved.splice(moved.indexOf(column), 1);
    else point[column] = average[column] as number;
  }
  const changed = nearest(row, moved, average, below) ?? point;
  return {
    threshold,
    value: score(changed),
    changes: moved.map((column) => ({
      feature: contributions.find(({ feature }) => FEATURE_INDEX.get(feature) === column)?.feature as string,
      from: row[column] as number,
      to: changed[column] as number,
    })),
  };
}

/** The nearest point to the row, on the way to the average, that is below; values of three digits where that holds. */
function nearest(
  row: Float32Array,
  columns: readonly number[],
  average: ArrayLike<number>,
  below: (row: Float32Array) => boolean,
): Float32Array | null {
  const at = (part: number, digits: number | null): Float32Array => {
    const point = row.slice();
    for (const column of columns) {
      const from = row[column] as number;
      const value = from + part * ((average[column] as number) - from);
      point[column] = digits === null ? value : Number(value.toPrecision(digits));
    }
    return point;
  };
  let [above, under] = [0, 1];
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (above + under) / 2;
    if (below(at(middle, null))) under = middle;
    else above = middle;
  }
  return [at(under, 3), at(under, 6), at(under, null)].find(below) ?? null;
}
