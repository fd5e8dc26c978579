import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import type { Observation } from "../../src/core/observation.ts";
import { RULES } from "../../src/core/rules.ts";
import { originOf, shareOf } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;
/** Nine in the morning at UTC+9 of the fourth day. */
const MORNING = START + 3 * DAY_MS;

type Step = Pick<Extract<Observation, { type: "session" }>, "event" | "session" | "atMs"> & {
  account?: string;
  ip?: string;
};
const step = ({ account = "alice", ip = "192.0.2.1", ...rest }: Step): Observation => ({
  type: "session",
  pool: "pool",
  ip,
  ...(rest.event === "close" ? {} : { account, worker: rest.session }),
  ...rest,
});
const opens = (session: string, atMs: number, more: Partial<Step> = {}): Observation =>
  step({ event: "authorize", session, atMs, ...more });
const ends = (session: string, atMs: number, more: Partial<Step> = {}): Observation =>
  step({ event: "close", session, atMs, ...more });

/** `count` connections of an account that stand from the first hour on. */
const fleet = (count: number, account = "alice", ip = "192.0.2.1"): Observation[] =>
  Array.from({ length: count }, (_, index) => opens(`${account}${index}`, START + HOUR_MS, { account, ip }));

/** `of` connections of an account end one second after the other and are back two minutes later. */
function* restart(of: number, atMs: number, account = "alice", ip = "192.0.2.1"): Generator<Observation> {
  const more = { account, ip };
  for (let index = 0; index < of; index += 1) {
    yield ends(`${account}${index}`, atMs + index * 1000, more);
    yield opens(`${account}${index}`, atMs + index * 1000 + 2 * MINUTE_MS, more);
  }
}

const shares = (account: string, days: number): Observation[] =>
  Array.from({ length: days * 24 }, (_, hour) => shareOf({ account, atMs: START + hour * HOUR_MS }));

/** Features of an account after so many days. */
function after(days: number, observations: Iterable<Observation>, ...others: string[]) {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
  const all = ["alice", ...others].flatMap((account) => shares(account, days + 1)).concat(...observations);
  analysis.take(all.sort((a, b) => a.atMs - b.atMs));
  const window = analysis.takeWindows().at(-1)!;
  const at = window.accounts.findIndex(({ account }) => account === "alice");
  return (name: string): number => window.rows[at * FEATURES.length + FEATURE_INDEX.get(name)!]!;
}
const restarts = (feature: (name: string) => number): number => 10 ** feature("operator.restarts") - 1;

test("half of several connections that end at once and are back are a restart, likely somebody's; fewer are none", () => {
  expect(restarts(after(5, [...fleet(8), ...restart(8, MORNING)]))).toBeCloseTo(0.65, 1);
  expect(restarts(after(5, [...fleet(8), ...restart(4, MORNING)]))).toBeCloseTo(0.65, 1);
  expect(restarts(after(5, [...fleet(8), ...restart(3, MORNING)]))).toBe(0);
  expect(restarts(after(5, [...fleet(2), ...restart(1, MORNING)]))).toBe(0);
});

test("the only connection there is somebody's restart less likely, and none where it breaks every few hours", () => {
  expect(restarts(after(5, [...fleet(1), ...restart(1, MORNING)]))).toBeCloseTo(0.3, 1);
  const flapping = Array.from({ length: 12 }, (_, index) => [
    ...restart(1, START + 2 * HOUR_MS + index * 7.3 * HOUR_MS),
  ]);
  expect(restarts(after(5, [...fleet(1), ...flapping.flat()]))).toBe(0);
});

