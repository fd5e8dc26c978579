import { expect, test } from "vitest";
import { type Answered, binomialInterval, measurePrecision } from "../../src/core/precision.ts";

/** From SciPy: binomtest(hits, count).proportion_ci(method="exact"). */
test.each([
  [8, 10, 0.4439045, 0.9747893],
  [0, 10, 0, 0.3084971],
  [10, 10, 0.6915029, 1],
  [50, 100, 0.3983211, 0.6016789],
  [1, 1, 0.025, 1],
])("the interval of %i of %i", (hits, count, low, high) => {
  const interval = binomialInterval(hits, count);
  expect(interval.low).toBeCloseTo(low, 6);
  expect(interval.high).toBeCloseTo(high, 6);
});

test("none of none says nothing, many say much, and what cannot be is refused", () => {
  expect(binomialInterval(0, 0)).toEqual({ low: 0, high: 1 });
  const many = binomialInterval(9_000, 10_000);
  expect(many.high - many.low).toBeLessThan(0.013);
  expect(() => binomialInterval(3, 2)).toThrow("3 of 2 cannot be");
  expect(() => binomialInterval(Number.NaN, 2)).toThrow("cannot be");
});

const HOUR = 3_600_000;
const answer = (over: Partial<Answered> = {}): Answered => ({
  pool: "p",
  account: "a",
  kind: "anomaly",
  score: 0.9,
  typologies: ["relay", "overseas-base"],
  model: { name: "consistency", version: "1.0.0" },
  outcome: "confirm",
  openedMs: 0,
  answeredMs: HOUR,
  ...over,
});

test("precision is measured whole and in parts, screening hits apart", () => {
  const version = { name: "consistency", version: "2.0.0" };
  const measured = measurePrecision([
    answer(),
    answer({ outcome: "useful", answeredMs: 3 * HOUR }),
    answer({ outcome: "false-positive", score: 0.55, typologies: ["structuring"], model: version }),
    answer({ score: 1, answeredMs: 20 * HOUR }),
    answer({ kind: "screening", score: 1, outcome: "false-positive", answeredMs: 2 * HOUR }),
  ]);
  expect(measured.anomalies).toMatchObject({
    answered: 4,
    confirmed: 2,
    useful: 1,
    falsePositive: 1,
    precision: 0.75,
  });
  expect(measured.anomalies.expected).toBeCloseTo((0.9 + 0.9 + 0.55 + 1) / 4, 9);
  expect(measured.screenings).toMatchObject({ answered: 1, precision: 0 });
  expect(measured.bands.map(({ name, answered, precision }) => [name, answered, precision])).toEqual([
    ["0.5 to 0.65", 1, 0],
    ["0.8 to 0.95", 2, 1],
    ["0.95 to 1", 1, 1],
  ]);
  expect(measured.typologies.map(({ name, answered }) => [name, answered])).toEqual([
    ["relay", 3],
    ["structuring", 1],
  ]);
  expect(measured.versions.map(({ name, precision }) => [name, precision])).toEqual([
    ["consistency 1.0.0", 1],
    ["consistency 2.0.0", 0],
  ]);
  expect(measured.hoursToVerdict).toEqual({ median: 2, ninetieth: 20 });
});

test("without verdicts nothing is claimed", () => {
  const { anomalies, bands, hoursToVerdict } = measurePrecision([]);
  expect(anomalies).toMatchObject({ answered: 0, precision: null, expected: null, low: 0, high: 1 });
  expect(bands).toEqual([]);
  expect(hoursToVerdict).toBeNull();
});
