import fc from "fast-check";
import { expect, test } from "vitest";
import type { Dataset } from "../../../models/evaluate/dataset.ts";
import {
  calibrationBins,
  calibrationError,
  judge,
  precisionRecall,
  recallAt,
  recallTable,
  thresholdAt,
  thresholdForFlags,
} from "../../../models/evaluate/detection-metrics.ts";
import { bootstrapRecall, poissonUpper } from "../../../models/evaluate/intervals.ts";

const DAY = 86_400_000;

/** Two honest accounts, a campaign of two accounts, and one that was never seen. */
const base = { pool: "p", kind: "x", care: "middle", machines: 12, hiddenLegMs: 0 };
const set: Dataset = {
  rows: new Float32Array(6),
  count: 6,
  atMs: Float64Array.from([0, DAY / 2, DAY, 0, DAY, DAY / 2]),
  owner: Uint32Array.from([0, 0, 0, 1, 2, 3]),
  truth: [
    { ...base, account: "a", typology: null, campaign: null },
    { ...base, account: "b", typology: null, campaign: null },
    { ...base, account: "c", typology: "relay", campaign: "one" },
    { ...base, account: "d", typology: "relay", campaign: "one" },
    { ...base, account: "e", typology: "structuring", campaign: "two" },
  ],
  worldOf: [0, 0, 0, 0, 0],
};
const scores = [1, 3, 2, 5, 9, 4];

test("rows are folded into honest account-days and campaigns; a campaign never seen is missed", () => {
  const judged = judge(set, scores);
  expect([...judged.clean]).toEqual([2, 3, 5]);
  expect([...judged.flaggable]).toEqual([3, 5]);
  expect(judged.campaigns.map(({ name, score }) => [name, score])).toEqual([
    ["one/0", 9],
    ["two/0", Number.NEGATIVE_INFINITY],
  ]);
  expect(judged.campaigns[0]?.windows).toEqual([
    [DAY / 2, 4],
    [DAY, 9],
  ]);
  expect(recallAt(judged.campaigns, 5)).toBe(0.5);
  expect(recallTable(judged, 0)).toMatchObject({ all: 0.5, middle: 0.5, relay: 1, structuring: 0 });
});

test("no more of the honest days than the rate exceed the threshold", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (all, rate) => {
        const clean = Float64Array.from(all).sort();
        const threshold = thresholdAt(clean, rate);
        const above = clean.filter((score) => score > threshold).length;
        expect(above).toBeLessThanOrEqual(Math.floor(rate * clean.length));
      },
    ),
  );
});

test("an account that scores day after day opens one flag", () => {
  const judged = {
    clean: Float64Array.from([1, 1, 1, 1, 7, 8, 9, 9]),
    flaggable: Float64Array.from([1, 1, 9]),
    campaigns: [],
  };
  // One flag in eight account-days: by days the threshold must lie above all but one of them, by accounts below 9.
  expect(thresholdAt(judged.clean, 1 / 8)).toBe(9);
  expect(thresholdForFlags(judged, 1 / 8)).toBe(1);
  expect(thresholdForFlags(judged, 0)).toBe(9);
});

test("an account that scores for a season opens a flag every thirty days: answered ones are not asked about again for so long", () => {
  const [owner] = set.truth;
  const days = Array.from({ length: 84 }, (_, day) => day);
  const season = {
    ...set,
    rows: new Float32Array(84),
    count: 84,
    atMs: Float64Array.from(days, (day) => (100 + day) * DAY),
    owner: new Uint32Array(84),
    truth: [owner as (typeof set.truth)[number]],
    worldOf: [0],
  };
  const { clean, flaggable } = judge(season, days);
  expect(clean).toHaveLength(84);
  expect([...flaggable]).toEqual([29, 59, 83]);
});

test("calibration error is the distance of what is claimed from what is found", () => {
  const values = [0.2, 0.2, 0.2, 0.2, 0.2];
  const weight = [1, 1, 1, 1, 1];
  expect(calibrationError(values, [1, 0, 0, 0, 0], weight, 1)).toBeCloseTo(0);
  expect(calibrationError(values, [1, 1, 1, 0, 0], weight, 1)).toBeCloseTo(0.4);
  expect(calibrationBins(set, [0, 0, 0, 0, 1, 1], 0.5)).toMatchObject({ error: 0, brier: 0 });
});

test("precision and recall at the base rate", () => {
  const judged = judge(set, scores);
  // At the campaign's score of 9 no honest day stands above: precision 1 at half of the recall.
  expect(precisionRecall(judged, 1e-4)[0]).toEqual([0.5, 1]);
});

test("the bound for none of n is the rule of three, and the interval of a recall holds it", () => {
  expect(poissonUpper(0)).toBeCloseTo(3, 1);
  expect(poissonUpper(10)).toBeCloseTo(16.96, 1);
  const campaigns = Array.from({ length: 40 }, (_, index) => ({ score: index }));
  const { low, high } = bootstrapRecall(campaigns, 9.5);
  expect(low).toBeLessThan(0.75);
  expect(high).toBeGreaterThan(0.75);
  expect(high - low).toBeLessThan(0.35);
});
