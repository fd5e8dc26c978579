import fc from "fast-check";
import { expect, test } from "vitest";
import { Ranks, rankOdds } from "../../models/ranks.ts";
import { createRandom } from "../../models/simulate/random.ts";

const exponential = (seed: number, count: number): Float64Array => {
  const random = createRandom(seed, "ranks");
  return Float64Array.from({ length: count }, () => -Math.log(1 - random.between(0, 1)));
};

test("among the values a rank is the empirical one, equal values above", () => {
  const sorted = Float64Array.of(1, 2, 2, 3);
  const above = [4.5, 4.5, 3.5, 1.5, 0.5].map((count) => count / 5);
  expect([0, 1, 2, 3, 4].map((value) => rankOdds(sorted, value))).toEqual(
    above.map((part) => Math.log((1 - part) / part)),
  );
});

test("beyond the values the tail goes on as it began: an exponential one by its own law", () => {
  const ranks = new Ranks(exponential(1, 10_000));
  // P(X > x) = exp(-x), so the odds at x are close to x. A hundred values tell the mean excess to a tenth.
  for (const value of [2, 4, 6, 9, 12])
    expect(Math.abs(ranks.of(value) - value)).toBeLessThan(0.1 * value + 0.2);
});

test("odds never fall where the value rises, and lead back to it", () => {
  const ranks = new Ranks(exponential(2, 3000));
  fc.assert(
    fc.property(
      fc.double({ min: -1, max: 30, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      (value, more) => {
        expect(ranks.of(value + more)).toBeGreaterThanOrEqual(ranks.of(value));
        expect(Number.isFinite(ranks.of(value))).toBe(true);
      },
    ),
  );
  for (const value of [0.1, 1, 3, 8, 20])
    expect(Math.abs(ranks.at(ranks.of(value)) - value)).toBeLessThan(0.01 * value + 0.01);
  let before = Number.NEGATIVE_INFINITY;
  for (let odds = -12; odds < 20; odds += 0.25) {
    expect(ranks.at(odds)).toBeGreaterThanOrEqual(before);
    before = ranks.at(odds);
  }
});

test("few values, or all alike, have ranks and no tail", () => {
  const alike = new Ranks(new Float64Array(50).fill(7));
  expect(alike.of(8)).toBe(Math.log((1 - 0.5 / 51) / (0.5 / 51)));
  expect(alike.at(30)).toBe(7);
  const single = new Ranks(Float64Array.of(3));
  expect(single.of(2)).toBeLessThan(single.of(4));
});
