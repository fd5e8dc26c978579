import { FEATURES } from "#core/features.ts";

/** Standard scores beyond this are cut: a network must not be led by one extreme value. */
const CUT = 5;

/** How feature vectors become inputs. Part of a model's files. */
export interface Scaler {
  /** Mean and deviation of each feature over the training rows in which it is present. */
  mean: number[];
  deviation: number[];
}

/** Width of an encoded row: each feature's standard score, then whether it is present. */
export const ENCODED = 2 * FEATURES.length;

/** Features of the monotone head, by position in the vector. */
export const RISK_FEATURES: readonly number[] = FEATURES.flatMap(({ risk }, index) => (risk ? [index] : []));

/** Means and deviations over the rows that have each feature; a constant feature gets deviation 1. */
export function fitScaler(rows: Float32Array, count: number): Scaler {
  const width = FEATURES.length;
  const mean = new Array<number>(width).fill(0);
  const deviation = new Array<number>(width).fill(1);
  for (let column = 0; column < width; column += 1) {
    let present = 0;
    let sum = 0;
    let squares = 0;
    for (let row = 0; row < count; row += 1) {
      const value = rows[row * width + column] as number;
      if (Number.isNaN(value)) continue;
      present += 1;
      sum += value;
      squares += value * value;
    }
    if (present === 0) continue;
    mean[column] = sum / present;
    const variance = squares / present - (sum / present) ** 2;
    if (variance > 1e-8) deviation[column] = Math.sqrt(variance);
  }
  return { mean, deviation };
}

/** Writes the encoded row `row` of `rows` into `into` at row `at`: standard scores with 0 for missing, then presence. */
export function encodeRow(
  scaler: Scaler,
  rows: Float32Array,
  row: number,
  into: Float32Array,
  at: number,
): void {
  const width = FEATURES.length;
  for (let column = 0; column < width; column += 1) {
    const value = rows[row * width + column] as number;
    const missing = Number.isNaN(value);
    const score = missing
      ? 0
      : (value - (scaler.mean[column] as number)) / (scaler.deviation[column] as number);
    into[at * ENCODED + column] = Math.max(-CUT, Math.min(CUT, score));
    into[at * ENCODED + width + column] = missing ? 0 : 1;
  }
}

/** Writes the risk row: each risk feature as a part of its range, 0 where missing (no exposure is known). */
export function encodeRisk(rows: Float32Array, row: number, into: Float32Array, at: number): void {
  const width = FEATURES.length;
  for (let index = 0; index < RISK_FEATURES.length; index += 1) {
    const column = RISK_FEATURES[index] as number;
    const value = rows[row * width + column] as number;
    const { range } = FEATURES[column] as (typeof FEATURES)[number];
    into[at * RISK_FEATURES.length + index] = Number.isNaN(value)
      ? 0
      : Math.min(1, Math.max(0, (value - range[0]) / (range[1] - range[0])));
  }
}
