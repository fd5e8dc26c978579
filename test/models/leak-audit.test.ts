import { expect, test } from "vitest";
import { FEATURES } from "#core/features.ts";
import { collect } from "../../models/collect.ts";
import { averagePrecision } from "../../models/evaluate/average-precision.ts";
import { concatenate } from "../../models/evaluate/dataset.ts";
import { simulate } from "../../models/simulate/simulate.ts";
import { drawWorld } from "../../models/worlds.ts";
import { createOrigin } from "../../src/origin/origin.ts";

/** DETECTION: a feature that tells campaigns from honest accounts by itself is an artefact of the simulator. */
const MOST = 0.8;

test("no single feature, high or low or missing, separates campaigns on the training population", async () => {
  const { lookUp: lookUpOrigin } = await createOrigin();
  const sets = [1000, 1001, 1003, 1007].map((seed) =>
    collect(simulate(drawWorld(seed, { accounts: 90, campaignPart: 0.35 }), seed), {
      lookUpOrigin,
      stepHours: 24,
    }),
  );
  const set = concatenate(sets);
  const positive = Uint8Array.from(set.owner, (owner) => (set.truth[owner]?.campaign ? 1 : 0));
  const weight = new Float64Array(set.count).fill(1);
  const part = positive.reduce((sum, one) => sum + one, 0) / set.count;
  expect(part).toBeGreaterThan(0.2);
  expect(part).toBeLessThan(0.65);
  const leaks: string[] = [];
  for (const [column, { name }] of FEATURES.entries()) {
    const values = Float64Array.from(
      positive,
      (_, row) => set.rows[row * FEATURES.length + column] as number,
    );
    const known = (missing: number, sign: number) =>
      values.map((value) => (Number.isNaN(value) ? missing : sign * value));
    for (const [way, ranking] of [
      ["high", known(Number.NEGATIVE_INFINITY, 1)],
      ["low", known(Number.NEGATIVE_INFINITY, -1)],
      ["missing", values.map((value) => (Number.isNaN(value) ? 1 : 0))],
    ] as const) {
      const precision = averagePrecision(ranking, positive, weight);
      if (precision > MOST) leaks.push(`${name} ${way}: ${precision.toFixed(3)}`);
    }
  }
  expect(leaks).toEqual([]);
}, 120_000);
