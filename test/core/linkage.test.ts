import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { LINKAGE_RULES } from "../../src/core/linkage-rules.ts";
import { HOUR_MS } from "../../src/core/metrics.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { Facts } from "../../src/core/rule.ts";
import { originOf, poissonShares, seeded, shareOf } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
const span = { fromMs: START, toMs: START + 25 * HOUR_MS };

/** The last window's features of every account after the observations of `runs`. */
function featuresOf(...runs: Iterable<Observation>[]): Map<string, (name: string) => number> {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  analysis.take(runs.flatMap((run) => [...run]).sort((a, b) => a.atMs - b.atMs));
  const window = analysis.takeWindows().at(-1)!;
  return new Map(
    window.accounts.map(({ account }, index) => [
      account,
      (name: string) => window.rows[index * FEATURES.length + FEATURE_INDEX.get(name)!]!,
    ]),
  );
}

test("two accounts on one rare network in a steady 85:15 are linked and split; a third elsewhere is not", () => {
  const random = seeded(2);
  const fast = poissonShares(
    random,
    { ...span, meanGapMs: () => 5_000 },
    { account: "main", ip: "192.0.2.10" },
  );
  const slow = poissonShares(
    random,
    { ...span, meanGapMs: () => 28_000 },
    { account: "cut", ip: "192.0.2.99" },
  );
  const other = poissonShares(
    random,
    { ...span, meanGapMs: () => 28_000 },
    { account: "other", ip: "198.51.100.1", agent: "x" },
  );
  const features = featuresOf(fast, slow, other);
  expect(features.get("main")!("linkage.network")).toBeCloseTo(Math.log10(2), 5);
  expect(features.get("main")!("linkage.split")).toBeGreaterThan(0.6);
  expect(features.get("cut")!("linkage.split")).toBeCloseTo(features.get("main")!("linkage.split"), 5);
  expect(features.get("other")!("linkage.network")).toBe(0);
  expect(features.get("other")!("linkage.split")).toBe(0);
});

test("a split found among many partners counts for less, for each of the two by its own; idle ones are no tries", () => {
  const random = seeded(2);
  const run = (account: string, ip: string, gapMs: number): Observation[] => [
    ...poissonShares(random, { ...span, meanGapMs: () => gapMs }, { account, ip, agent: account }),
  ];
  const idle = shareOf({ atMs: START + HOUR_MS, account: "idle", ip: "192.0.2.77", agent: "idle" });
  const features = featuresOf(
    run("main", "192.0.2.10", 5_000),
    run("cut", "192.0.2.99", 56_000),
    [idle],
    run("cut", "198.51.100.1", 56_000),
    run("third", "198.51.100.2", 28_000),
    run("fourth", "198.51.100.3", 28_000),
  );
  const split = (account: string): number => features.get(account)!("linkage.split");
  expect(features.get("main")!("linkage.network")).toBeCloseTo(Math.log10(3), 5);
  expect(split("main")).toBeGreaterThan(0.6);
  // By chance one of three would be found thrice as often: 1/(1 + 3) over 1/(1 + 1).
  expect(split("cut")).toBeCloseTo(split("main") / 2, 5);
  expect(split("third")).toBe(0);
});

test("a network that many accounts share links nobody", () => {
  const random = seeded(4);
  const crowd = Array.from({ length: 20 }, (_, index) =>
    poissonShares(
      random,
      { ...span, meanGapMs: () => 600_000 },
      { account: `a${index}`, ip: `192.0.2.${index}`, agent: `x${index}` },
    ),
  );
  const features = featuresOf(...crowd);
  expect([...features.values()].map((value) => value("linkage.network"))).toEqual(Array(20).fill(0));
});

test("a TLS fingerprint that is rare among those who have one links two accounts; a program's common one nobody", () => {
  const random = seeded(8);
  const miner = (account: string, index: number, gapMs: number, tlsFingerprint?: string): Observation[] => {
    const ip = `198.51.${index}.1`;
    const fields = { account, ip, worker: `${account}.${"w".repeat(index + 1)}`, agent: `x${index}` };
    const login = {
      type: "session",
      atMs: START,
      pool: "pool",
      session: account,
      event: "authorize",
    } as const;
    return [
      { ...login, ip, account, worker: fields.worker, ...(tlsFingerprint ? { tlsFingerprint } : {}) },
      ...poissonShares(random, { ...span, meanGapMs: () => gapMs }, fields),
    ];
  };
  const crowd = Array.from({ length: 18 }, (_, index) =>
    miner(`crowd${index}`, index, index % 2 === 0 ? 60_000 : 340_000, "t13d0000_common"),
  );
  const world = (...hidden: Observation[][]) => featuresOf(...crowd, ...hidden);
  const linked = world(miner("main", 30, 60_000, "t13i_rare"), miner("cut", 31, 340_000, "t13i_rare"));
  expect(linked.get("main")!("linkage.split")).toBeGreaterThan(0.3);
  expect(linked.get("cut")!("linkage.split")).toBeCloseTo(linked.get("main")!("linkage.split"), 5);
  for (let index = 0; index < 18; index += 1) {
    expect(linked.get(`crowd${index}`)!("linkage.split")).toBe(0);
  }
  const unlike = world(miner("main", 30, 60_000, "t13i_rare"), miner("cut", 31, 340_000, "t12i_other"));
  expect(unlike.get("main")!("linkage.split")).toBe(0);
  const without = world(miner("main", 30, 60_000), miner("cut", 31, 340_000));
  expect(without.get("main")!("linkage.split")).toBe(0);
});

