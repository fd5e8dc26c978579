import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, randomFrom } from "#core/random.ts";
import { parseSeries } from "../../../models/evaluate/nab-data.ts";
import {
  bestNabScore,
  nabScoreAt,
  probationRows,
  type ScoredSeries,
} from "../../../models/evaluate/nab-score.ts";
import { createNovelty } from "../../../models/evaluate/novelty.ts";
import { sortedHistory } from "../../../models/evaluate/sorted-history.ts";

const STANDARD = { tpWeight: 1, fpWeight: 0.11, fnWeight: 1 };
const ROWS = 1_000;

function series(alarms: Record<number, number>, windows: [number, number][]): ScoredSeries {
  const scores = new Float64Array(ROWS);
  for (const [row, score] of Object.entries(alarms)) scores[Number(row)] = score;
  return { name: "made/up.csv", scores, windows };
}

describe("the score", () => {
  test("is 0 for silence and 100 for the first row of every window", () => {
    const windows: [number, number][] = [
      [300, 399],
      [700, 799],
    ];
    expect(nabScoreAt([series({}, windows)], STANDARD, 0.5).score).toBe(0);
    const perfect = bestNabScore([series({ 300: 0.9, 700: 0.8 }, windows)], STANDARD);
    expect(perfect).toEqual({ score: 100, threshold: 0.8, found: 2, windows: 2, falseRows: 0 });
  });

  test("falls the later a window is found, and counts its earliest row", () => {
    const at = (row: number) => nabScoreAt([series({ [row]: 1 }, [[300, 399]])], STANDARD, 0.5).score;
    expect(at(300)).toBeGreaterThan(at(350));
    expect(at(350)).toBeGreaterThan(at(399));
    expect(at(399)).toBeGreaterThan(50);
    const both = nabScoreAt([series({ 300: 0.6, 399: 0.9 }, [[300, 399]])], STANDARD, 0.5);
    expect(both.score).toBeCloseTo(100, 9);
  });

  test("takes off the profile's weight for a false row, less right after a window, nothing in probation", () => {
    const score = (row: number) =>
      nabScoreAt([series({ 300: 1, [row]: 1 }, [[300, 399]])], STANDARD, 0.5).score;
    expect(score(250)).toBeCloseTo(100 - 5.5, 9);
    expect(score(999)).toBeCloseTo(100 - 5.5, 9);
    expect(score(402)).toBeGreaterThan(99);
    expect(probationRows(ROWS)).toBe(150);
    expect(probationRows(20_000)).toBe(750);
    expect(score(149)).toBe(100);
  });

  test("at its best threshold is at least that at any other", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 60, maxLength: 60 }),
        fc.nat(10),
        (scores, at) => {
          const one = {
            name: "any",
            scores: Float64Array.from(scores),
            windows: [
              [20, 25],
              [40, 44],
            ] as [number, number][],
          };
          expect(bestNabScore([one], STANDARD).score).toBeGreaterThanOrEqual(
            nabScoreAt([one], STANDARD, at).score,
          );
        },
      ),
    );
  });

  test("does not take a missing score for a clean row", () => {
    expect(() => bestNabScore([series({ 500: Number.NaN }, [])], STANDARD)).toThrow("no score in row 500");
  });
});

test("a series' rows and windows are read, and a row that is none is named", () => {
  const text = "timestamp,value\n2014-04-01 00:00:00,1.5\n2014-04-01 00:05:00,-2\n2014-04-01 00:10:00,3\n";
  const read = parseSeries("a/b.csv", text, [["2014-04-01 00:05:00.000000", "2014-04-01 00:10:00.000000"]]);
  expect([...read.values]).toEqual([1.5, -2, 3]);
  expect(read.windows).toEqual([[1, 2]]);
  expect(() => parseSeries("a/b.csv", `${text}2014-04-01 00:15:00,\n`, [])).toThrow("a/b.csv: row 4");
  expect(() => parseSeries("a/b.csv", text, [["2015-01-01 00:00:00", "2015-01-01 00:00:00"]])).toThrow(
    "a/b.csv",
  );
});

test("a sorted history answers as a plain one does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      (numbers, capacity) => {
        const history = sortedHistory(capacity);
        for (const [index, value] of numbers.entries()) {
          const kept = numbers.slice(Math.max(0, index - capacity), index);
          expect(history.size).toBe(kept.length);
          expect(history.countFrom(value)).toBe(kept.filter((one) => one >= value).length);
          expect(history.distance(value)).toBe(
            kept.length === 0 ? 0 : Math.min(...kept.map((one) => Math.abs(one - value))),
          );
          history.add(value);
        }
      },
    ),
  );
});

describe("novelty", () => {
  const wave = (row: number, random: () => number) =>
    10 * Math.sin((2 * Math.PI * row) / 288) + normal(random);

  function scores(values: readonly number[]): number[] {
    const novelty = createNovelty();
    return values.map((value, row) => novelty.next(row * 300_000, value));
  }

  test("finds what was never seen: a level, a flat stretch, and says it once", () => {
    const random = randomFrom(8);
    const clean = Array.from({ length: 3_000 }, (_, row) => wave(row, random));
    const level = scores(clean.map((value, row) => (row >= 2_500 && row < 2_540 ? value + 40 : value)));
    const flat = scores(clean.map((value, row) => (row >= 2_500 && row < 2_600 ? 0 : value)));
    const highest = (found: number[], from: number, to: number) => Math.max(...found.slice(from, to));
    const quiet = highest(scores(clean), 1_000, 3_000);
    expect(highest(level, 2_500, 2_540)).toBeGreaterThan(quiet);
    expect(highest(flat, 2_500, 2_700)).toBeGreaterThan(quiet);
    expect(level.slice(2_500, 2_540).filter((score) => score > quiet).length).toBeLessThan(6);
  });

  test("knows the past alone: what follows changes nothing", () => {
    const random = randomFrom(9);
    const values = Array.from({ length: 800 }, (_, row) => wave(row, random));
    expect(scores(values.slice(0, 500))).toEqual(
      scores([...values.slice(0, 500), 1e6, -1e6, 0]).slice(0, 500),
    );
  });

  test("gives every row of any finite series a score in 0..1, and refuses the rest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e100, max: 1e100, noNaN: true }), { maxLength: 250 }),
        (values) => {
          for (const score of scores(values)) expect(score >= 0 && score < 1).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createNovelty().next(0, value)).toThrow("must be finite");
    }
  });
});
