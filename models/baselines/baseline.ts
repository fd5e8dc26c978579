/** Vectors of numbers, row-major; none may be NaN. */
export type Rows = Float32Array | Float64Array;

/** Scores `count` rows of the width it was fitted on: one number each, larger is stranger or more likely positive. */
export type Score = (rows: Rows, count: number) => Float64Array;

/** A detector that learns from unlabelled rows. The same rows and seed give the same scores. */
export interface OutlierBaseline {
  readonly name: string;
  fit(rows: Rows, count: number, width: number): Score;
}

/** A classifier that learns from rows with labels, 1 for positive and 0 for the rest. */
export interface LabelledBaseline {
  readonly name: string;
  fit(rows: Rows, count: number, width: number, labels: ArrayLike<number>): Score;
}

/** Throws when the rows are not `count` × `width` finite-or-infinite numbers: a missing value is the caller's to fill. */
export function requireRows(name: string, rows: Rows, count: number, width: number): void {
  if (rows.length < count * width)
    throw new RangeError(`${name}: ${rows.length} numbers are not ${count} rows of ${width}`);
  for (let index = 0; index < count * width; index += 1) {
    if (Number.isNaN(rows[index]))
      throw new RangeError(`${name}: row ${Math.floor(index / width)} holds NaN`);
  }
}