test("hours of restarts say less than those of names, in the same direction", () => {
  const days = [0, 1, 2, 3].map((day) => MORNING + day * DAY_MS + day * 97 * MINUTE_MS);
  const morning = after(8, [...fleet(8), ...days.flatMap((atMs) => [...restart(8, atMs)])]);
  const night = after(8, [...fleet(8), ...days.flatMap((atMs) => [...restart(8, atMs + 11 * HOUR_MS)])]);
  expect(restarts(morning)).toBeCloseTo(4 * 0.65, 0);
  expect(morning("operator.restartEvidence")).toBeGreaterThan(1);
  expect(night("operator.restartEvidence")).toBeLessThan(-0.5);
  const rule = RULES.find(({ code }) => code === "OPERATOR_RESTARTS")!;
  const facts = (feature: (name: string) => number) => ({ feature }) as Parameters<typeof rule.speaks>[0];
  expect(rule.speaks(facts(morning))).toBe(true);
  expect(rule.speaks(facts(night))).toBe(false);
  expect(rule.text(facts(morning))).toMatch(
    /about 3 of them somebody's, are about \d+(\.\d)? times as likely/,
  );
});

test("what reboots by the clock is nobody's, but for the first", () => {
  const days = [0, 1, 2, 3, 4].map((day) => [...restart(8, MORNING + day * DAY_MS + day * MINUTE_MS)]);
  expect(restarts(after(9, [...fleet(8), ...days.flat()]))).toBeCloseTo(0.65, 1);
});

test("machines that turn to another account for minutes of every hour are restarted by nobody, but for the first time", () => {
  const turns = Array.from({ length: 60 }, (_, hour) => [...restart(8, START + (30 + hour) * HOUR_MS)]);
  expect(restarts(after(5, [...fleet(8), ...turns.flat()]))).toBeCloseTo(0.65, 1);
});

test("what is away for longer, or comes back from elsewhere, was no restart", () => {
  const late = [0, 1, 2, 3].flatMap((index) => [
    ends(`alice${index}`, MORNING),
    opens(`alice${index}`, MORNING + 16 * MINUTE_MS),
  ]);
  const moved = [0, 1, 2, 3].flatMap((index) => [
    ends(`alice${index}`, MORNING),
    opens(`alice${index}`, MORNING + 2 * MINUTE_MS, { ip: "198.51.100.7" }),
  ]);
  expect(restarts(after(5, [...fleet(4), ...late]))).toBe(0);
  expect(restarts(after(5, [...fleet(4), ...moved]))).toBe(0);
});

test("a pool that restarts its servers, and the first day, make nobody restart anything", () => {
  const names = Array.from({ length: 12 }, (_, index) => `miner${index}`);
  const ipOf = (index: number): string => `198.51.${index}.1`;
  const wide = [
    ...fleet(8),
    ...names.flatMap((name, index) => fleet(2, name, ipOf(index))),
    ...names.flatMap((name, index) => [...restart(2, MORNING - 3000, name, ipOf(index))]),
    ...restart(8, MORNING),
  ];
  expect(restarts(after(5, wide, ...names))).toBe(0);
  const alone = [...wide, ...restart(8, MORNING + 5 * HOUR_MS)];
  expect(restarts(after(5, alone, ...names))).toBeCloseTo(0.65, 1);
  expect(restarts(after(5, [...fleet(8), ...restart(8, START + 5 * HOUR_MS)]))).toBe(0);
});

test("where a pool tells of logins alone, restarts are missing, not none", () => {
  const feature = after(5, fleet(4));
  expect(feature("operator.restarts")).toBeNaN();
  expect(feature("operator.restartEvidence")).toBeNaN();
  expect(feature("fleet.sessions")).not.toBeNaN();
});

test("a break that a restart of the service falls into is remembered with the account, and the pool's with all", () => {
  const options = { lookUpOrigin: (ip: string) => originOf(ip), stepHours: 24 };
  const whole = [...shares("alice", 6), ...fleet(8), ...restart(8, MORNING)].sort((a, b) => a.atMs - b.atMs);
  const cut = whole.findIndex(({ atMs }) => atMs >= MORNING + MINUTE_MS);
  const before = new Analysis(options);
  before.take(whole.slice(0, cut));
  const after = new Analysis(options);
  after.restoreShared(before.writeShared());
  for (const bytes of before.takeDirty().values()) expect(after.restore(bytes)).toBe(true);
  after.take(whole.slice(cut));
  const window = after.takeWindows().at(-1)!;
  expect(10 ** window.rows[FEATURE_INDEX.get("operator.restarts")!]! - 1).toBeCloseTo(0.65, 1);
});
