import { expect, test } from "vitest";
import { hashesPerDifficulty } from "#core/hashrate.ts";
import type { Observation, Share } from "#core/observation.ts";
import { Connection } from "../../../models/simulate/connection.ts";
import { MACHINES, type MachineModel } from "../../../models/simulate/machines.ts";
import type { SitePlan } from "../../../models/simulate/plan.ts";
import { createRandom, type Random } from "../../../models/simulate/random.ts";
import { poolsOf, readScenario } from "../../../models/simulate/scenario.ts";
import { simulate } from "../../../models/simulate/simulate.ts";
import { Site } from "../../../models/simulate/site.ts";
import { countShare, startVardiff, takePending } from "../../../models/simulate/vardiff.ts";
import { makeAccount, makeRigs, makeSite } from "../../../models/simulate/world.ts";

const DAY_MS = 86_400_000;
const startMs = Date.UTC(2026, 0, 5);

/** One connection of a site, to the first pool of a week's scenario. */
function connect(plan: SitePlan, random: Random, vardiffMs: number): Connection {
  const [pool] = poolsOf(readScenario("week"));
  return new Connection({
    site: new Site(plan, random.fork("site"), { poolCountry: "DE", seed: 1, startMs }),
    rigs: plan.rigs,
    first: 0,
    line: 0,
    accounts: [makeAccount(random, pool!)],
    random: random.fork("connection"),
    vardiffMs,
    name: "test",
    startMs,
  });
}

/** One steady machine that never fails, mining for some days under vardiff with the given aim. */
function mine(
  days: number,
  vardiffMs: number,
  seed = 11,
): { shares: Share[]; hashrateHs: number; fromMs: number; toMs: number } {
  const random = createRandom(seed, "shares");
  const model = MACHINES.find(({ name }) => name === "S19") as MachineModel;
  const span = { fromMs: startMs, toMs: startMs + days * DAY_MS };
  const rigs = makeRigs(random, { model, count: 1, span });
  const plan = makeSite(random, {
    country: "DE",
    rigs,
    renewHours: Number.POSITIVE_INFINITY,
    sessionHours: Number.POSITIVE_INFINITY,
    load: { off: [], wander: 0 },
  });
  const connection = connect(plan, random, vardiffMs);
  const shares: Share[] = [];
  const sink = {
    push: (one: { type: string }) => {
      if (one.type === "share") shares.push(one as Share);
    },
    credit: () => undefined,
  };
  for (let atMs = startMs; atMs < span.toMs; atMs += 900_000) connection.advance(atMs, atMs + 900_000, sink);
  return { shares, hashrateHs: rigs[0]!.hashrateHs, fromMs: shares[0]!.atMs, toMs: span.toMs };
}

/** Largest distance of the sample from the unit exponential law. */
function kolmogorovSmirnov(sample: number[]): number {
  const sorted = [...sample].sort((left, right) => left - right);
  let largest = 0;
  for (const [index, value] of sorted.entries()) {
    const law = 1 - Math.exp(-value);
    largest = Math.max(
      largest,
      Math.abs(law - index / sorted.length),
      Math.abs(law - (index + 1) / sorted.length),
    );
  }
  return largest;
}

test("share gaps on operational time follow the unit exponential law, whatever vardiff did", () => {
  const factor = hashesPerDifficulty("sha256d");
  const gaps: number[] = [];
  let changes = 0;
  for (const seed of [11, 12, 13, 14]) {
    const { shares, hashrateHs } = mine(1, 10_000, seed);
    for (let index = 1; index < shares.length; index += 1) {
      const { atMs, difficulty } = shares[index]!;
      const before = shares[index - 1]!;
      if (difficulty === before.difficulty)
        gaps.push((((atMs - before.atMs) / 1000) * hashrateHs) / (difficulty * factor));
      else changes += 1;
    }
  }
  expect(changes).toBeGreaterThan(0);
  expect(gaps.length).toBeGreaterThan(20_000);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(Math.abs(mean - 1)).toBeLessThan(4 / Math.sqrt(gaps.length));
  // The 0.1 % point of Kolmogorov's law is 1.95 over the root of n; instants are whole milliseconds.
  expect(kolmogorovSmirnov(gaps)).toBeLessThan(1.95 / Math.sqrt(gaps.length));
});

