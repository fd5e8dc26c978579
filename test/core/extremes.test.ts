import { describe, expect, test } from "vitest";
import { ExtremeInputError, type ExtremeOptions, Extremes, fitPareto } from "#core/extremes.ts";
import { HOURLY } from "#core/hour-metrics.ts";
import { exponential, normal, type Random, randomFrom } from "#core/random.ts";

const STREAMS: [name: string, draw: (random: Random) => number][] = [
  ["an exponential", exponential],
  ["a Gaussian", normal],
  // Survival x⁻³: its variance is finite, its skewness is not.
  ["a heavy-tailed", (random) => (1 - random()) ** (-1 / 3)],
];

/** Exceedances over those asked for, over `seeds` streams of `values` values after the warm-up. */
function excess(
  draw: (random: Random) => number,
  options: ExtremeOptions,
  { seeds, values, drift = 0 }: { seeds: number; values: number; drift?: number },
): number {
  const learning = options.warmUp + options.depth;
  let exceeded = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = randomFrom(seed, 3);
    const extremes = new Extremes(options);
    for (let index = 0; index < learning + values; index += 1)
      if (extremes.take(draw(random) + drift * index)) exceeded += 1;
  }
  return exceeded / (seeds * values * options.risk);
}

/** As the paper has it: a thousand values of warm-up, peaks over the 98th percentile. */
const PAPER: ExtremeOptions = { risk: 1e-3, warmUp: 1000, level: 0.98, peaks: 200, depth: 0 };

describe.each(STREAMS)("on %s stream", (_, draw) => {
  test("values exceed the threshold as often as was asked for, within a factor of two", () => {
    const ratio = excess(draw, PAPER, { seeds: 20, values: 10_000 });
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  test("within that factor after no more than a week of hours too", () => {
    const ratio = excess(draw, HOURLY, { seeds: 60, values: 2000 });
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  test("the drift version holds that rate while the level rises by a hundred deviations, where SPOT does not", () => {
    const options = { ...PAPER, level: 0.95, depth: 24 };
    const slow = { seeds: 10, values: 10_000, drift: 0.01 };
    const ratio = excess(draw, options, slow);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    expect(excess(draw, { ...options, depth: 0 }, { ...slow, seeds: 1 })).toBeGreaterThan(10);
  });
});

test.each([
  ["exponential", 0],
  ["bounded", -0.3],
  ["heavy", 0.4],
])("the fit finds shape and scale of %s excesses", (_, shape) => {
  const random = randomFrom(9);
  const draws = Float64Array.from({ length: 20_000 }, () => {
    const left = 1 - random();
    return 5 * (shape === 0 ? -Math.log(left) : (left ** -shape - 1) / shape);
  });
  const fit = fitPareto(draws);
  expect(Math.abs(fit.shape - shape)).toBeLessThan(0.03);
  expect(Math.abs(fit.scale / 5 - 1)).toBeLessThan(0.03);
});

test("a value far beyond all is told with its threshold, and one does not blind for the next", () => {
  const random = randomFrom(4);
  const extremes = new Extremes({ ...PAPER, depth: 24 });
  for (let index = 0; index < 2000; index += 1) extremes.take(100 + normal(random));
  const first = extremes.take(1e9);
  expect(first).toMatchObject({ value: 1e9 });
  expect(first!.threshold).toBeGreaterThan(102);
  expect(first!.threshold).toBeLessThan(107);
  const second = extremes.take(120);
  expect(second).toBeDefined();
  expect(second!.threshold).toBeLessThan(110);
});

test("a metric that never varies has no threshold, and what it does at last is not told", () => {
  const extremes = new Extremes(PAPER);
  for (let index = 0; index < 3000; index += 1) expect(extremes.take(5)).toBeUndefined();
  expect(extremes.take(6)).toBeUndefined();
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %f and goes on as if it had not come", (value) => {
  const random = randomFrom(2);
  const [one, other] = [new Extremes(PAPER), new Extremes(PAPER)];
  for (let index = 0; index < 1500; index += 1) {
    const draw = normal(random);
    one.take(draw);
    other.take(draw);
  }
  expect(() => one.take(value)).toThrow(ExtremeInputError);
  expect(one.take(50)).toEqual(other.take(50));
});
