import { expect, test } from "vitest";
import { makeReference } from "../../models/reference.ts";
import { createRandom } from "../../models/simulate/random.ts";
import { createWatch, type Watch } from "../../models/watch.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";

const width = FEATURES.length;
const START = Date.UTC(2026, 5, 1);
const AGE = FEATURE_INDEX.get("operator.age")!;
const SIZE = FEATURE_INDEX.get("hashrate.size")!;
const ALL = 400;

/** Rows of a pool `days` after Assay was installed: normal features, a tenth missing. */
function drawRows(seed: number, days: number, shift: (row: number) => number = () => 0, count = ALL) {
  const random = createRandom(seed, "watch");
  const rows = new Float32Array(count * width);
  for (let index = 0; index < rows.length; index += 1) {
    const { range } = FEATURES[index % width]!;
    const middle = (range[0] + range[1]) / 2;
    const spread = (range[1] - range[0]) / 8;
    rows[index] = random.chance(0.1) ? Number.NaN : middle + spread * random.normal();
  }
  for (let row = 0; row < count; row += 1) {
    rows[row * width + AGE] = Math.log10(24 * days + 1);
    rows[row * width + SIZE]! += shift(row);
  }
  return rows;
}

const known = drawRows(1, 9, () => 0, 3000);
const logits = Float64Array.from({ length: 3000 }, (_, row) => -8 + 2 * createRandom(row, "logit").normal());
const reference = makeReference(
  known,
  3000,
  logits,
  Uint32Array.from({ length: 3000 }, (_, row) => row),
);
const honest = (seed: number, count = ALL) =>
  Float32Array.from(
    { length: count },
    (_, row) => 1 / (1 + Math.exp(8 - 2 * createRandom(seed * 10_000 + row, "logit").normal())),
  );

/** One day of windows, six hours apart. */
function day(watch: Watch, days: number, shift?: (row: number) => number, leftOut = (_: number) => false) {
  let last = watch.standings()[0];
  for (let hour = 6; hour <= 24; hour += 6) {
    const rows = drawRows(days * 100 + hour, days, shift);
    const atMs = START + days * DAY_MS + hour * HOUR_MS;
    last = watch.take({ pool: "main", atMs, rows, values: honest(days + hour), leftOut });
  }
  return last!;
}

test("the pool's own reference is taken when a week has filled, then the same population is steady", () => {
  const watch = createWatch(reference, 6);
  expect(day(watch, 2)).toMatchObject({ state: "learning", reference: null });
  expect(day(watch, 9)).toMatchObject({ state: "steady", reference: { accounts: ALL } });
  const standing = day(watch, 10);
  expect(standing.state).toBe("steady");
  expect(Math.max(...standing.features.map(({ psi }) => psi ?? 0))).toBeLessThan(0.05);
  expect(watch.drifted("main")).toEqual([]);
});

test("a feature that moves warns, then stops the thresholds and is named; what returns is steady again", () => {
  const watch = createWatch(reference, 6);
  day(watch, 9);
  const [low, high] = FEATURES[SIZE]!.range;
  const spread = (high - low) / 8;
  expect(day(watch, 10, () => 0.4 * spread).state).toBe("warn");
  expect(watch.drifted("main")).toEqual([]);
  expect(day(watch, 11, () => spread).state).toBe("stop");
  expect(watch.drifted("main").map(({ feature }) => feature)).toEqual(["hashrate.size"]);
  expect(watch.drifted("main")[0]!.psi).toBeGreaterThan(0.25);
  expect(watch.drifted("other")).toEqual([]);
  expect(day(watch, 12).state).toBe("steady");
});

test("a source that goes missing is drift; the age of accounts, which only grows, is none", () => {
  const watch = createWatch(reference, 6);
  day(watch, 9);
  const standing = day(watch, 40, () => Number.NaN);
  expect(standing.features[AGE]!.psi).toBeNull();
  // What is summed over a month or a quarter goes on filling, as the age goes on growing.
  for (const name of ["operator.actions", "payout.payments", "linkage.clusterHours"])
    expect(standing.features[FEATURE_INDEX.get(name)!]!.psi).toBeNull();
  expect(standing.features[SIZE]!.training).toBeNull();
  expect(watch.drifted("main").map(({ feature }) => feature)).toEqual(["hashrate.size"]);
});