test("falls and returns together with a watched prefix have a small p-value, others not", () => {
  const random = seeded(6);
  const outages = [6, 11, 17].map((hour) => START + hour * HOUR_MS);
  const isOut = (atMs: number) => outages.some((from) => atMs >= from && atMs < from + HOUR_MS);
  const synchronous = [
    ...poissonShares(random, { ...span, meanGapMs: () => 4_000 }, { account: "hidden" }),
  ].filter(({ atMs }) => !isOut(atMs));
  const steady = poissonShares(
    random,
    { ...span, meanGapMs: () => 4_000 },
    { account: "steady", ip: "198.51.100.7" },
  );
  const route = (event: "announce" | "withdraw", atMs: number): Observation => ({
    type: "route",
    atMs,
    prefix: "175.45.176.0/24",
    event,
    peer: "p",
    collector: "rrc21",
  });
  const routes = [
    route("announce", START),
    ...outages.flatMap((from) => [route("withdraw", from), route("announce", from + HOUR_MS)]),
  ];
  const features = featuresOf(synchronous, steady, routes);
  expect(features.get("hidden")!("route.coincidence")).toBeGreaterThan(3);
  expect(features.get("steady")!("route.coincidence")).toBeLessThan(1);
});

/** Shares of one account over hours of the span, by the hour's number. */
function byHour(
  random: () => number,
  hours: (hour: number) => boolean,
  fields: Parameters<typeof poissonShares>[2],
  days = 5,
): Observation[] {
  const long = { fromMs: START, toMs: START + (24 * days + 1) * HOUR_MS, meanGapMs: () => 60_000 };
  return [...poissonShares(random, long, fields)].filter(({ atMs }) =>
    hours(Math.floor((atMs - START) / HOUR_MS)),
  );
}

test("machines that work two hours in twelve for another account are a split, and their hours go against each other", () => {
  const random = seeded(5);
  const cut = (hour: number): boolean => hour % 12 >= 10;
  const features = featuresOf(
    byHour(random, (hour) => !cut(hour), { account: "main", ip: "192.0.2.10" }),
    byHour(random, cut, { account: "cut", ip: "192.0.2.11" }),
    byHour(random, () => true, { account: "steady", ip: "192.0.2.12" }),
  );
  expect(features.get("main")!("linkage.split")).toBeGreaterThan(0.5);
  expect(features.get("cut")!("linkage.together")).toBeGreaterThan(6);
  // Chance alone: a steady account's hours are a Poisson's, of some standard errors at most.
  expect(features.get("steady")!("linkage.together")).toBeLessThan(4);
});

test("two steady accounts older than a week do not move together: the running hour is nobody's", () => {
  const random = seeded(5);
  const busy = (account: string, ip: string): Observation[] => [
    ...poissonShares(
      random,
      { fromMs: START, toMs: START + 193 * HOUR_MS, meanGapMs: () => 10_000 },
      { account, ip, agent: account },
    ),
  ];
  const features = featuresOf(busy("one", "192.0.2.10"), busy("other", "192.0.2.11"));
  expect(features.get("one")!("linkage.network")).toBeGreaterThan(0);
  expect(features.get("one")!("linkage.together")).toBeLessThan(4);
  expect(features.get("one")!("hashrate.active")).toBe(1);
});

test("an account that begins as another of the same worker names ends, at the same rate, goes on from it", () => {
  const random = seeded(6);
  const worker = "farm.x9";
  const features = featuresOf(
    byHour(random, (hour) => hour < 60, { account: "worn", worker, ip: "192.0.2.10", agent: "a" }),
    byHour(random, (hour) => hour >= 62, { account: "fresh", worker, ip: "198.51.100.7", agent: "b" }),
    // As young, but of other names; and of the same names, but there all along.
    byHour(random, (hour) => hour >= 62, { account: "other", worker: "z.q1", ip: "203.0.113.9", agent: "c" }),
    byHour(random, () => true, { account: "old", worker, ip: "203.0.113.77", agent: "d" }),
  );
  expect(features.get("fresh")!("linkage.succession")).toBeGreaterThan(3);
  expect(features.get("worn")!("linkage.succession")).toBe(features.get("fresh")!("linkage.succession"));
  expect(features.get("fresh")!("linkage.cluster")).toBeCloseTo(Math.log10(2), 5);
  expect(features.get("other")!("linkage.succession")).toBe(0);
  expect(features.get("old")!("linkage.succession")).toBe(0);
});

