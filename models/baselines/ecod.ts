import { type OutlierBaseline, type Rows, requireRows } from "./baseline.ts";

/**
 * ECOD (Li et al., TKDE 2022), as in the paper: −log of the empirical tail probability of every feature, summed for the
 * left tails, for the right ones and for the tail each feature is skewed to; the largest of the three sums is the score.
 * No parameters.
 */
export function ecod(): OutlierBaseline {
  return {
    name: "ECOD",
    fit(rows, count, width) {
      requireRows("ECOD", rows, count, width);
      const columns = Array.from({ length: width }, (_, feature) =>
        sortedColumn(rows, count, width, feature),
      );
      const leftSkewed = columns.map(isLeftSkewed);
      return (asked, askedCount) => {
        requireRows("ECOD", asked, askedCount, width);
        const scores = new Float64Array(askedCount);
        for (let row = 0; row < askedCount; row += 1) {
          let left = 0;
          let right = 0;
          let skewed = 0;
          for (let feature = 0; feature < width; feature += 1) {
            const column = columns[feature]!;
            const value = asked[row * width + feature]!;
            const below = surprise(place(column, value, true), column.length);
            const above = surprise(column.length - place(column, value, false), column.length);
            left += below;
            right += above;
            skewed += leftSkewed[feature] ? below : above;
          }
          scores[row] = Math.max(left, right, skewed);
        }
        return scores;
      };
    },
  };
}

/** −log of a tail's share. A value beyond all that were seen counts as the furthest of them. */
function surprise(tail: number, count: number): number {
  return -Math.log(Math.max(1, tail) / count);
}

function sortedColumn(rows: Rows, count: number, width: number, feature: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => rows[row * width + feature]!).sort();
}

/** The sign of the third central moment. */
function isLeftSkewed(column: Float64Array): boolean {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  return column.reduce((sum, value) => sum + (value - mean) ** 3, 0) < 0;
}

/** How many are less than `value`, or, with `inclusive`, at most `value`. */
function place(column: Float64Array, value: number, inclusive: boolean): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = column[middle]!;
    if (item < value || (inclusive && item === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
