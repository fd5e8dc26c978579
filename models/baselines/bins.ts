import { BELOW_ALL } from "./forest.ts";

/** What is learned from: row-major rows, NaN for missing, a label 0 or 1 each, and a weight each (1 where absent). */
export interface Labelled {
  rows: ArrayLike<number>;
  count: number;
  width: number;
  labels: ArrayLike<number>;
  weights?: ArrayLike<number>;
}

/** Bins a column. */
export const BINS = 64;

/** Bin of every value, column by column, and the upper edge of every bin. */
export interface Bins {
  bin: Uint8Array;
  /** `BINS` a feature; the edges of unused bins are infinite. Bin 0 is what is missing. */
  edge: Float32Array;
}

/** Sorts the values of every column into 63 quantile bins, what is missing into a bin of its own. */
export function binned({ rows, count, width }: Labelled): Bins {
  const bin = new Uint8Array(count * width);
  const edge = new Float32Array(width * BINS).fill(Number.POSITIVE_INFINITY);
  for (let feature = 0; feature < width; feature += 1) {
    const first = feature * BINS;
    edge[first] = BELOW_ALL;
    const column = Float32Array.from({ length: count }, (_, row) => rows[row * width + feature]!);
    const sorted = column.filter((value) => !Number.isNaN(value)).sort();
    let used = 1;
    for (let part = 1; part < BINS - 1 && sorted.length > 0; part += 1) {
      const value = sorted[Math.floor((part * sorted.length) / (BINS - 1))]!;
      // The largest value's edge would part nothing.
      if (value < sorted.at(-1)! && value > edge[first + used - 1]!) {
        edge[first + used] = value;
        used += 1;
      }
    }
    for (let row = 0; row < count; row += 1) {
      const value = column[row]!;
      if (Number.isNaN(value)) continue;
      let low = 1;
      let high = used;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (edge[first + middle]! < value) low = middle + 1;
        else high = middle;
      }
      bin[feature * count + row] = low;
    }
  }
  return { bin, edge };
}