test("of the more accounts that began just then, each goes on the less likely from the one that ended", () => {
  const successionAmong = (others: number): number => {
    const random = seeded(10);
    const worker = "x";
    const run = (account: string, ip: string, hours: (hour: number) => boolean, meanGapMs: number) =>
      [
        ...poissonShares(
          random,
          { fromMs: START, toMs: START + 121 * HOUR_MS, meanGapMs: () => meanGapMs },
          { account, worker, ip },
        ),
      ].filter(({ atMs }) => hours(Math.floor((atMs - START) / HOUR_MS)));
    const features = featuresOf(
      run("worn", "192.0.2.10", (hour) => hour < 60, 60_000),
      run("fresh", "198.51.100.7", (hour) => hour >= 62, 60_000),
      // As new, at a third of the rate.
      ...Array.from({ length: others }, (_, index) =>
        run(`new${index}`, `203.0.113.${index}`, (hour) => hour >= 66 + (index % 20), 180_000),
      ),
    );
    return features.get("fresh")!("linkage.succession");
  };
  const [alone, amongFive, amongCrowd] = [0, 4, 70].map(successionAmong);
  expect(amongFive).toBeCloseTo(alone! - Math.log(5), 1);
  expect(amongCrowd).toBe(0);
});

test("work that comes in bursts hands over between two of them, however long that pause is", () => {
  const random = seeded(7);
  const worker = "x";
  // Ten hours of work, thirty of none; the account changes in one of the pauses.
  const burst = (hour: number): boolean => hour % 40 < 10;
  const features = featuresOf(
    byHour(random, (hour) => burst(hour) && hour < 80, { account: "worn", worker, ip: "192.0.2.10" }, 8),
    byHour(random, (hour) => burst(hour) && hour >= 80, { account: "fresh", worker, ip: "198.51.100.7" }, 8),
    // Of steady work: an end and a beginning two days apart are nobody's.
    byHour(random, (hour) => hour < 32, { account: "ended", worker: "y", ip: "203.0.113.9" }, 8),
    byHour(random, (hour) => hour >= 80, { account: "begun", worker: "y", ip: "203.0.113.77" }, 8),
  );
  const [bursty, steady] = ["fresh", "begun"].map((name) => features.get(name)!("linkage.succession"));
  expect(bursty).toBeGreaterThan(1.5);
  expect(steady).toBeLessThan(0.5);
});

test("accounts joined one by one are one cluster, and what each shows is summed over it", () => {
  const random = seeded(8);
  const crowd = featuresOf(
    byHour(random, () => true, { account: "a", ip: "192.0.2.1", agent: "x1", worker: "w1" }, 2),
    byHour(random, () => true, { account: "b", ip: "192.0.2.2", agent: "x2", worker: "v1" }, 2),
    byHour(random, () => true, { account: "b", ip: "198.51.100.2", agent: "x2", worker: "v1" }, 2),
    byHour(random, () => true, { account: "c", ip: "198.51.100.3", agent: "x3", worker: "u1" }, 2),
    byHour(random, () => true, { account: "d", ip: "203.0.113.1", agent: "x4", worker: "t1" }, 2),
  );
  // a and c share nothing, but each shares a network with b.
  for (const account of ["a", "b", "c"])
    expect(crowd.get(account)!("linkage.cluster")).toBeCloseTo(Math.log10(3), 5);
  expect(crowd.get("d")!("linkage.cluster")).toBe(0);
  expect(crowd.get("d")!("linkage.clusterHours")).toBeNaN();
  const own = (account: string): number => crowd.get(account)!("operator.hoursEvidence");
  expect(crowd.get("a")!("linkage.clusterHours")).toBeCloseTo(own("a") + own("b") + own("c"), 4);
});

test("a reason counts others as one would say it", () => {
  const say = (code: string, count: number): string => {
    const rule = LINKAGE_RULES.find((one) => one.code === code)!;
    return rule.text({ feature: () => Math.log10(1 + count) } as unknown as Facts);
  };
  expect(say("LINKAGE_PAYOUT", 1)).toBe("1 other account is paid to the same address.");
  expect(say("LINKAGE_NETWORK", 3)).toBe("3 other accounts mine from the same rare network.");
});
