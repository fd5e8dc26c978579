import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Dataset } from "../../../models/evaluate/dataset.ts";
import { stabilityFinding } from "../../../models/evaluate/stability.ts";
import { makeReference } from "../../../models/reference.ts";
import { createWatch } from "../../../models/watch.ts";
import { seeded } from "../../support/shares.ts";

const ACCOUNTS = 240;
const DAYS = 14;
const HOUR_MS = 3_600_000;
const SIZE = FEATURE_INDEX.get("hashrate.size")!;
const AGE = FEATURE_INDEX.get("operator.age")!;

/** Two worlds of honest accounts, seen twice a day; the second doubles its hashrate on the twelfth day. */
function draw(): Dataset {
  const random = seeded(3);
  const width = FEATURES.length;
  const rows: number[] = [];
  const [atMs, owner]: [number[], number[]] = [[], []];
  for (const world of [0, 1]) {
    for (let window = 1; window <= 2 * DAYS; window += 1) {
      for (let account = 0; account < ACCOUNTS; account += 1) {
        const row = new Array<number>(width).fill(Number.NaN);
        row[SIZE] = 12 + random() + (world === 1 && window > 22 ? 0.3 : 0);
        row[AGE] = Math.log10(1 + 12 * window);
        rows.push(...row);
        atMs.push(12 * window * HOUR_MS);
        owner.push(world * ACCOUNTS + account);
      }
    }
  }
  const honest = { pool: "p", account: "a", kind: "hobbyist", typology: null, care: null, campaign: null };
  return {
    rows: Float32Array.from(rows),
    count: owner.length,
    atMs: Float64Array.from(atMs),
    owner: Uint32Array.from(owner),
    truth: Array.from({ length: 2 * ACCOUNTS }, () => ({ ...honest, machines: 1, hiddenLegMs: 0 })),
    worldOf: Array.from({ length: 2 * ACCOUNTS }, (_, index) => Math.floor(index / ACCOUNTS)),
  };
}

test("each world is held against its own ninth day, and the one that moves is seen to", () => {
  const set = draw();
  const values = new Float32Array(set.count).fill(1e-6);
  const reference = makeReference(set.rows, set.count, new Float64Array(set.count), set.owner);
  const found = stabilityFinding(set, values, createWatch(reference, 12));
  if (!found || !("plot" in found)) throw new Error("no plot");
  const line = (name: string) => new Map(found.lines.find((each) => each.name === name)!.points);
  const days = [...line("largest").keys()];
  expect(days[0]).toBe(1);
  expect(days.at(-1)).toBeLessThanOrEqual(DAYS - 8);
  expect(line("largest").get(1)).toBeLessThan(0.1);
  expect(line("largest").get(days.at(-1)!)).toBeGreaterThan(0.25);
  // Of two worlds the upper is the median's; the quiet one alone shows nothing.
  const quiet = { ...set, worldOf: set.worldOf.map(() => 0), count: set.count / 2 };
  const calm = stabilityFinding(quiet, values, createWatch(reference, 12));
  if (!calm || !("plot" in calm)) throw new Error("no plot");
  for (const [, index] of calm.lines.find(({ name }) => name === "largest")!.points)
    expect(index).toBeLessThan(0.1);
});

test("worlds too short for a reference have no drift to show", () => {
  const set = draw();
  const values = new Float32Array(set.count);
  const reference = makeReference(set.rows, set.count, new Float64Array(set.count), set.owner);
  const short = { ...set, count: ACCOUNTS * 10 };
  expect(stabilityFinding(short, values, createWatch(reference, 12))).toBeNull();
});
