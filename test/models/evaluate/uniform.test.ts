import { expect, test } from "vitest";
import type { Dataset } from "../../../models/evaluate/dataset.ts";
import { conformalFinding, ksUniform } from "../../../models/evaluate/uniform.ts";
import { seeded } from "../../support/shares.ts";

test("the test holds its level on uniform samples, and refuses one that leans", () => {
  const random = seeded(3);
  let refused = 0;
  for (let run = 0; run < 400; run += 1)
    if (ksUniform(Float64Array.from({ length: 200 }, random)).p < 0.05) refused += 1;
  expect(refused).toBeGreaterThan(8);
  expect(refused).toBeLessThan(36);
  expect(ksUniform(Float64Array.from({ length: 500 }, () => random() ** 1.5)).p).toBeLessThan(1e-6);
  // 1.3581 is the point of 5 % of Kolmogorov's distribution.
  const count = 10_000;
  const shifted = Float64Array.from({ length: count }, (_, index) => (index + 0.5) / count);
  const distance = 1.3581 / Math.sqrt(count);
  expect(ksUniform(shifted.map((value) => value * (1 - distance))).p).toBeCloseTo(0.05, 2);
});

/** Accounts of several worlds, three rows each; the last row of each holds what is asked for. */
function draw(worlds: number, accounts: number): Dataset {
  const owners = worlds * accounts;
  const base = { pool: "p", kind: "hobbyist", typology: null, care: null, machines: 1, hiddenLegMs: 0 };
  return {
    rows: new Float32Array(0),
    count: owners * 3,
    atMs: new Float64Array(owners * 3),
    owner: Uint32Array.from({ length: owners * 3 }, (_, row) => row % owners),
    truth: Array.from({ length: owners }, (_, owner) => ({
      ...base,
      account: String(owner),
      campaign: owner % 10 === 9 ? "c" : null,
    })),
    worldOf: Array.from({ length: owners }, (_, owner) => Math.floor(owner / accounts)),
  };
}

test("each honest account is asked about once, by its last row, ten of a world", () => {
  const set = draw(30, 50);
  const random = seeded(4);
  const asked: number[] = [];
  const finding = conformalFinding("population", set, (row) => {
    asked.push(row);
    return random();
  });
  expect(asked).toHaveLength(30 * 45);
  expect(Math.min(...asked)).toBeGreaterThanOrEqual(2 * 30 * 50);
  expect(finding).toMatchObject({ figure: "population.conformal_ks_p", met: true });
  expect(finding).toHaveProperty("note", expect.stringContaining("300 honest accounts; of all 1350"));
  const low = conformalFinding("population", set, () => random() / 2);
  expect(low).toMatchObject({ met: false });
});
