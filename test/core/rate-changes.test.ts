import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { changesOf, factorOf } from "../../src/core/changes.ts";
import { FOCUS_CELLS, resetFocus } from "../../src/core/focus.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import type { Share } from "../../src/core/observation.ts";
import {
  BASELINE_CELLS,
  type Change,
  type RateDetector,
  rateByShare,
  rateByTick,
  ticks,
} from "../../src/core/rate-changes.ts";
import { originOf, poissonShares, seeded, shareOf } from "../support/shares.ts";

const TICK_MS = 5 * 60_000;
const START = Date.UTC(2026, 5, 1);

/** Gives a detector shares whose rate, of `perHour` on average, is redrawn every hour. Returns what it tells. */
function watch(days: number, perHour: number, factor: (hour: number) => number, seed: number): Change[] {
  const random = seeded(seed);
  const cells = new Float64Array(BASELINE_CELLS + FOCUS_CELLS);
  resetFocus(cells, BASELINE_CELLS);
  const detector: RateDetector = {
    cells,
    baseline: 0,
    focus: BASELINE_CELLS,
    firstMs: 0,
    lastNats: 0,
    held: false,
    factor: 1,
  };
  const told: Change[] = [];
  let nextTick = TICK_MS;
  for (let hour = 0; hour < 24 * days; hour += 1) {
    const gapMs = HOUR_MS / (perHour * factor(hour));
    for (let atMs = hour * HOUR_MS; ; ) {
      atMs += -Math.log(1 - random()) * gapMs;
      const ended = atMs >= (hour + 1) * HOUR_MS;
      for (; nextTick < Math.min(atMs, (hour + 1) * HOUR_MS); nextTick += TICK_MS) {
        const change = ticks(cells, 0, nextTick) ? rateByTick(detector, nextTick) : undefined;
        if (change) told.push(change);
      }
      if (ended) break;
      const change = rateByShare(detector, 1, atMs);
      if (change) told.push(change);
    }
  }
  return told;
}

/** Sum of four exponentials over four: gamma with mean 1 and variance 1/4. */
const gamma = (random: () => number): number =>
  -Math.log((1 - random()) * (1 - random()) * (1 - random()) * (1 - random())) / 4;

test("a Poisson process is told no change in a quarter of a million shares, where one in a million is meant", () => {
  for (let seed = 2; seed <= 6; seed += 1) expect(watch(35, 60, () => 1, seed)).toEqual([]);
});

test("a rate that scatters from hour to hour is no row of changes, once its scatter is learned", () => {
  const random = seeded(7);
  const told = watch(35, 30, () => gamma(random), 2);
  // Hours at twice and at half the mean are the rule here: 30 shares where 15 or 60 were expected.
  expect(told.filter(({ atMs }) => atMs > 7 * DAY_MS).length).toBeLessThanOrEqual(3);
});

test("a step is told within hours all the same, in a process that scatters too", () => {
  for (const scatter of [false, true]) {
    const random = seeded(9);
    const step = (hour: number): number => (hour < 24 * 20 ? 1 : 0.25) * (scatter ? gamma(random) : 1);
    const told = watch(23, 60, step, 3).filter(({ atMs }) => atMs > 19 * DAY_MS);
    const first = told[0]!;
    expect(first.log2Ratio).toBeLessThan(-1);
    expect(Math.abs(first.atMs - 20 * DAY_MS)).toBeLessThan((scatter ? 12 : 1) * HOUR_MS);
  }
});

/** Changes told of one account with machines of different difficulties, `[difficulty, shares an hour]` each, from a day. */
function mixed(machines: readonly (readonly [number, number])[], days: number, stopsAtDay = days): Change[] {
  const random = seeded(8);
  const shares = machines.flatMap(([difficulty, perHour], index) => {
    const toMs = START + (index === 0 ? stopsAtDay : days) * DAY_MS;
    return [
      ...poissonShares(random, { fromMs: START, toMs, meanGapMs: () => HOUR_MS / perHour }, { difficulty }),
    ];
  });
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  analysis.take(shares.sort((left, right) => left.atMs - right.atMs));
  return changesOf(analysis.account("pool", "alice")!);
}

