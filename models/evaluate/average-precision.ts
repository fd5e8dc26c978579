/**
 * Average precision: the area under the precision-recall steps, rows of one score taken together (as scikit-learn's
 * average_precision_score). `positive[row]` is 1 for what should be found; `weights` re-weight to another base rate.
 * Throws on a score that is not a number, and where there is nothing to find.
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  positive: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index);
  for (const row of order) {
    if (Number.isNaN(scores[row])) throw new RangeError(`average precision: row ${row} has no score`);
  }
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const weight = (row: number) => weights?.[row] ?? 1;
  const total = order.reduce((sum, row) => sum + (positive[row] === 1 ? weight(row) : 0), 0);
  if (!(total > 0)) throw new RangeError("average precision: nothing to find");
  let taken = 0;
  let found = 0;
  let area = 0;
  for (let from = 0; from < order.length; ) {
    const score = scores[order[from] as number];
    const before = found;
    for (; from < order.length && scores[order[from] as number] === score; from += 1) {
      const row = order[from] as number;
      taken += weight(row);
      if (positive[row] === 1) found += weight(row);
    }
    area += ((found - before) / total) * (taken > 0 ? found / taken : 0);
  }
  return area;
}
