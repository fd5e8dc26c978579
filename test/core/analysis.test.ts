import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { changesOf } from "../../src/core/changes.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import type { Observation, Share } from "../../src/core/observation.ts";
import { originOf, poissonShares, seeded, shareOf } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
const lookUpOrigin = (ip: string) =>
  ip.startsWith("175.45.") ? originOf(ip, { country: "KP", tier: "comprehensive" }) : originOf(ip);
const analysisOf = (stepHours = 6) => new Analysis({ lookUpOrigin, stepHours });

function merged(...runs: Iterable<Observation>[]): Observation[] {
  return runs.flatMap((run) => [...run]).sort((a, b) => a.atMs - b.atMs);
}

test("work and shares are counted exactly, by pool and by origin", () => {
  const analysis = analysisOf();
  const shares = [
    shareOf({ atMs: START, difficulty: 10 }),
    shareOf({ atMs: START + 1000, difficulty: 20, account: "bob", ip: "175.45.176.1" }),
    shareOf({ atMs: START + 2000, difficulty: 40, outcome: "stale" }),
    shareOf({ atMs: START + 3000, difficulty: 80, outcome: "invalid" }),
  ];
  analysis.take(shares);
  const deltas = analysis.takeDeltas();
  const hashrate = deltas.find(({ measurement }) => measurement === "hashrate");
  expect(hashrate?.values).toEqual([2, 30 * 2 ** 32, 1, 1]);
  const sanctioned = deltas.find(({ tags }) => tags.includes("KP"));
  expect(sanctioned?.tags).toEqual(["pool", "KP", "residential", "comprehensive"]);
  expect(sanctioned?.values).toEqual([1, 20 * 2 ** 32]);
  expect(analysis.takeDeltas()).toEqual([]);
});

test("accepted work from a watched network is counted by the network's name as well", () => {
  const networkOf = ({ ip }: { ip: string }) => (ip.startsWith("175.45.") ? "star-kp" : undefined);
  const analysis = new Analysis({ lookUpOrigin, networkOf, stepHours: 6 });
  const there = { account: "bob", ip: "175.45.176.1" };
  const network = () =>
    analysis
      .takeDeltas()
      .filter(({ measurement }) => measurement === "network")
      .map(({ tags, bucketMs, values }) => [tags, bucketMs, values]);
  analysis.take([
    shareOf({ atMs: START }),
    shareOf({ atMs: START + 1000, difficulty: 20, ...there }),
    shareOf({ atMs: START + 2000, difficulty: 30, ...there }),
    shareOf({ atMs: START + 3000, outcome: "stale", ...there }),
    shareOf({ atMs: START + 60_000, difficulty: 40, ...there }),
  ]);
  expect(network()).toEqual([
    [["star-kp"], START, [2, 50 * 2 ** 32]],
    [["star-kp"], START + 60_000, [1, 40 * 2 ** 32]],
  ]);
  // What was taken is closed: the next share of the same minute is a delta of its own.
  analysis.take([shareOf({ atMs: START + 61_000, difficulty: 5, ...there })]);
  expect(network()).toEqual([[["star-kp"], START + 60_000, [1, 5 * 2 ** 32]]]);
});

