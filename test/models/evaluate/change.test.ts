import { expect, test } from "vitest";
import { thresholdFor } from "#core/focus.ts";
import { randomFrom } from "#core/random.ts";
import { evaluateChange, lordenBound } from "../../../models/evaluate/change.ts";
import type { Figure, Finding } from "../../../models/evaluate/figure.ts";
import { cusum, ewma, focus, shareWindow } from "../../../models/evaluate/rate-detectors.ts";
import {
  calibrateThreshold,
  detectionDelay,
  falseAlarmRunLength,
} from "../../../models/evaluate/run-length.ts";

const SMALL = { runs: 100, gammaShares: 1_000, speedShares: 20_000 };

async function all(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of findings) found.push(finding);
  return found;
}

function figures(findings: readonly Finding[]): Map<string, Figure> {
  return new Map(findings.filter((finding) => "figure" in finding).map((figure) => [figure.figure, figure]));
}

test("the bound is the published one", () => {
  expect(lordenBound(0, 1e5)).toBeCloseTo(11.5, 1);
  expect(lordenBound(0.5, 1e5)).toBeCloseTo(75, 0);
  expect(lordenBound(0.8, 1e5)).toBeCloseTo(536, 0);
  expect(lordenBound(1.25, 1e5)).toBeCloseTo(398, 0);
  expect(lordenBound(2, 1e5)).toBeCloseTo(29.8, 1);
});

test("yields its figures, its tables and the same ones for the same seed", async () => {
  const first = await all(evaluateChange({ ...SMALL, seed: 3 }));
  const again = await all(evaluateChange({ ...SMALL, seed: 3 }));
  const other = await all(evaluateChange({ ...SMALL, seed: 4 }));
  const delay = figures(first).get("change.delay_over_bound");
  // The bound is of first order in ln γ: at so short a γ the ratio stands a little higher than at 1e5 shares.
  expect(delay?.value).toBeGreaterThan(0.8);
  expect(delay?.value).toBeLessThan(1.4);
  expect(delay?.low).toBeLessThan(delay?.value ?? 0);
  expect(figures(first).get("change.shares_per_cpu_second")?.value).toBeGreaterThan(0);
  expect(figures(again).get("change.delay_over_bound")).toEqual(delay);
  expect(figures(other).get("change.delay_over_bound")?.value).not.toBe(delay?.value);
  const table = first.find((finding) => "table" in finding);
  expect(table?.rows.map((row) => row[0])).toEqual([
    "Lorden's bound",
    "FOCuS",
    "60-share window",
    "EWMA (λ = 0.05)",
    "CUSUM (ρ = 0.5, 2)",
  ]);
});

test("the table of thresholds holds its mean time between false alarms", () => {
  for (const gamma of [100, 1_000]) {
    const { mean, standardError } = falseAlarmRunLength(
      focus(),
      thresholdFor(gamma),
      3_000,
      randomFrom(21, gamma),
    );
    expect(Math.abs(mean / gamma - 1)).toBeLessThan(4 * (standardError / mean) + 0.03);
  }
});

test.each([shareWindow(60), ewma(0.05), cusum(0.5, 2)])(
  "$name is calibrated to the same time",
  (detector) => {
    const threshold = calibrateThreshold(detector, 1_000, 2_000, randomFrom(31));
    const { mean } = falseAlarmRunLength(detector, threshold, 2_000, randomFrom(32));
    // A window first has to fill, so its run length is not quite exponential.
    expect(mean / 1_000).toBeGreaterThan(0.85);
    expect(mean / 1_000).toBeLessThan(1.2);
  },
);

test.each([focus(), shareWindow(60), ewma(0.05), cusum(0.5, 2)])(
  "$name sees silence, and later where less is missing",
  (detector) => {
    const threshold = calibrateThreshold(detector, 1_000, 300, randomFrom(41));
    const options = { threshold, warmUpShares: 200, tick: 0.25, limit: 500 };
    const delay = (ratio: number) => {
      const random = randomFrom(42);
      let sum = 0;
      for (let run = 0; run < 60; run += 1) sum += detectionDelay(detector, { ...options, ratio }, random);
      return sum / 60;
    };
    expect(delay(0)).toBeLessThan(60);
    expect(delay(0)).toBeLessThan(delay(0.4));
  },
);

test("a delay is cut off at its limit", () => {
  const options = { threshold: 1e9, warmUpShares: 10, tick: 0.25, limit: 7, ratio: 0 };
  expect(detectionDelay(focus(), options, randomFrom(1))).toBe(7);
});
