import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { collect } from "../../models/collect.ts";
import { findCounterfactual } from "../../models/counterfactual.ts";
import type { Scaler } from "../../models/encode.ts";
import { concatenate, type Dataset } from "../../models/evaluate/dataset.ts";
import { attribute, explain } from "../../models/explain.ts";
import { type LoadedModel, loadModel } from "../../models/load-model.ts";
import { readModelFiles, weightsOf } from "../../models/model-files.ts";
import { Oracle } from "../../models/oracle.ts";
import { simulate } from "../../models/simulate/simulate.ts";
import { drawWorld } from "../../models/worlds.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { createOrigin } from "../../src/origin/origin.ts";

const width = FEATURES.length;
const shelf = join(import.meta.dirname, "../../models/consistency");
let model: LoadedModel;
let oracle: Oracle;
let scaler: Scaler;
let set: Dataset;
const vector = (row: number) => set.rows.slice(row * width, (row + 1) * width);

beforeAll(async () => {
  const versions = (await readdir(shelf)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const directory = join(shelf, versions.at(-1)!);
  model = await loadModel(directory, { backend: "wasm" });
  const files = await readModelFiles(directory);
  scaler = files.scaler;
  oracle = new Oracle(weightsOf(files.network), files);
  files.network.dispose();
  const { lookUp: lookUpOrigin } = await createOrigin();
  const seeds = [5_000_003, 5_000_004];
  set = concatenate(
    seeds.map((seed) => {
      const world = drawWorld(seed, { accounts: 60, campaignPart: 0.4, cares: ["blatant", "middle"] });
      return collect(simulate(world, seed), { lookUpOrigin, stepHours: 24 });
    }),
  );
}, 120_000);

test("integrated gradients add up on every vector: within 1 %, or thousandths of a nat where they cancel", () => {
  let short = 0;
  for (let row = 0; row < set.count; row += 1) {
    const { contributions, whole, rest } = attribute(oracle, scaler, vector(row));
    const sum = contributions.reduce((total, value) => total + value, 0);
    expect(Math.abs(whole - sum - rest)).toBeLessThan(Math.max(0.01 * Math.abs(whole), 1e-6) + 1e-9);
    if (rest === 0) continue;
    short += 1;
    expect(Math.abs(rest)).toBeLessThan(0.005);
    // Nobody is told reasons for an account that is as likely as the average one.
    expect(Math.abs(whole)).toBeLessThan(0.5);
  }
  expect(set.count).toBeGreaterThan(500);
  expect(short / set.count).toBeLessThan(0.02);
}, 120_000);

test("what is told adds up within 1 % for every vector that could be flagged", () => {
  const average = oracle.score(Float32Array.from(scaler.mean), 0).logit;
  let flagged = 0;
  for (let row = 0; row < set.count; row += 1) {
    const { logit, value } = oracle.score(set.rows, row);
    if (value < 0.05) continue;
    flagged += 1;
    const sum = explain(oracle, scaler, vector(row)).reduce((all, { contribution }) => all + contribution, 0);
    expect(Math.abs(sum - (logit - average))).toBeLessThan(0.01 * Math.abs(logit - average));
  }
  expect(flagged).toBeGreaterThan(40);
});

test.each([0.5, 0.05])(
  "counterfactuals are true: scored again, each falls below %f on every backend",
  async (threshold) => {
    const { value } = await model.score(set.rows, set.count);
    const changed: Float32Array[] = [];
    let flagged = 0;
    for (let row = 0; row < set.count; row += 1) {
      if (value[row]! < threshold + 1e-4) continue;
      flagged += 1;
      const found = await model.counterfactual(vector(row), threshold, await model.explain(vector(row)));
      if (!found) continue;
      expect(found.changes.length).toBeGreaterThan(0);
      const point = vector(row);
      for (const { feature, from, to } of found.changes) {
        const column = FEATURE_INDEX.get(feature)!;
        expect(point[column]).toBe(from);
        expect(to).not.toBe(from);
        // As it is kept and read back.
        point[column] = JSON.parse(JSON.stringify(to));
        const [low, high] = [from, scaler.mean[column]!].sort((a, b) => a - b);
        expect(to).toBeGreaterThanOrEqual(low! - 0.01 * Math.abs(low!));
        expect(to).toBeLessThanOrEqual(high! + 0.01 * Math.abs(high!));
      }
      const again = (await model.score(point, 1)).value[0]!;
      expect(again).toBe(found.value);
      expect(again).toBeLessThan(threshold);
      changed.push(point);
    }
    expect(flagged).toBeGreaterThan(25);
    // One is found for nearly all: the average account is far below.
    expect(changed.length / flagged).toBeGreaterThan(0.95);
    // More rows than plain JavaScript takes: the backend scores these.
    const rows = new Float32Array(changed.length * width);
    for (const [at, point] of changed.entries()) rows.set(point, at * width);
    expect(changed.length).toBeGreaterThan(16);
    const batch = (await model.score(rows, changed.length)).value;
    expect(Math.max(...batch)).toBeLessThan(threshold);
  },
);

test("a counterfactual changes no more than it must", () => {
  const score = (row: Float32Array) => (row[0]! > 0.5 && row[1]! > 0.5 ? 0.9 : 0.1);
  const row = new Float32Array(width).fill(1);
  const contributions = [0, 2, 1].map((column, at) => ({
    feature: FEATURES[column]!.name,
    contribution: 3 - at,
  }));
  const average = new Float32Array(width);
  const found = findCounterfactual(row, { threshold: 0.5, score, contributions, average });
  expect(found?.changes.map(({ feature }) => feature)).toEqual([FEATURES[0]!.name]);
  expect(found!.changes[0]!.to).toBeGreaterThan(0.49);
  // What is below already needs none, and where no change helps none is made up.
  expect(findCounterfactual(average, { threshold: 0.5, score, contributions, average })).toBeNull();
  expect(findCounterfactual(row, { threshold: 0.05, score, contributions, average })).toBeNull();
  // A missing feature stays missing.
  row[0] = Number.NaN;
  const stubborn = (one: Float32Array) => (Number.isNaN(one[0]) ? 0.9 : 0.1);
  expect(findCounterfactual(row, { threshold: 0.5, score: stubborn, contributions, average })).toBeNull();
});
