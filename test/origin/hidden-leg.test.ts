import { expect, test } from "vitest";
import { evaluateLatency } from "../../src/origin/evaluate-latency.ts";
import { estimateHiddenLeg } from "../../src/origin/hidden-leg.ts";

/** Park-Miller. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test("the smallest round trips count, not the usual ones", () => {
  const tcp = [300, 42, 41, 40, 250, 43, 44];
  const app = [500, 61, 62, 900, 60, 63, 64];
  expect(estimateHiddenLeg(tcp, app)).toEqual({
    hiddenMs: 20,
    lowMs: 1,
    highMs: 24,
    leastKm: 100 / 4.2,
    mostKm: 2400,
    likely: true,
    tcpMs: 40,
    appMs: 60,
    samples: 7,
  });
});

test("few samples say nothing for certain, none say nothing at all", () => {
  expect(estimateHiddenLeg([10], [80])).toMatchObject({ hiddenMs: 70, lowMs: 5, highMs: 120, likely: false });
  expect(estimateHiddenLeg([], [80])).toBeNull();
  expect(estimateHiddenLeg([10], [])).toBeNull();
  expect(estimateHiddenLeg([50, 50, 50, 50, 50], [40, 40, 40, 40, 40])).toMatchObject({
    hiddenMs: 0,
    lowMs: 0,
  });
});

test("20 ms are found with 90 % recall at 1 % false positives within an hour, and the intervals hold", () => {
  const steps: number[] = [];
  const result = evaluateLatency({ miners: 1200, random: numbers(42), onStep: (done) => steps.push(done) });
  const at = (method: string, samples: number) =>
    result.rows.find((row) => row.method === method && row.samples === samples && row.hiddenMs === 20);
  expect(at("minima (in use)", 60)?.recallAt1Percent).toBeGreaterThanOrEqual(0.9);
  expect(at("means", 60)?.recallAt1Percent).toBeLessThan(0.9);
  expect(result.inUse.falsePositiveRate).toBeLessThanOrEqual(0.01);
  expect(result.inUse.recall20Ms).toBeGreaterThanOrEqual(0.9);
  for (const { condition, part } of result.falsePositives) expect(part, condition).toBeLessThanOrEqual(0.02);
  for (const { covered } of result.estimates) expect(covered).toBeGreaterThan(0.98);
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(evaluateLatency({ miners: 60, random: numbers(1) })).toEqual(
    evaluateLatency({ miners: 60, random: numbers(1) }),
  );
});