test("a doubled rate and a silence are found where they began, and a steady account has no change", () => {
  const random = seeded(7);
  const analysis = analysisOf();
  const stepMs = START + 30 * HOUR_MS;
  const silence = { fromMs: START + 40 * HOUR_MS, toMs: START + 44 * HOUR_MS };
  const span = { fromMs: START, toMs: START + 2 * DAY_MS };
  analysis.take(
    merged(
      poissonShares(
        random,
        { ...span, meanGapMs: (atMs) => (atMs > stepMs ? 5_000 : 10_000) },
        { account: "step" },
      ),
      [...poissonShares(random, { ...span, meanGapMs: () => 10_000 }, { account: "gap" })].filter(
        ({ atMs }) => atMs < silence.fromMs || atMs >= silence.toMs,
      ),
      poissonShares(random, { ...span, meanGapMs: () => 10_000 }, { account: "steady" }),
    ),
  );
  const changes = (account: string) => changesOf(analysis.account("pool", account)!);
  const [step] = changes("step");
  expect(changes("step")).toHaveLength(1);
  expect(Math.abs(step!.atMs - stepMs)).toBeLessThan(10 * 60_000);
  expect(2 ** step!.log2Ratio).toBeGreaterThan(1.5);
  const [fall, rise] = changes("gap");
  expect(changes("gap")).toHaveLength(2);
  expect(Math.abs(fall!.atMs - silence.fromMs)).toBeLessThan(10 * 60_000);
  expect(fall!.log2Ratio).toBeLessThan(-3);
  expect(Math.abs(rise!.atMs - silence.toMs)).toBeLessThan(60_000);
  expect(changes("steady")).toEqual([]);
});

test("vardiff alone is no change: difficulty times four at a quarter of the rate", () => {
  const random = seeded(11);
  const analysis = analysisOf();
  const halfMs = START + DAY_MS;
  const slow = poissonShares(
    random,
    { fromMs: halfMs, toMs: START + 2 * DAY_MS, meanGapMs: () => 40_000 },
    { difficulty: 4000 },
  );
  analysis.take(
    merged(poissonShares(random, { fromMs: START, toMs: halfMs, meanGapMs: () => 10_000 }), slow),
  );
  expect(changesOf(analysis.account("pool", "alice")!)).toEqual([]);
});

test("windows close on the hour they were set to, with one vector an account", () => {
  const analysis = analysisOf(6);
  const random = seeded(3);
  analysis.take([
    ...poissonShares(random, { fromMs: START + 1, toMs: START + 25 * HOUR_MS, meanGapMs: () => 10_000 }),
  ]);
  const windows = analysis.takeWindows();
  expect(windows.map(({ atMs }) => (atMs - START) / HOUR_MS)).toEqual([6, 12, 18, 24]);
  expect(windows[3]!.rows).toHaveLength(FEATURES.length);
  const size = windows[3]!.rows[FEATURE_INDEX.get("hashrate.size")!]!;
  // One share of difficulty 1000 in ten seconds.
  expect(10 ** size / ((1000 * 2 ** 32) / 10)).toBeCloseTo(1, 1);
});

test("what cannot be known is missing and not 0", () => {
  const analysis = analysisOf();
  const random = seeded(5);
  const anonymous = [
    ...poissonShares(random, { fromMs: START, toMs: START + 7 * HOUR_MS, meanGapMs: () => 10_000 }),
  ].map(({ ip: _ip, agent: _agent, worker: _worker, ...share }) => share as Share);
  analysis.take(anonymous);
  const [window] = analysis.takeWindows();
  const value = (name: string) => window!.rows[FEATURE_INDEX.get(name)!]!;
  for (const name of [
    "origin.watch",
    "latency.tcp",
    "fleet.workers",
    "fleet.proxyAgent",
    "payout.payments",
    "fleet.sessions",
  ]) {
    expect(value(name), name).toBeNaN();
  }
  expect(value("hashrate.active")).toBe(1);
});

test("a sanctioned source is sighted at its first share, and at a session's authorization without any share", () => {
  const analysis = analysisOf();
  analysis.take([shareOf({ atMs: START, ip: "175.45.177.9" })]);
  expect(analysis.takeSightings()).toMatchObject([
    { kind: "account", value: "alice" },
    { kind: "source", value: "175.45.177.9", origin: { tier: "comprehensive" } },
  ]);
  analysis.take([
    {
      type: "session",
      atMs: START + 1,
      pool: "pool",
      session: "s1",
      event: "authorize",
      ip: "175.45.176.2",
      account: "mallory",
    },
  ]);
  expect(analysis.takeSightings()).toMatchObject([{ kind: "source", account: "mallory" }]);
  expect(analysis.accounts).toBe(1);
});

