import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { CELL } from "../../src/core/cells.ts";
import { changesOf } from "../../src/core/changes.ts";
import { isFlagged, noteFlagged } from "../../src/core/flagged.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import { originOf, poissonShares, seeded } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);

/** An account that rises by a third over two days, too slowly to be a step, after a steady day. */
function rising(flagged: boolean) {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6 });
  const meanGapMs = (atMs: number) => 30_000 / (1 + Math.max(0, atMs - START - DAY_MS) / (6 * DAY_MS));
  const shares = [
    ...poissonShares(seeded(5), { fromMs: START, toMs: START + 3 * DAY_MS, meanGapMs }, { account: "slow" }),
  ];
  const day = shares.findIndex(({ atMs }) => atMs >= START + DAY_MS);
  analysis.take(shares.slice(0, day));
  const state = analysis.account("pool", "slow")!;
  noteFlagged(state, flagged, START + DAY_MS);
  const { doubles, at } = state.place;
  const before = doubles[at + CELL.baseline]!;
  analysis.take(shares.slice(day));
  return { analysis, state, before, after: doubles[at + CELL.baseline]! };
}

test("the baseline of a flagged account stays, the one of another follows", () => {
  const { before, after } = rising(false);
  expect(after).toBeGreaterThan(before * 1.02);
  const held = rising(true);
  expect(changesOf(held.state)).toEqual([]);
  expect(held.after).toBe(held.before);
});

test("silence of a flagged account does not lower its baseline either", () => {
  const { analysis, state, after } = rising(true);
  analysis.advance(START + 3 * DAY_MS + 6 * 60_000);
  expect(state.place.doubles[state.place.at + CELL.baseline]).toBe(after);
});

test("a step of a flagged account is told once and not with every share", () => {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6 });
  const stepMs = START + 30 * HOUR_MS;
  const meanGapMs = (atMs: number) => (atMs > stepMs ? 5_000 : 10_000);
  const shares = [...poissonShares(seeded(7), { fromMs: START, toMs: START + 2 * DAY_MS, meanGapMs })];
  const day = shares.findIndex(({ atMs }) => atMs >= START + DAY_MS);
  analysis.take(shares.slice(0, day));
  noteFlagged(analysis.account("pool", "alice")!, true, START + DAY_MS);
  analysis.take(shares.slice(day));
  expect(changesOf(analysis.account("pool", "alice")!)).toHaveLength(1);
});

test("being flagged outlives a restart and ends with a window that is not", () => {
  const { analysis, state } = rising(true);
  const kept = [...analysis.takeDirty().values()][0]!;
  const again = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6 });
  again.restore(kept);
  expect(isFlagged(again.account("pool", "slow")!)).toBe(true);
  noteFlagged(state, false, START + 3 * DAY_MS);
  expect(isFlagged(state)).toBe(false);
});