test("accounts that are flagged move neither the reference nor what is held against it", () => {
  const third = (row: number) => row % 3 === 0;
  const moved = (row: number) => (third(row) ? 3 : 0);
  const watch = createWatch(reference, 6);
  day(watch, 9, moved, third);
  expect(day(watch, 10, moved, third)).toMatchObject({ state: "steady", accounts: 266 });
  expect(day(watch, 11, () => 0).state).toBe("steady");
  const learning = createWatch(reference, 6);
  day(learning, 9, moved);
  expect(day(learning, 10, () => 0).state).toBe("warn");
});

test("accounts that all hold nearly one value do not drift when it moves by a hair", () => {
  const hair = (by: number) => (row: number) => {
    const random = createRandom(row, "hair");
    return 2 + by + 0.001 * random.normal();
  };
  const narrow = (watch: Watch, days: number, by: number) => {
    let last: ReturnType<Watch["take"]> | undefined;
    for (let hour = 6; hour <= 24; hour += 6) {
      const rows = drawRows(days * 100 + hour, days);
      for (let row = 0; row < ALL; row += 1) rows[row * width + SIZE] = hair(by)(row);
      last = watch.take({
        pool: "main",
        atMs: START + days * DAY_MS + hour * HOUR_MS,
        rows,
        values: honest(days),
        leftOut: () => false,
      });
    }
    return last!.features[SIZE]!.psi!;
  };
  const watch = createWatch(reference, 6);
  narrow(watch, 9, 0);
  expect(narrow(watch, 10, 0.01)).toBeLessThan(0.1);
  expect(narrow(watch, 11, 1)).toBeGreaterThan(0.25);
});

test("few accounts say nothing", () => {
  const watch = createWatch(reference, 24);
  const rows = drawRows(3, 20, () => 0, 199);
  const standing = watch.take({ pool: "p", atMs: START, rows, values: honest(3, 199), leftOut: () => false });
  expect(standing).toMatchObject({ state: "few", accounts: 199, features: [], conformal: null });
});

test("conformal p-values of honest scores are uniform, of scores that rose they are not", () => {
  const watch = createWatch(reference, 6);
  const standing = day(watch, 9);
  expect(standing.conformal!.distance).toBeLessThan(1.63 * Math.sqrt(1 / ALL + 6 / 3000));
  const rows = drawRows(4, 9);
  const values = honest(4).map((value) => Math.min(0.9, 20 * value));
  const risen = watch.take({ pool: "main", atMs: START + 10 * DAY_MS, rows, values, leftOut: () => false });
  const fresh = createWatch(reference, 24);
  const measured = fresh.take({ pool: "main", atMs: START, rows, values, leftOut: () => false });
  expect(measured.conformal!.distance).toBeGreaterThan(0.4);
  expect(measured.conformal!.low).toBeGreaterThan(0.05);
  expect(risen.atMs).toBeLessThan(START + 10 * DAY_MS + 1);
});

test("the reference and the last standing outlive a restart; what another feature schema wrote does not", () => {
  const watch = createWatch(reference, 6);
  day(watch, 9);
  day(watch, 11, () => 3);
  const bytes = watch.write();
  const again = createWatch(reference, 6);
  again.restore(bytes);
  expect(again.standings()).toEqual(watch.standings());
  expect(again.drifted("main")).toEqual(watch.drifted("main"));
  // One window is not a day: until it is, what was measured stands.
  const rows = drawRows(7, 12);
  const first = again.take({
    pool: "main",
    atMs: START + 13 * DAY_MS,
    rows,
    values: honest(7),
    leftOut: () => false,
  });
  expect(first.state).toBe("stop");
  expect(day(again, 14).state).toBe("steady");
  const other = createWatch(reference, 6);
  other.restore(
    new TextEncoder().encode(new TextDecoder().decode(bytes).replace(/"schema":"[^"]+"/, '"schema":"1-0"')),
  );
  expect(other.standings()).toEqual([]);
});

test("a reference that is forgotten is taken anew, from what is there then", () => {
  const watch = createWatch(reference, 6);
  expect(watch.forget("main")).toBe(false);
  day(watch, 9);
  expect(day(watch, 11, () => 3).state).toBe("stop");
  expect(watch.forget("main")).toBe(true);
  expect(watch.drifted("main")).toEqual([]);
  expect(day(watch, 12, () => 3).state).toBe("steady");
  expect(day(watch, 13, () => 3).state).toBe("steady");
});

test("pools beyond the bound are counted and not watched", () => {
  const watch = createWatch(reference, 24);
  const rows = drawRows(5, 9);
  for (let pool = 0; pool < 40; pool += 1)
    watch.take({ pool: `p${pool}`, atMs: START, rows, values: honest(5), leftOut: () => false });
  expect(watch.standings()).toHaveLength(32);
  expect(watch.unwatched).toBe(8);
});
