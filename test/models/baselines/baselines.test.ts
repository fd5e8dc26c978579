import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { normal, randomFrom } from "#core/random.ts";
import { autoencoder } from "../../../models/baselines/autoencoder.ts";
import type { Rows, Score } from "../../../models/baselines/baseline.ts";
import { ecod } from "../../../models/baselines/ecod.ts";
import { gradientBoosting } from "../../../models/baselines/gradient-boosting.ts";
import { isolationForest } from "../../../models/baselines/isolation-forest.ts";
import { logisticRegression } from "../../../models/baselines/logistic-regression.ts";
import { averagePrecision } from "../../../models/evaluate/average-precision.ts";

const WIDTH = 4;
const COUNT = 1_200;

/** Two correlated clusters, and 40 rows far from both. */
function scattered(): { rows: Float64Array; labels: Float64Array } {
  const random = randomFrom(77);
  const rows = new Float64Array(COUNT * WIDTH);
  const labels = Float64Array.from({ length: COUNT }, (_, row) => (row % 30 === 0 ? 1 : 0));
  for (let row = 0; row < COUNT; row += 1) {
    const centre = row % 2 === 0 ? 5 : -5;
    const common = normal(random);
    for (let feature = 0; feature < WIDTH; feature += 1) {
      rows[row * WIDTH + feature] =
        labels[row] === 1 ? 30 * (random() - 0.5) : centre + common + 0.3 * normal(random);
    }
  }
  return { rows, labels };
}

beforeAll(async () => {
  const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  setWasmPaths(`${join(dirname(manifest), "wasm-out")}/`);
  await tf.setBackend("wasm");
});

type Fit = (rows: Rows, count: number, width: number) => Score | Promise<Score>;
const unlabelled = ({ name, fit: learn }: { name: string; fit: Fit }, least: number) => ({
  name,
  learn,
  least,
});
const UNLABELLED = [
  unlabelled(isolationForest({ seed: 3 }), 0.9),
  // The outliers lie between the extremes of every feature, where ECOD cannot see them well.
  unlabelled(ecod(), 0.1),
  unlabelled(autoencoder({ seed: 3, networks: 1, steps: 60 }), 0.3),
];

describe.each(UNLABELLED)("$name", ({ learn, least }) => {
  test("finds what lies apart, better than chance", async () => {
    const { rows, labels } = scattered();
    const score = await learn(rows, COUNT, WIDTH);
    expect(averagePrecision(score(rows, COUNT), labels)).toBeGreaterThan(least);
  });

  test("gives the same scores again, and a row the same score alone", async () => {
    const { rows } = scattered();
    const [first, again] = [await learn(rows, COUNT, WIDTH), await learn(rows, COUNT, WIDTH)];
    expect(again(rows, COUNT)).toEqual(first(rows, COUNT));
    expect(first(rows.subarray(7 * WIDTH, 8 * WIDTH), 1)[0]).toBe(first(rows, COUNT)[7]);
  });

  test("scores constant and single rows, and refuses NaN and rows that are not there", async () => {
    const constant = new Float64Array(20 * WIDTH).fill(3);
    expect((await learn(constant, 20, WIDTH))(constant, 20).every(Number.isFinite)).toBe(true);
    expect((await learn(constant, 1, WIDTH))(constant, 1).every(Number.isFinite)).toBe(true);
    const missing = constant.slice();
    missing[5 * WIDTH] = Number.NaN;
    await expect(async () => await learn(missing, 20, WIDTH)).rejects.toThrow("row 5 holds NaN");
    const score = await learn(constant, 20, WIDTH);
    expect(() => score(missing, 20)).toThrow("row 5 holds NaN");
    expect(() => score(constant, 21)).toThrow("21 rows");
  });
});

test("the auto-encoder leaves no tensor behind", async () => {
  const { rows } = scattered();
  const detector = autoencoder({ networks: 2, steps: 5 });
  await detector.fit(rows, COUNT, WIDTH);
  const before = tf.memory().numTensors;
  const score = await detector.fit(rows, COUNT, WIDTH);
  score(rows, COUNT);
  expect(tf.memory().numTensors).toBe(before);
});

test("ECOD is its formula on a small example", () => {
  const rows = Float64Array.from([1, 2, 3, 4, 10]);
  const scores = ecod().fit(rows, 5, 1)(rows, 5);
  // Skewed to the right: the largest of −log(left tail) and −log(right tail).
  const expected = [1 / 5, 2 / 5, 3 / 5, 2 / 5, 1 / 5].map((share) => -Math.log(share));
  for (const [index, value] of expected.entries()) expect(scores[index]).toBeCloseTo(value, 12);
});

const LABELLED = [logisticRegression(), gradientBoosting({ trees: 40 })];

describe.each(LABELLED)("$name", (baseline) => {
  test("finds the probabilities the labels were drawn from", () => {
    const random = randomFrom(5);
    const count = 4_000;
    const rows = Float64Array.from({ length: count * 3 }, () => normal(random));
    const truth = Float64Array.from(
      { length: count },
      (_, row) => 1 / (1 + Math.exp(-2 * rows[row * 3]! + rows[row * 3 + 1]!)),
    );
    const labels = truth.map((probability) => (random() < probability ? 1 : 0));
    const scores = baseline.fit(rows, count, 3, labels)(rows, count);
    const error = scores.reduce((sum, value, row) => sum + Math.abs(value - truth[row]!), 0) / count;
    expect(error).toBeLessThan(0.06);
  });

  test("is the same again, and refuses one class alone and NaN", () => {
    const { rows, labels } = scattered();
    const scores = baseline.fit(rows, COUNT, WIDTH, labels)(rows, COUNT);
    expect(baseline.fit(rows, COUNT, WIDTH, labels)(rows, COUNT)).toEqual(scores);
    expect(() => baseline.fit(rows, COUNT, WIDTH, new Float64Array(COUNT))).toThrow("both classes");
    const missing = rows.slice();
    missing[0] = Number.NaN;
    expect(() => baseline.fit(missing, COUNT, WIDTH, labels)).toThrow("row 0 holds NaN");
  });
});

test("boosted trees find what no line can part", () => {
  const { rows, labels } = scattered();
  const line = averagePrecision(logisticRegression().fit(rows, COUNT, WIDTH, labels)(rows, COUNT), labels);
  const trees = averagePrecision(
    gradientBoosting({ trees: 60 }).fit(rows, COUNT, WIDTH, labels)(rows, COUNT),
    labels,
  );
  expect(trees).toBeGreaterThan(0.95);
  expect(trees).toBeGreaterThan(line);
});