test("a state that was written and read back goes on as if nothing had happened", () => {
  const random = seeded(17);
  const span = { fromMs: START, toMs: START + 3 * DAY_MS };
  const all = merged(
    poissonShares(
      random,
      { ...span, meanGapMs: (at) => (at > START + 2 * DAY_MS ? 4_000 : 10_000) },
      { account: "a" },
    ),
    poissonShares(random, { ...span, meanGapMs: () => 20_000 }, { account: "b", ip: "175.45.176.4" }),
  );
  const half = Math.floor(all.length * 0.6);
  const straight = analysisOf();
  straight.take(all);
  const first = analysisOf();
  first.take(all.slice(0, half));
  const second = analysisOf();
  second.restoreShared(first.writeShared());
  for (const bytes of first.takeDirty().values()) second.restore(bytes);
  second.take(all.slice(half));
  const expected = straight.takeWindows();
  const seen = [...first.takeWindows(), ...second.takeWindows()];
  expect(seen.map(({ atMs }) => atMs)).toEqual(expected.map(({ atMs }) => atMs));
  expect(seen.map(({ rows }) => [...rows])).toEqual(expected.map(({ rows }) => [...rows]));
  expect(second.takeDirty()).toEqual(new Map([...straight.takeDirty()]));
});

test("logins without accepted work keep nothing, and accounts beyond the bound are counted", () => {
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6, maxAccounts: 2 });
  for (let index = 0; index < 1000; index += 1) {
    analysis.take([shareOf({ atMs: START + index, account: `ghost${index}`, outcome: "invalid" })]);
  }
  expect(analysis.accounts).toBe(0);
  analysis.take(["a", "b", "c", "d"].map((account) => shareOf({ atMs: START + 5000, account })));
  expect(analysis.accounts).toBe(2);
  expect(analysis.skipped.accounts).toBe(2);
});

test("a clock that runs backwards counts for its own hour and is counted", () => {
  const analysis = analysisOf();
  analysis.take([
    shareOf({ atMs: START + 5 * HOUR_MS }),
    shareOf({ atMs: START + HOUR_MS }),
    shareOf({ atMs: START + 5 * HOUR_MS + 1 }),
  ]);
  expect(analysis.skipped.backwards).toBe(1);
  const buckets = analysis.takeDeltas().filter(({ measurement }) => measurement === "hashrate");
  expect(buckets.map(({ bucketMs, values }) => [(bucketMs - START) / HOUR_MS, values[0]])).toEqual([
    [5, 2],
    [1, 1],
  ]);
});

test("everything an account was ever paid to stays known, over a restart too, bounded", () => {
  const pay = (address: string, minutes: number): Observation => ({
    type: "payout",
    atMs: START + minutes * 60_000,
    pool: "pool",
    coin: "BTC",
    account: "alice",
    address,
    amount: 1,
  });
  const first = analysisOf();
  first.take([
    shareOf({ atMs: START }),
    shareOf({ atMs: START + 1, agent: "another/1.0" }),
    ...["a", "b", "a", "c", "d", "e", "f"].map(pay),
  ]);
  const second = analysisOf();
  second.restoreShared(first.writeShared());
  for (const bytes of first.takeDirty().values()) second.restore(bytes);
  const known = ["account alice", "payout f", "payout e", "payout d", "payout c", "payout a"];
  for (const analysis of [first, second])
    expect([...analysis.known()].map(({ kind, value }) => `${kind} ${value}`)).toEqual([
      ...known,
      "source 192.0.2.1",
    ]);
});

/** The last window's features of one account. */
function featuresOf(analysis: Analysis, account: string): (name: string) => number {
  const window = analysis.takeWindows().at(-1)!;
  const index = window.accounts.findIndex((state) => state.account === account);
  return (name) => window.rows[index * FEATURES.length + FEATURE_INDEX.get(name)!]!;
}

