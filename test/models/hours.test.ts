import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import { addForestContributions, forestLogit } from "../../models/baselines/forest.ts";
import { fitSteepness } from "../../models/fit-fusion.ts";
import { TREES } from "../../models/fit-model.ts";
import { eitherLogit, type Odds, sigmoid, unseenBetween, unseenPart } from "../../models/fusion.ts";
import { growHours } from "../../models/hours.ts";
import { createRandom } from "../../models/simulate/random.ts";

const width = FEATURES.length;
const column = (name: string): number => FEATURE_INDEX.get(name) as number;

/** Campaigns of which two things tell: the hours, and more of something that only those of one kind have. */
function accounts(seed: number, tells: string, count = 4000) {
  const random = createRandom(seed, "hours");
  const labels = Uint8Array.from({ length: count }, () => Number(random.chance(0.3)));
  const rows = Float32Array.from({ length: count * width }, () => random.normal());
  for (const [row, label] of labels.entries()) {
    (rows[row * width + column("operator.hoursEvidence")] as number) += 2 * label;
    (rows[row * width + column(tells)] as number) += 4 * label;
  }
  return { rows, count, labels, weights: new Float64Array(count).fill(1) };
}

/** Part of pairs of a campaign and an honest account that stand in the right order. */
function ordered(scores: readonly number[], labels: Uint8Array): number {
  const of = (label: number) => scores.filter((_, row) => labels[row] === label);
  const [honest, campaigns] = [of(0).sort((a, b) => a - b), of(1)];
  const below = campaigns.map((score) => honest.findLastIndex((one) => one < score) + 1);
  return below.reduce((sum, one) => sum + one, 0) / (honest.length * campaigns.length);
}

test("the hours of campaigns of one kind tell of another, and nothing but the hours is looked at", async () => {
  const learned = accounts(1, "fleet.rentalAgent");
  const options = { ...TREES, trees: 100, seed: 1 };
  const set = { ...learned, atMs: new Float64Array(0), owner: new Uint32Array(0), truth: [], worldOf: [] };
  const forest = await growHours(set, learned, options);
  const other = accounts(2, "latency.hiddenLeg");
  const logits = Array.from(other.labels, (_, row) => forestLogit(forest, other.rows, row * width));
  // Two standard deviations apart: Φ(2 / √2) = .921 of the pairs.
  expect(ordered(logits, other.labels)).toBeGreaterThan(0.9);
  const moved = new Float64Array(width);
  for (let row = 0; row < 50; row += 1)
    addForestContributions(forest, other.rows.subarray(row * width), 1, moved);
  const names = FEATURES.filter((_, at) => moved[at] !== 0).map(({ name }) => name);
  expect(names).toContain("operator.hoursEvidence");
  expect(names.filter((name) => !name.startsWith("operator.") || name === "operator.age")).toEqual([]);
  expect((await growHours(set, learned, options)).value).toEqual(forest.value);
});

test("odds of either kind are the mean of both, and are divided between them", () => {
  const odds = (logit: number) => Math.exp(logit);
  for (const [known, byHours] of [
    [-3, 1],
    [2, -8],
    [0, 0],
  ] as Odds[]) {
    const either = eitherLogit(known, byHours);
    expect(odds(either)).toBeCloseTo((odds(known) + odds(byHours)) / 2, 12);
    expect(unseenPart(known, byHours)).toBeCloseTo(odds(byHours) / 2 / odds(either), 12);
  }
  // Neither overflows where the other is far away.
  expect(eitherLogit(-900, 800)).toBeCloseTo(800 - Math.LN2, 9);
  expect(eitherLogit(800, -900)).toBeCloseTo(800 - Math.LN2, 9);
});

test("moves of both kinds, each by its mean part on the way, add up to the move of the whole", () => {
  for (const [start, end] of [
    [
      [-12, -11],
      [-2, 5],
    ],
    [
      [-9, -9],
      [4, -30],
    ],
    [
      [-9, -8],
      [-5, -4],
    ],
    [
      [-700, 0],
      [0, -700],
    ],
  ] as [Odds, Odds][]) {
    const unseen = unseenBetween(start, end);
    const moved = (1 - unseen) * (end[0] - start[0]) + unseen * (end[1] - start[1]);
    expect(moved).toBeCloseTo(eitherLogit(...end) - eitherLogit(...start), 9);
  }
});

test("what tells the contrary tells nothing", () => {
  const random = createRandom(3, "steepness");
  const positive = Uint8Array.from({ length: 2000 }, () => Number(random.chance(0.2)));
  const weight = new Float64Array(2000).fill(1);
  const values = Float64Array.from(positive, (label) => random.normal() + 1.5 * label);
  const told = fitSteepness(values, { positive, weight }, 1e-4);
  expect(told.factor).toBeGreaterThan(1);
  const contrary = fitSteepness(
    values.map((value) => -value),
    { positive, weight },
    1e-4,
  );
  expect(contrary.factor).toBe(0);
  expect(sigmoid(contrary.bias)).toBeCloseTo(1e-4, 12);
});