test("machines of many difficulties in one account are no change, and the large one that stops is", () => {
  // A home's small miner beside a farm's machine, both at vardiff's rate; and a hundred small ones beside one.
  const home = [
    [8300, 30],
    [100, 30],
  ] as const;
  expect(mixed(home, 6)).toEqual([]);
  expect(mixed([[8300, 10], ...Array.from({ length: 20 }, () => [400, 10] as const)], 6)).toEqual([]);
  const [fall] = mixed(home, 6, 5);
  expect(fall!.log2Ratio).toBeLessThan(-2);
  expect(Math.abs(fall!.atMs - (START + 5 * DAY_MS))).toBeLessThan(2 * HOUR_MS);
});

test("connections that begin at a low difficulty, and a difficulty that falls a hundredfold, are no change", () => {
  const random = seeded(9);
  const steady = poissonShares(
    random,
    { fromMs: START, toMs: START + 5 * DAY_MS, meanGapMs: () => 60_000 },
    { difficulty: 10_000 },
  );
  // Every hour one connection begins anew: ten shares of a thousandth of the difficulty within seconds.
  const begun = Array.from({ length: 1200 }, (_, index) =>
    shareOf({ atMs: START + Math.floor(index / 10) * HOUR_MS + (index % 10) * 600, difficulty: 10 }),
  );
  const fallen = poissonShares(
    random,
    { fromMs: START + 5 * DAY_MS, toMs: START + 6 * DAY_MS, meanGapMs: () => 600 },
    { difficulty: 100 },
  );
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  analysis.take([...[...steady, ...begun].sort((left, right) => left.atMs - right.atMs), ...fallen]);
  expect(changesOf(analysis.account("pool", "alice")!)).toEqual([]);
});

/** On from 18:00 to 8:00 at half a minute a share, and off in between. */
const nightly = (days: number, isOn = (hour: number): boolean => hour >= 18 || hour < 8): Share[] =>
  [
    ...poissonShares(seeded(4), {
      fromMs: START,
      toMs: START + days * DAY_MS,
      meanGapMs: () => 60_000,
    }),
  ].filter(({ atMs }) => isOn(new Date(atMs).getUTCHours()));

test("who mines every night is told a change or two while that is learned, and none after", () => {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  analysis.take(nightly(14));
  const state = analysis.account("pool", "alice")!;
  expect(changesOf(state).filter(({ atMs }) => atMs > START + 5 * DAY_MS)).toEqual([]);
  // 23:00, an hour of 14 in which it mines: 24/14 of the mean.
  expect(factorOf(state)).toBeGreaterThan(1.5);
  expect(factorOf(state)).toBeLessThan(1.9);
});

test("a night that stays dark is told, since work was expected then", () => {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  const dark = START + 12 * DAY_MS;
  analysis.take(nightly(14).filter(({ atMs }) => atMs < dark + 8 * HOUR_MS || atMs > dark + 31 * HOUR_MS));
  const told = changesOf(analysis.account("pool", "alice")!).filter(({ atMs }) => atMs > dark);
  expect(told.length).toBeGreaterThan(0);
  expect(told[0]!.log2Ratio).toBeLessThan(-1);
  // The time it had no shares begins in the morning, when none were expected.
  expect(told[0]!.atMs).toBeLessThan(dark + 19 * HOUR_MS);
});

test("a burst on one day is no profile", () => {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  const random = seeded(5);
  const burst = START + 4 * DAY_MS + 20 * HOUR_MS;
  analysis.take(
    [
      ...poissonShares(random, { fromMs: START, toMs: START + 6.85 * DAY_MS, meanGapMs: () => 120_000 }),
      ...poissonShares(random, { fromMs: burst, toMs: burst + 2 * HOUR_MS, meanGapMs: () => 10_000 }),
    ].sort((a, b) => a.atMs - b.atMs),
  );
  expect(factorOf(analysis.account("pool", "alice")!)).toBeCloseTo(1, 1);
});