test("a return after ten days of silence is told with its length and how the rate compares", () => {
  const random = seeded(11);
  const analysis = analysisOf(24);
  const back = START + 12 * DAY_MS;
  analysis.take(
    merged(
      poissonShares(random, { fromMs: START, toMs: START + 2 * DAY_MS, meanGapMs: () => 240_000 }),
      poissonShares(random, { fromMs: back, toMs: back + 2 * DAY_MS + HOUR_MS, meanGapMs: () => 30_000 }),
    ),
  );
  const feature = featuresOf(analysis, "alice");
  expect(10 ** feature("hashrate.onset") - 1).toBeGreaterThan(235);
  expect(10 ** feature("hashrate.onset") - 1).toBeLessThan(245);
  // Eight times the rate; the day's sum has grown for two days after the silence.
  expect(2 ** feature("hashrate.returnRatio")).toBeGreaterThan(5);
  expect(2 ** feature("hashrate.returnRatio")).toBeLessThan(9);
  expect(10 ** feature("hashrate.returns") - 1).toBeCloseTo(1, 1);
});

test("every return of an account that comes and goes is counted", () => {
  const analysis = analysisOf(24);
  const days = [0, 3, 6, 9, 12].map((day) => START + day * DAY_MS);
  analysis.take(days.flatMap((day) => rigs(1, 2, day, day + 12 * HOUR_MS)));
  analysis.take(rigs(1, 2, START + 15 * DAY_MS, START + 16 * DAY_MS + HOUR_MS));
  const returns = 10 ** featuresOf(analysis, "alice")("hashrate.returns") - 1;
  expect(returns).toBeGreaterThan(4.5);
  expect(returns).toBeLessThanOrEqual(5);
});

/** Shares of rigs `from` and on, every ten minutes one of them. */
const rigs = (from: number, count: number, fromMs: number, toMs: number): Share[] =>
  Array.from({ length: (toMs - fromMs) / 600_000 }, (_, index) =>
    shareOf({ worker: `alice.rig${from + (index % count)}`, atMs: fromMs + index * 600_000 }),
  );

