import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { evidenceOf } from "../../src/core/assess.ts";
import { changesOf } from "../../src/core/changes.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import type { Share } from "../../src/core/observation.ts";
import { SILENCE_LOG2 } from "../../src/core/rate-changes.ts";
import { MAX_WORKERS, type Roster, type WorkerChange, Workers } from "../../src/core/workers.ts";
import { originOf, poissonShares, seeded } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
const analysisOf = (topAccounts: number) =>
  new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6, topAccounts });
const rosterOf = (): Roster => ({ workers: new Map(), fullUntilMs: 0 });

/** Ten workers, each a share a minute; what `gapMs` says of each may change with time. */
function farm(gapMs: (worker: number, atMs: number) => number, days: number): Share[] {
  const random = seeded(23);
  const span = { fromMs: START, toMs: START + days * DAY_MS };
  return Array.from({ length: 10 }, (_, index) => [
    ...poissonShares(random, { ...span, meanGapMs: (atMs) => gapMs(index, atMs) }, { worker: `rig${index}` }),
  ])
    .flat()
    .sort((a, b) => a.atMs - b.atMs);
}

/** Rig 3 stops for a day, and rig 7 slows to a third when it comes back: too little for the account to show. */
const quietMs = START + DAY_MS;
const backMs = START + 2 * DAY_MS;
const troubled = (): Share[] =>
  farm((worker, atMs) => (worker === 7 && atMs > backMs ? 180_000 : 60_000), 3).filter(
    ({ worker, atMs }) => worker !== "rig3" || atMs < quietMs || atMs >= backMs,
  );

test("a worker that stops, returns or slows down is told by name, where its account shows nothing", () => {
  const analysis = analysisOf(1);
  analysis.take(troubled());
  const state = analysis.account("pool", "alice")!;
  expect(changesOf(state)).toEqual([]);
  const { workers } = evidenceOf(state, START + 3 * DAY_MS);
  expect(workers).toMatchObject([
    { worker: "rig3", became: "silent" },
    { worker: "rig3", became: "back" },
    { worker: "rig7", became: "changed" },
  ]);
  const [silent, back, slow] = workers!;
  expect(Math.abs(silent!.atMs - quietMs)).toBeLessThan(10 * 60_000);
  expect(silent!.logLikelihoodRatio).toBeGreaterThan(14);
  expect(Math.abs(back!.atMs - backMs)).toBeLessThan(10 * 60_000);
  expect(back!.logLikelihoodRatio).toBe(silent!.logLikelihoodRatio);
  expect(Math.abs(slow!.atMs - backMs)).toBeLessThan(HOUR_MS);
  expect(slow!.ratio).toBeGreaterThan(0.2);
  expect(slow!.ratio).toBeLessThan(0.5);
  const told = analysis
    .takeDeltas()
    .filter(({ measurement }) => measurement === "account_worker_change")
    .map(({ tags, bucketMs, values }) => ({ tags, bucketMs, values }));
  expect(told.map(({ tags }) => tags)).toEqual(Array(3).fill(["pool", "alice"]));
  expect(told.map(({ values }) => values.slice(0, 2))).toEqual([
    [1, 1],
    [1, 0],
    [1, 0],
  ]);
  expect(told[0]!.values[2]).toBeCloseTo(0.02, 9);
});

test("of an account without its own series nothing is kept, and its own detection is the same", () => {
  const [plain, watched] = [analysisOf(0), analysisOf(1)];
  for (const analysis of [plain, watched]) analysis.take(troubled());
  const state = plain.account("pool", "alice")!;
  expect(state.closeLook).toBeUndefined();
  expect(evidenceOf(state, START + 3 * DAY_MS).workers).toBeUndefined();
  expect(plain.takeDeltas().filter(({ measurement }) => measurement.startsWith("account_"))).toEqual([]);
  expect([...plain.takeDirty()]).toEqual([...watched.takeDirty()]);
  expect(plain.takeWindows().map(({ rows }) => [...rows])).toEqual(
    watched.takeWindows().map(({ rows }) => [...rows]),
  );
});

test("after a restart workers are learned anew", () => {
  const shares = troubled();
  const first = analysisOf(1);
  const before = shares.filter(({ atMs }) => atMs < quietMs);
  first.take(before);
  const second = analysisOf(1);
  second.restoreShared(first.writeShared());
  for (const bytes of first.takeDirty().values()) second.restore(bytes);
  second.take(shares.slice(before.length));
  const { workers } = evidenceOf(second.account("pool", "alice"), START + 3 * DAY_MS);
  // The silence of rig 3 began before it was known again; the slower rig 7 was learned a day before it slowed.
  expect(workers).toMatchObject([{ worker: "rig7", became: "changed" }]);
});

/** A share of difficulty such that a minute is one share of operational time. */
const share = (atMs: number) => ({ work: 1, atMs, held: false, factor: 1 });

test("an account's workers are bounded: the least recently seen gives way after a day, others are counted", () => {
  const workers = new Workers();
  const roster = rosterOf();
  for (let index = 0; index < MAX_WORKERS; index += 1) workers.share(roster, `rig${index}`, share(index));
  expect(workers.leftOut).toBe(0);
  for (let index = 0; index < 1000; index += 1) workers.share(roster, `ghost${index}`, share(1000 + index));
  expect(workers.leftOut).toBe(1000);
  expect(roster.workers.size).toBe(MAX_WORKERS);
  workers.share(roster, "rig0", share(DAY_MS));
  workers.share(roster, "late", share(DAY_MS + 1));
  expect(workers.leftOut).toBe(1000);
  expect(roster.workers.size).toBe(MAX_WORKERS);
  expect(roster.workers.has("rig0")).toBe(true);
  expect(roster.workers.has("rig1")).toBe(false);
  expect(roster.workers.has("late")).toBe(true);
});

test("the workers of all accounts are bounded, and a released account makes room", () => {
  const workers = new Workers(100);
  const [one, two, three] = [rosterOf(), rosterOf(), rosterOf()];
  for (let index = 0; index < MAX_WORKERS; index += 1) {
    workers.share(one, `rig${index}`, share(index));
    workers.share(two, `rig${index}`, share(index));
  }
  expect(one.workers.size + two.workers.size).toBe(100);
  expect(workers.leftOut).toBe(2 * MAX_WORKERS - 100);
  workers.share(three, "rig0", share(MAX_WORKERS));
  expect(three.workers.size).toBe(0);
  workers.release(one);
  workers.share(three, "rig0", share(MAX_WORKERS + 1));
  expect(three.workers.size).toBe(1);
});

test("a worker that takes another's place starts afresh", () => {
  const workers = new Workers(1);
  const random = seeded(3);
  const changes: (WorkerChange | undefined)[] = [];
  const roster = rosterOf();
  const run = (name: string, fromMs: number, gapMs: number) => {
    for (let atMs = fromMs; atMs < fromMs + DAY_MS; atMs += -Math.log(1 - random()) * gapMs)
      changes.push(workers.share(roster, name, share(atMs)));
  };
  run("fast", 0, 60_000);
  run("slow", 2.5 * DAY_MS, 600_000);
  expect([...roster.workers.keys()]).toEqual(["slow"]);
  expect(changes.filter(Boolean)).toEqual([]);
  const silence = workers.tick(roster, 5 * DAY_MS, { held: false, factor: 1 });
  expect(silence).toMatchObject([{ worker: "slow", log2Ratio: -SILENCE_LOG2 }]);
});