test("work done is hashrate times time, and hourly counts disperse as a Poisson law", () => {
  const { shares, hashrateHs, fromMs, toMs } = mine(20, 60_000);
  const factor = hashesPerDifficulty("sha256d");
  const work = shares.reduce((sum, { difficulty }) => sum + difficulty * factor, 0);
  const expected = (hashrateHs * (toMs - fromMs)) / 1000;
  expect(Math.abs(work / expected - 1)).toBeLessThan(4 / Math.sqrt(shares.length));
  // Operational time per hour varies with difficulty, so each hour is held against its own mean.
  const hours = new Map<number, { count: number; mean: number }>();
  for (const { atMs, difficulty } of shares) {
    const hour = Math.floor(atMs / 3_600_000);
    const kept = hours.get(hour) ?? { count: 0, mean: (hashrateHs * 3600) / (difficulty * factor) };
    kept.count += 1;
    hours.set(hour, kept);
  }
  const whole = [...hours.values()].slice(2, -1);
  const dispersion =
    whole.reduce((sum, { count, mean }) => sum + (count - mean) ** 2 / mean, 0) / whole.length;
  expect(Math.abs(dispersion - 1)).toBeLessThan(5 * Math.sqrt(2 / whole.length));
});

test("vardiff brings a connection to its aim from far above and below, and then holds", () => {
  for (const start of [1e6, 1e2]) {
    const random = createRandom(3, start);
    const perMs = 20;
    const state = startVardiff(start);
    let atMs = startMs;
    const gaps: number[] = [];
    while (gaps.length < 3000 || atMs < startMs + DAY_MS / 2) {
      const gapMs = (random.exponential() * state.difficulty) / perMs;
      atMs += gapMs;
      gaps.push(gapMs);
      takePending(state, atMs);
      countShare(state, atMs, 1000 / 0.3, 30_000);
    }
    const late = gaps.slice(-1000);
    const mean = late.reduce((sum, gap) => sum + gap, 0) / late.length;
    expect(mean).toBeGreaterThan(2_400);
    expect(mean).toBeLessThan(7_000);
  }
});

test("a simulation is in order of time, has no account without truth, and repeats itself", () => {
  const scenario = readScenario({
    accounts: 25,
    days: 2,
    vardiffSeconds: 300,
    siteSharesPerHour: 20,
    maxMachines: 40,
    campaignPart: 0.4,
  });
  const read = () => {
    const simulation = simulate(scenario, 5);
    return { truth: simulation.truth, seen: [...simulation.observations].flat() };
  };
  const { truth, seen } = read();
  const accounts = new Set(truth.map(({ pool, account }) => `${pool}/${account}`));
  let last = 0;
  for (const observation of seen) {
    expect(observation.atMs).toBeGreaterThanOrEqual(last);
    last = observation.atMs;
    if (observation.type === "share")
      expect(accounts).toContain(`${observation.pool}/${observation.account}`);
  }
  expect(seen.length).toBeGreaterThan(1000);
  expect(read()).toEqual({ truth, seen });
  expect([...simulate(scenario, 6).observations].flat()).not.toEqual(seen);
});

/** What the sessions of one proxied site of four machines say of workers, with a fifth that comes on the second day. */
function proxiedLogins(passesNames: boolean): { worker: string; hour: number }[] {
  const random = createRandom(3, "proxied");
  const model = MACHINES.find(({ name }) => name === "S19") as MachineModel;
  const span = { fromMs: startMs, toMs: startMs + 3 * DAY_MS };
  const rigs = makeRigs(random, { model, count: 5, span, naming: (index) => `rig${index}` });
  rigs[4]!.fromMs = startMs + DAY_MS;
  const plan = makeSite(random, {
    country: "DE",
    rigs,
    renewHours: Number.POSITIVE_INFINITY,
    sessionHours: Number.POSITIVE_INFINITY,
    proxy: { passesNames, sessionWorker: "proxy" },
    load: { off: [], wander: 0 },
  });
  const connection = connect(plan, random, 60_000);
  const logins: { worker: string; hour: number }[] = [];
  const sink = {
    push: (one: Observation) => {
      const worker = one.type === "session" && one.event === "authorize" ? one.worker : undefined;
      if (worker !== undefined) logins.push({ worker, hour: (one.atMs - startMs) / 3_600_000 });
    },
    credit: () => undefined,
  };
  for (let atMs = startMs; atMs < span.toMs; atMs += 900_000) {
    if (atMs === startMs + 2 * DAY_MS) {
      rigs[0]!.worker = "renamed";
      connection.renamed(rigs[0]!, atMs);
    }
    connection.advance(atMs, atMs + 900_000, sink);
  }
  return logins;
}

test("a proxy that passes names on logs in each machine as it comes, and one that does not shows nothing of them", () => {
  const logins = proxiedLogins(true);
  const first = logins.filter(({ hour }) => hour < 3).map(({ worker }) => worker);
  expect(new Set(first)).toEqual(new Set(["rig1", "rig2", "rig3", "rig4"]));
  const later = logins.filter(({ hour }) => hour >= 3);
  expect(later.map(({ worker }) => worker)).toEqual(["rig5", "renamed"]);
  expect(later[0]!.hour).toBeCloseTo(24, 3);
  expect(later[1]!.hour).toBeCloseTo(48, 3);
  expect(proxiedLogins(false).map(({ worker }) => worker)).toEqual(["proxy"]);
});