test("many machines set up in one hour are one action, and another evening's work is a second", () => {
  const analysis = analysisOf(24);
  const day = START + 2 * DAY_MS;
  analysis.take([
    ...rigs(1, 4, START, day + 20 * HOUR_MS),
    ...rigs(101, 6, day + 20 * HOUR_MS, day + 21 * HOUR_MS),
    ...rigs(1, 4, day + 21 * HOUR_MS, day + 22 * HOUR_MS),
    ...rigs(201, 6, day + 22 * HOUR_MS, day + 23 * HOUR_MS),
    ...rigs(1, 4, day + 23 * HOUR_MS, day + 26 * HOUR_MS),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(10 ** feature("operator.actions") - 1).toBeCloseTo(2, 1);
});

test("a machine that comes back after weeks is known, and its return is nobody's action", () => {
  const analysis = analysisOf(24);
  const away = START + 3 * DAY_MS;
  const back = START + 25 * DAY_MS;
  analysis.take([
    ...rigs(1, 8, START, away),
    ...rigs(1, 4, away, back),
    ...rigs(1, 8, back, back + 26 * HOUR_MS),
  ]);
  expect(featuresOf(analysis, "alice")("operator.actions")).toBe(0);
});

test("machines too many to have shown themselves yet are none that somebody set up", () => {
  const analysis = analysisOf(24);
  analysis.take(rigs(1, 200, START, START + 3 * DAY_MS));
  expect(featuresOf(analysis, "alice")("operator.actions")).toBe(0);
});

/** A login of one of alice's workers, on a connection of its own unless said. */
const loginOf = (worker: string, hour: number, session = worker): Observation => ({
  type: "session",
  pool: "pool",
  session,
  event: "authorize",
  ip: "192.0.2.1",
  account: "alice",
  worker,
  atMs: START + hour * HOUR_MS,
});

test("a name that a login tells was set up at that instant, however slow the fleet's shares are", () => {
  const analysis = analysisOf(24);
  const hours = (from: number, to: number): Share[] =>
    Array.from({ length: (to - from) / 8 }, (_, index) =>
      shareOf({ worker: `alice.rig${1 + (index % 3)}`, atMs: START + (from + 8 * index) * HOUR_MS }),
    );
  analysis.take([
    ...hours(0, 240),
    loginOf("alice.rig2", 240),
    loginOf("alice.rig9", 241),
    ...hours(242, 274),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(10 ** feature("operator.actions") - 1).toBeCloseTo(1, 1);
});

test("a proxy's connection logs in many workers, and the one that comes late is an action; none told twice", () => {
  const analysis = analysisOf(24);
  const login = (worker: string, hour: number) => loginOf(worker, hour, "proxy");
  analysis.take([
    shareOf({ atMs: START, session: "proxy", worker: "rig1" }),
    ...Array.from({ length: 40 }, (_, index) => login(`rig${index}`, 1)),
    ...rigs(1, 1, START + 2 * HOUR_MS, START + 40 * HOUR_MS),
    login("rig77", 40),
    ...rigs(1, 1, START + 41 * HOUR_MS, START + 44 * HOUR_MS),
    login("rig77", 44),
    ...rigs(1, 1, START + 45 * HOUR_MS, START + 50 * HOUR_MS),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(10 ** feature("operator.actions") - 1).toBeCloseTo(1, 1);
  expect(10 ** feature("fleet.sessions") - 1).toBeLessThanOrEqual(1);
});

test("a program that takes another's place is an action, each time; one that was there yesterday is none", () => {
  const day = (number: number, agents: string[]): Share[] =>
    Array.from({ length: 144 }, (_, index) =>
      shareOf({ agent: agents[index % agents.length]!, atMs: START + number * DAY_MS + index * 600_000 }),
    );
  const actionsOf = (...agents: string[][]): number => {
    const analysis = analysisOf(24);
    for (const [number, some] of agents.entries()) analysis.take(day(number, some));
    analysis.take([shareOf({ atMs: START + agents.length * DAY_MS, agent: agents.at(-1)![0]! })]);
    return 10 ** featuresOf(analysis, "alice")("operator.actions") - 1;
  };
  expect(actionsOf(["a"], ["a"], ["b"], ["b"], ["a"], ["a"])).toBeCloseTo(2, 0);
  expect(actionsOf(["a", "b"], ["b", "a"], ["a", "b"], ["a", "b"])).toBe(0);
});

test("one direct connection beside relayed ones hides the leg from the minima, and not from the sessions", () => {
  const analysis = analysisOf(24);
  const session = (id: string, rttMs: number, appRttMs: number, atMs: number): Observation => ({
    type: "session",
    pool: "pool",
    session: id,
    event: "authorize",
    ip: "192.0.2.1",
    account: "alice",
    atMs,
    rttMs,
    appRttMs,
  });
  analysis.take([
    shareOf({ atMs: START }),
    session("direct", 20, 24, START + 1000),
    ...Array.from({ length: 9 }, (_, index) => session(`r${index}`, 22, 150, START + 2000 + index)),
    shareOf({ atMs: START + 25 * HOUR_MS }),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(10 ** feature("latency.hiddenLeg") - 1).toBeCloseTo(4, 4);
  expect(feature("latency.longLegs")).toBeCloseTo(0.9, 5);
  expect(10 ** feature("latency.leg") - 1).toBeGreaterThan(60);
});

test("what payouts are worth is told by its size and how much it varies, where a price is known", () => {
  const analysis = analysisOf(24);
  const payout = (amount: number, atMs: number): Observation => ({
    type: "payout",
    pool: "pool",
    coin: "BTC",
    account: "alice",
    address: "bc1qexample",
    amount,
    atMs,
  });
  analysis.take([
    { type: "price", coin: "BTC", currency: "USD", price: 100_000, atMs: START },
    shareOf({ atMs: START }),
    payout(0.09, START + HOUR_MS),
    payout(0.09, START + 2 * HOUR_MS),
    payout(0.9, START + 3 * HOUR_MS),
    shareOf({ atMs: START + 25 * HOUR_MS }),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(feature("payout.size")).toBeCloseTo(Math.log10(9000) + 1 / 3, 2);
  expect(feature("payout.spread")).toBeCloseTo(Math.sqrt(2 / 9), 2);
  expect(feature("payout.nearThreshold")).toBeCloseTo(2 / 3, 2);
});

test("payouts just below any reporting threshold are near it", () => {
  const near = (usd: number[]): number => {
    const analysis = analysisOf(24);
    const fields = { type: "payout", pool: "pool", coin: "BTC", account: "alice", address: "bc1q" } as const;
    analysis.take([
      { type: "price", coin: "BTC", currency: "USD", price: 100_000, atMs: START },
      shareOf({ atMs: START }),
      ...usd.map((worth) => ({ ...fields, amount: worth / 100_000, atMs: START + HOUR_MS })),
      shareOf({ atMs: START + 25 * HOUR_MS }),
    ]);
    return featuresOf(analysis, "alice")("payout.nearThreshold");
  };
  for (const usd of [810, 980, 2_410, 2_960, 8_010, 9_890]) expect(near([usd]), `${usd}`).toBeCloseTo(1, 6);
  for (const usd of [790, 995, 2_390, 2_980, 7_990, 9_910, 90_000]) expect(near([usd]), `${usd}`).toBe(0);
  expect(near([950, 1_500, 2_900, 9_000])).toBeCloseTo(0.75, 6);
});

test("hours scatter by as much at every share rate; what Poisson has is not told from none", () => {
  const dispersion = (gapMs: number, swing: number): number => {
    const analysis = analysisOf(24);
    const rate = (atMs: number): number =>
      Math.floor((atMs - START) / HOUR_MS) % 2 === 0 ? 1 + swing : 1 - swing;
    const meanGapMs = (atMs: number): number => gapMs / rate(atMs);
    analysis.take([...poissonShares(seeded(9), { fromMs: START, toMs: START + 7 * DAY_MS, meanGapMs })]);
    analysis.take([shareOf({ atMs: START + 7 * DAY_MS + HOUR_MS })]);
    return featuresOf(analysis, "alice")("hashrate.dispersion");
  };
  for (const gapMs of [6_000, 60_000, 360_000]) {
    // Half as much again in one hour, half as much in the next: a coefficient of variation of a half.
    expect(Math.abs(dispersion(gapMs, 0.5) - Math.log10(0.25)), `${gapMs}`).toBeLessThan(0.15);
    const error = Math.log10(Math.sqrt(2 / 167) / (HOUR_MS / gapMs));
    expect(dispersion(gapMs, 0), `${gapMs}`).toBeGreaterThan(error - 0.05);
    expect(dispersion(gapMs, 0), `${gapMs}`).toBeLessThan(error + Math.log10(3));
  }
});

test("a share that comes late, from before a silence, ends none", () => {
  const random = seeded(12);
  const analysis = analysisOf(24);
  analysis.take([
    ...poissonShares(random, { fromMs: START, toMs: START + 2 * DAY_MS, meanGapMs: () => 240_000 }),
    // Somebody else's share lets two days pass; then a share of the first day is told.
    shareOf({ account: "other", atMs: START + 4 * DAY_MS + HOUR_MS }),
    shareOf({ atMs: START + 2 * DAY_MS - HOUR_MS }),
    shareOf({ account: "other", atMs: START + 5 * DAY_MS + HOUR_MS }),
  ]);
  const feature = featuresOf(analysis, "alice");
  expect(feature("hashrate.onset")).toBe(0);
  expect(feature("hashrate.returnRatio")).toBeNaN();
});
