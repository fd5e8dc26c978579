import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FOCUS_CELLS,
  FocusInputError,
  focusChange,
  focusStatistic,
  resetFocus,
  thresholdFor,
  updateFocus,
} from "#core/focus.ts";
import { exponential, randomFrom } from "#core/random.ts";

interface Step {
  events: number;
  operationalTime: number;
}

/** Every start, every time: what the detector must equal. Starts are the reset and the last share of each instant. */
function oracle(steps: readonly Step[]): { statistic: number; start: { time: number; events: number } } {
  const starts: { time: number; events: number }[] = [{ time: 0, events: 0 }];
  let time = 0;
  let events = 0;
  for (const step of steps) {
    time += step.operationalTime;
    events += step.events;
    const last = starts.at(-1)!;
    if (last.time === time) last.events = events;
    else if (step.events > 0) starts.push({ time, events });
  }
  let statistic = 0;
  let start = { time, events };
  for (const candidate of starts) {
    const n = events - candidate.events;
    const e = time - candidate.time;
    if (e <= 0) continue;
    const ratio = (n === 0 ? 0 : n * Math.log(n / e)) - n + e;
    if (ratio > statistic) {
      statistic = ratio;
      start = candidate;
    }
  }
  return { statistic, start };
}

function detectorAfter(steps: readonly Step[], at = 0): Float64Array {
  const cells = new Float64Array(at + FOCUS_CELLS);
  resetFocus(cells, at);
  for (const step of steps) updateFocus(cells, at, step.events, step.operationalTime);
  return cells;
}

const step = fc.record({
  events: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1) }, fc.nat(5)),
  operationalTime: fc.oneof(
    fc.constant(0),
    fc.double({ min: 1e-6, max: 8, noNaN: true }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
  ),
});

describe("the statistic", () => {
  test("equals the maximum over every start, after every step", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        for (let length = 1; length <= steps.length; length += 1) {
          const prefix = steps.slice(0, length);
          const { statistic } = oracle(prefix);
          expect(Math.abs(focusStatistic(detectorAfter(prefix), 0) - statistic)).toBeLessThan(
            1e-9 + 1e-9 * statistic,
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  test("equals it where shares of many difficulties are parts of an event", () => {
    const random = randomFrom(12, 1);
    const steps = Array.from({ length: 2000 }, (_, index) => ({
      events: 0.01 + 3 * random() ** 4,
      operationalTime: 0.6 * exponential(random) * (index < 1500 ? 1 : 1.6),
    }));
    for (const length of [300, 1500, 1600, 2000]) {
      const { statistic } = oracle(steps.slice(0, length));
      expect(statistic).toBeGreaterThan(0);
      expect(focusStatistic(detectorAfter(steps.slice(0, length)), 0)).toBeCloseTo(statistic, 8);
    }
  });

  test.each([0.1, 0.5, 0.9, 1, 1.1, 2, 10])("equals it on 3,000 shares at %f times the rate", (ratio) => {
    const random = randomFrom(11, Math.round(ratio * 100));
    const steps: Step[] = [];
    for (let index = 0; index < 3000; index += 1) {
      const rate = index < 2000 ? 1 : ratio;
      steps.push({ events: 1, operationalTime: exponential(random) / rate });
    }
    for (const length of [500, 2000, 2050, 3000]) {
      const { statistic, start } = oracle(steps.slice(0, length));
      const cells = detectorAfter(steps.slice(0, length));
      const change = focusChange(cells, 0);
      expect(focusStatistic(cells, 0)).toBeCloseTo(statistic, 8);
      expect(change.events).toBe(length - start.events);
      expect(change.logLikelihoodRatio).toBeCloseTo(statistic, 8);
    }
  });

  test("stays within its bound where more starts would be kept than there is room for", () => {
    // A rate that climbs without end bends the path, so that every share would stay on the hull.
    const steps = Array.from({ length: 4000 }, (_, index) => ({
      events: 1,
      operationalTime: 1 / (1 + index / 1000),
    }));
    for (const direction of [1, -1]) {
      const bent =
        direction === 1
          ? steps
          : steps.map(({ operationalTime }) => ({ events: 1, operationalTime: 1 / operationalTime }));
      const { statistic } = oracle(bent);
      const reached = focusStatistic(detectorAfter(bent), 0);
      expect(reached).toBeLessThanOrEqual(statistic + 1e-6);
      expect(reached).toBeGreaterThan(statistic * 0.999);
    }
  });

  test("rises with silence alone, and says the rate fell", () => {
    const cells = detectorAfter(Array.from({ length: 50 }, () => ({ events: 1, operationalTime: 1 })));
    let last = focusStatistic(cells, 0);
    for (let tick = 0; tick < 20; tick += 1) {
      updateFocus(cells, 0, 0, 0.5);
      const now = focusStatistic(cells, 0);
      expect(now).toBeGreaterThan(last);
      last = now;
    }
    const change = focusChange(cells, 0);
    expect(change).toMatchObject({ direction: -1, events: 0, ratio: 0 });
    expect(change.operationalTime).toBeCloseTo(10, 9);
    expect(change.logLikelihoodRatio).toBeCloseTo(10, 9);
  });

  test("does not depend on how often the timer ticks", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 2, max: 9 }),
        (steps, parts) => {
          const ticked = steps.flatMap(({ events, operationalTime }) => [
            ...Array.from({ length: parts - 1 }, () => ({
              events: 0,
              operationalTime: operationalTime / parts,
            })),
            { events, operationalTime: operationalTime / parts },
          ]);
          const plain = focusStatistic(detectorAfter(steps), 0);
          expect(Math.abs(focusStatistic(detectorAfter(ticked), 0) - plain)).toBeLessThan(1e-6 * (1 + plain));
        },
      ),
    );
  });

  test("is finite for a burst with one time stamp, at the start too", () => {
    const burst = detectorAfter([
      { events: 1, operationalTime: 0 },
      { events: 3, operationalTime: 0 },
    ]);
    expect(focusStatistic(burst, 0)).toBe(0);
    expect(focusChange(burst, 0)).toEqual({
      direction: 0,
      ratio: 1,
      logLikelihoodRatio: 0,
      events: 0,
      operationalTime: 0,
    });
  });
});

