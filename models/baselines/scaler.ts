import type { Rows } from "./baseline.ts";

/** Puts features on one scale: `into` gets `count` rows, as wide as those it was made from. */
export type Scale = (rows: Rows, count: number, into: Float64Array) => void;

/** Mean 0 and variance 1; a constant feature becomes 0. */
export function standardScale(rows: Rows, count: number, width: number): Scale {
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  for (let feature = 0; feature < width; feature += 1) {
    let sum = 0;
    for (let row = 0; row < count; row += 1) sum += rows[row * width + feature]!;
    mean[feature] = sum / count;
    let squares = 0;
    for (let row = 0; row < count; row += 1) squares += (rows[row * width + feature]! - mean[feature]!) ** 2;
    spread[feature] = Math.sqrt(squares / count) || 1;
  }
  return (asked, askedCount, into) => {
    for (let index = 0; index < askedCount * width; index += 1) {
      const feature = index % width;
      into[index] = (asked[index]! - mean[feature]!) / spread[feature]!;
    }
  };
}

/**
 * Distance from the median in interquartile ranges, sign·log(1 + distance): heavy tails stay far out without drowning
 * the rest. A feature whose quartiles are equal is measured by its inner 90, then 98 %.
 */
export function robustScale(rows: Rows, count: number, width: number): Scale {
  const median = new Float64Array(width);
  const spread = new Float64Array(width);
  const column = new Float64Array(count);
  for (let feature = 0; feature < width; feature += 1) {
    for (let row = 0; row < count; row += 1) column[row] = rows[row * width + feature]!;
    column.sort();
    const quantile = (part: number) => column[Math.min(count - 1, Math.floor(part * count))]!;
    median[feature] = quantile(0.5);
    spread[feature] =
      quantile(0.75) - quantile(0.25) ||
      quantile(0.95) - quantile(0.05) ||
      quantile(0.99) - quantile(0.01) ||
      1;
  }
  return (asked, askedCount, into) => {
    for (let index = 0; index < askedCount * width; index += 1) {
      const feature = index % width;
      const distance = (asked[index]! - median[feature]!) / spread[feature]!;
      into[index] = Math.sign(distance) * Math.log1p(Math.abs(distance));
    }
  };
}
