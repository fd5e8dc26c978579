import { FEATURES } from "#core/features.ts";
import type { Contribution } from "#core/model.ts";
import { ENCODED, encodeRisk, encodeRow, RISK_FEATURES, type Scaler } from "./encode.ts";
import { eitherLogit, type Odds, unseenBetween } from "./fusion.ts";
import type { Oracle } from "./oracle.ts";

/** Steps of the path integral; doubled until the contributions add up. */
const STEPS = 32;
const MOST_STEPS = 4096;
/** Contributions must add up to the difference of logits within this part of it. */
const COMPLETE = 0.01;

/**
 * Integrated gradients (Sundararajan et al. 2017) of the fused logit without the trees, from the average account to
 * this one, and the trees' own steps: a feature's contributions through its value, its presence, the risk head and the
 * trees are added up, and those by the hours alone beside them, each by its part of the odds on the way. They sum to the logit less the
 * average account's logit within 1 %. Where that difference is next to nothing (the account is as likely as the
 * average one, by contributions that cancel) steps may run out; the rest, thousandths of a nat, is spread by size.
 * Largest first.
 */
export function explain(oracle: Oracle, scaler: Scaler, row: Float32Array): Contribution[] {
  const { contributions, rest } = attribute(oracle, scaler, row);
  if (rest !== 0) spread(contributions, rest);
  return FEATURES.map(({ name }, index) => ({ feature: name, contribution: contributions[index] as number }))
    .filter(({ contribution }) => contribution !== 0)
    .sort((left, right) => Math.abs(right.contribution) - Math.abs(left.contribution));
}

/** Integrated gradients as they come, by feature. */
export interface Attribution {
  contributions: Float64Array;
  /** The logit less the average account's: what contributions should add up to. */
  whole: number;
  steps: number;
  /** What is missing of that where the steps ran out; 0 where they add up within 1 %. */
  rest: number;
}

/** Contributions before anything is spread. Throws where one is no number. */
export function attribute(oracle: Oracle, scaler: Scaler, row: Float32Array): Attribution {
  const encoded = new Float32Array(ENCODED);
  const risky = new Float32Array(RISK_FEATURES.length);
  encodeRow(scaler, row, 0, encoded, 0);
  encodeRisk(row, 0, risky, 0);
  const average = Float32Array.from(scaler.mean);
  const baseEncoded = new Float32Array(ENCODED);
  const baseRisky = new Float32Array(RISK_FEATURES.length);
  encodeRow(scaler, average, 0, baseEncoded, 0);
  encodeRisk(average, 0, baseRisky, 0);
  const [to, from] = [oracle.gradient(encoded, risky).logit, oracle.gradient(baseEncoded, baseRisky).logit];
  const byTrees = oracle.byTrees(row, average);
  const byHours = oracle.byHoursOf(row, average);
  const end: Odds = [to + oracle.trees(row), oracle.byHours(row, 0)];
  const start: Odds = [from + oracle.trees(average), oracle.byHours(average, 0)];
  const whole = eitherLogit(...end) - eitherLogit(...start);
  const unseen = unseenBetween(start, end);
  for (let steps = STEPS; ; steps *= 2) {
    const contributions = integrate(oracle, { encoded, risky, baseEncoded, baseRisky }, steps);
    const sum = contributions.reduce((total, value) => total + value, 0);
    if (Number.isNaN(sum)) throw new Error("explain: a contribution is NaN");
    const missing = (1 - unseen) * (to - from - sum);
    const complete = Math.abs(missing) <= Math.max(COMPLETE * Math.abs(whole), 1e-6);
    if (!complete && steps < MOST_STEPS) continue;
    for (const [index, own] of contributions.entries())
      contributions[index] =
        (1 - unseen) * (own + (byTrees[index] as number)) + unseen * (byHours[index] as number);
    return { contributions, whole, steps, rest: complete ? 0 : missing };
  }
}

interface Path {
  encoded: Float32Array;
  risky: Float32Array;
  baseEncoded: Float32Array;
  baseRisky: Float32Array;
}

function integrate(oracle: Oracle, path: Path, steps: number): Float64Array {
  const width = FEATURES.length;
  const contributions = new Float64Array(width);
  const point = new Float32Array(ENCODED);
  const riskyPoint = new Float32Array(RISK_FEATURES.length);
  for (let step = 0; step < steps; step += 1) {
    const part = (step + 0.5) / steps;
    for (let index = 0; index < ENCODED; index += 1) {
      const from = path.baseEncoded[index] as number;
      point[index] = from + part * ((path.encoded[index] as number) - from);
    }
    for (let index = 0; index < riskyPoint.length; index += 1) {
      const from = path.baseRisky[index] as number;
      riskyPoint[index] = from + part * ((path.risky[index] as number) - from);
    }
    const gradient = oracle.gradient(point, riskyPoint);
    for (let index = 0; index < ENCODED; index += 1) {
      const move = (path.encoded[index] as number) - (path.baseEncoded[index] as number);
      (contributions[index % width] as number) += (move * (gradient.encoded[index] as number)) / steps;
    }
    for (let index = 0; index < riskyPoint.length; index += 1) {
      const move = (path.risky[index] as number) - (path.baseRisky[index] as number);
      (contributions[RISK_FEATURES[index] as number] as number) +=
        (move * (gradient.risky[index] as number)) / steps;
    }
  }
  return contributions;
}

function spread(contributions: Float64Array, rest: number): void {
  const size = contributions.reduce((total, value) => total + Math.abs(value), 0);
  if (size === 0) return;
  for (let index = 0; index < contributions.length; index += 1)
    (contributions[index] as number) += (rest * Math.abs(contributions[index] as number)) / size;
}