describe("the cells", () => {
  test("of neighbours are left alone", () => {
    const cells = new Float64Array(3 * FOCUS_CELLS).fill(42);
    resetFocus(cells, FOCUS_CELLS);
    const random = randomFrom(5);
    for (let index = 0; index < 5000; index += 1)
      updateFocus(cells, FOCUS_CELLS, 1, exponential(random) * (1 + index / 1000));
    for (let index = 0; index < 5000; index += 1)
      updateFocus(cells, FOCUS_CELLS, 1, exponential(random) / (1 + index / 1000));
    focusChange(cells, FOCUS_CELLS);
    expect(cells.subarray(0, FOCUS_CELLS).every((cell) => cell === 42)).toBe(true);
    expect(cells.subarray(2 * FOCUS_CELLS).every((cell) => cell === 42)).toBe(true);
  });

  test("are fresh after a reset", () => {
    const steps = Array.from({ length: 300 }, (_, index) => ({
      events: 1,
      operationalTime: index < 200 ? 1 : 0.4,
    }));
    const cells = detectorAfter(steps);
    resetFocus(cells, 0);
    for (const { events, operationalTime } of steps) updateFocus(cells, 0, events, operationalTime);
    expect(focusStatistic(cells, 0)).toBe(focusStatistic(detectorAfter(steps), 0));
  });
});

test.each([
  ["operational time", 1, Number.NaN],
  ["operational time", 1, -1],
  ["operational time", 1, Number.POSITIVE_INFINITY],
  ["events", Number.NaN, 1],
  ["events", -1, 1],
  ["events", Number.POSITIVE_INFINITY, 1],
  ["events", Number.POSITIVE_INFINITY, 1],
])("refuses %s that cannot be (%f, %f) and keeps what it had", (name, events, operationalTime) => {
  const cells = detectorAfter([
    { events: 1, operationalTime: 1 },
    { events: 1, operationalTime: 0.2 },
  ]);
  const before = cells.slice();
  expect(() => updateFocus(cells, 0, events, operationalTime)).toThrow(FocusInputError);
  expect(() => updateFocus(cells, 0, events, operationalTime)).toThrow(name);
  expect(cells).toEqual(before);
});

test("a threshold holds for a mean time between false alarms and for no other", () => {
  expect(thresholdFor(1e5)).toBeGreaterThan(12.5);
  expect(thresholdFor(1e5)).toBeLessThan(13.5);
  fc.assert(
    fc.property(fc.double({ min: 100, max: 9e5, noNaN: true }), (gamma) => {
      expect(thresholdFor(gamma * 1.1)).toBeGreaterThan(thresholdFor(gamma));
    }),
  );
  for (const gamma of [0, 1, Number.NaN, -5, 2e12])
    expect(() => thresholdFor(gamma)).toThrow(FocusInputError);
});
