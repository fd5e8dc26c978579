import { expect, test } from "vitest";
import { FusionFailed, fitFusion, imposeBaseRate } from "../../models/fit-fusion.ts";
import { createRandom } from "../../models/simulate/random.ts";

/** Rows whose log-odds are 2·campaign + 0·risk − 1·novelty, campaigns as common as drawn. */
function draw(count: number) {
  const random = createRandom(5, "fusion");
  const rows = {
    campaign: new Float64Array(count),
    risk: new Float64Array(count),
    novelty: new Float64Array(count),
    forest: new Float64Array(count),
    positive: new Uint8Array(count),
    weight: new Float64Array(count).fill(1),
    asked: new Uint8Array(count).fill(1),
  };
  for (let row = 0; row < count; row += 1) {
    rows.campaign[row] = random.normal();
    rows.risk[row] = random.normal();
    rows.novelty[row] = random.normal();
    const logit = 2 * (rows.campaign[row] as number) - (rows.novelty[row] as number) - 1;
    rows.positive[row] = random.chance(1 / (1 + Math.exp(-logit))) ? 1 : 0;
  }
  return rows;
}

test("the base rate is imposed by weights, and the probability follows it", () => {
  const rows = draw(20_000);
  const weights = imposeBaseRate(rows, 0.01);
  const sum = (which: number) =>
    weights.reduce((total, weight, row) => total + (rows.positive[row] === which ? weight : 0), 0);
  expect(sum(1)).toBeCloseTo(0.01, 10);
  expect(sum(0)).toBeCloseTo(0.99, 10);
  const fusion = fitFusion(rows, 0.01);
  let expected = 0;
  for (let row = 0; row < rows.positive.length; row += 1) {
    const logit =
      fusion.campaign * (rows.campaign[row] as number) +
      fusion.risk * (rows.risk[row] as number) +
      fusion.bias;
    expected += (weights[row] as number) / (1 + Math.exp(-logit));
  }
  expect(expected).toBeCloseTo(0.01, 3);
});

test("a head that would count against a campaign is left out, never given a negative factor", () => {
  const fusion = fitFusion(draw(20_000), 0.3);
  expect(fusion.novelty).toBe(0);
  expect(fusion.campaign).toBeGreaterThan(1);
  expect(Math.abs(fusion.risk)).toBeLessThan(0.1);
});

test("rows that separate still give finite factors", () => {
  const rows = draw(500);
  rows.positive.set(Uint8Array.from(rows.campaign, (value) => (value > 0 ? 1 : 0)));
  const fusion = fitFusion(rows, 1e-4);
  expect(Number.isFinite(fusion.campaign)).toBe(true);
  expect(Number.isFinite(fusion.bias)).toBe(true);
});

test("NaN in a head is an error with a name, not a model", () => {
  const rows = draw(500);
  rows.campaign[3] = Number.NaN;
  expect(() => fitFusion(rows, 0.01)).toThrow(FusionFailed);
});

test("an honest row that one head takes for a campaign does not cost that head its share", () => {
  const rows = draw(40_000);
  // Two heads that say the same but for noises of one size.
  const noise = createRandom(6, "noise");
  rows.forest = rows.campaign.map((value) => value + noise.normal() / 2);
  rows.campaign = rows.campaign.map((value) => value + noise.normal() / 2);
  const share = ({ campaign, forest }: { campaign: number; forest: number }): number =>
    campaign / (campaign + forest);
  const before = share(fitFusion(rows, 1e-4));
  expect(before).toBeGreaterThan(0.4);
  expect(before).toBeLessThan(0.6);
  rows.campaign[rows.positive.indexOf(0)] = 30;
  // Learned at the base rate it falls to .17.
  expect(share(fitFusion(rows, 1e-4))).toBeGreaterThan(0.25);
});
