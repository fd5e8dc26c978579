import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { evidenceOf } from "../../src/core/assess.ts";
import { type ExtremeHour, HourMetrics } from "../../src/core/hour-metrics.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import { MetricsBook } from "../../src/core/metrics-book.ts";
import type { Observation } from "../../src/core/observation.ts";
import { normal, randomFrom } from "../../src/core/random.ts";
import { Watched } from "../../src/core/watched.ts";
import { originOf, shareOf } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
/** A week of hours is learned, after a day to compare with. */
const LEARNED_HOURS = 192;

/** Hours of one account: what `of` says of each. */
function* hoursOf(
  hours: number,
  of: (hour: number) => { rttMs?: number; appRttMs?: number; stale?: number },
): Generator<Observation> {
  for (let hour = 0; hour < hours; hour += 1) {
    const atMs = START + hour * HOUR_MS;
    const { rttMs, appRttMs, stale = 0 } = of(hour);
    for (let index = 0; index < 100; index += 1)
      yield shareOf({
        atMs: atMs + index * 1000,
        outcome: index > 0 && index <= stale ? "stale" : "accepted",
      });
    yield {
      type: "session",
      atMs: atMs + 200_000,
      pool: "pool",
      session: `s${hour}`,
      event: "authorize",
      ip: "192.0.2.1",
      account: "alice",
      ...(rttMs === undefined ? {} : { rttMs }),
      ...(appRttMs === undefined ? {} : { appRttMs }),
    };
  }
}

function extremesOf(observations: Iterable<Observation>) {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6, topAccounts: 1 });
  analysis.take([...observations]);
  const { extremes = [] } = evidenceOf(analysis.account("pool", "alice"), START + 30 * DAY_MS);
  return { extremes, deltas: analysis.takeDeltas() };
}

test("a longer way and more stale shares are told in their hour, with what was exceeded, once a run of hours", () => {
  const random = randomFrom(8);
  const relayed = LEARNED_HOURS + 40;
  const { extremes, deltas } = extremesOf(
    hoursOf(relayed + 12, (hour) => ({
      rttMs: 20 + Math.abs(normal(random)),
      appRttMs: (hour >= relayed ? 140 : 25) + Math.abs(normal(random)),
      stale: hour >= relayed + 5 && hour < relayed + 8 ? 40 : Math.floor(random() * 6),
    })),
  );
  const late = extremes.filter(({ atMs }) => atMs >= START + relayed * HOUR_MS);
  expect(late).toMatchObject([
    { metric: "appRttMs", atMs: START + relayed * HOUR_MS },
    { metric: "staleRatio", atMs: START + (relayed + 5) * HOUR_MS, value: 0.4 },
  ]);
  expect(late[0]!.value).toBeGreaterThan(140);
  expect(late[0]!.threshold).toBeLessThan(60);
  // Chance alone: 40 hours of three metrics at one in a thousand.
  expect(extremes.length - late.length).toBeLessThanOrEqual(1);
  const told = deltas.filter(({ measurement }) => measurement === "account_extreme");
  expect(told).toContainEqual({
    measurement: "account_extreme",
    tags: ["pool", "alice", "appRttMs"],
    bucketMs: START + relayed * HOUR_MS,
    values: [1, late[0]!.value, late[0]!.threshold],
  });
  expect(told).toHaveLength(extremes.length);
});

test("what was not measured is missing: hours without sessions or with few shares teach nothing", () => {
  const { extremes } = extremesOf(
    hoursOf(LEARNED_HOURS + 20, (hour) => (hour === LEARNED_HOURS + 10 ? { appRttMs: 900 } : {})),
  );
  expect(extremes).toEqual([]);
  const hours = new HourMetrics();
  const found: ExtremeHour[] = [];
  const random = randomFrom(5);
  for (let hour = 0; hour < LEARNED_HOURS + 20; hour += 1) {
    const atMs = START + hour * HOUR_MS;
    if (hours.over(atMs)) found.push(...hours.close(atMs));
    // The last hours have 20 shares, all of them stale.
    const few = hour >= LEARNED_HOURS + 10;
    for (let index = 0; index < (few ? 20 : 100); index += 1)
      hours.share(few || random() < 0.03, atMs + index);
  }
  expect(found.filter(({ value }) => value === 1)).toEqual([]);
});

test("a level that stays for a day is learned as the new one", () => {
  const random = randomFrom(6);
  const hours = new HourMetrics();
  const found: ExtremeHour[] = [];
  const stepHour = LEARNED_HOURS + 10;
  const dropHour = stepHour + 60 + LEARNED_HOURS;
  for (let hour = 0; hour < dropHour + 2; hour += 1) {
    const atMs = START + hour * HOUR_MS;
    if (hours.over(atMs)) found.push(...hours.close(atMs));
    const level = hour < stepHour ? 20 : hour < dropHour ? 200 : 400;
    hours.trips(level + normal(random), undefined, atMs);
  }
  const steps = found.filter(({ value, threshold }) => value > threshold + 50);
  expect(steps.map(({ atMs }) => (atMs - START) / HOUR_MS)).toEqual([stepHour, dropHour]);
});

test("what comes late for an hour that is over is left out", () => {
  const hours = new HourMetrics();
  hours.close(START + HOUR_MS);
  hours.trips(1, 1, START);
  hours.share(true, START);
  expect(hours.over(START + HOUR_MS)).toBe(false);
  expect(hours.over(START + 2 * HOUR_MS)).toBe(true);
});

test("the accounts looked at closely are bounded, counted, and let go when they are watched no longer", () => {
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6, topAccounts: 3 });
  const names = ["a", "b", "c"];
  analysis.take(names.map((account, index) => shareOf({ account, atMs: START + index })));
  const states = names.map((account) => analysis.account("pool", account)!);
  for (const state of states) state.closeLook = undefined;
  const watched = new Watched(new MetricsBook(), { accounts: 2 });
  for (const state of states) watched.share(state, { worker: "rig", atMs: START }, 1);
  expect(states.map(({ closeLook }) => closeLook !== undefined)).toEqual([true, true, false]);
  expect(watched.leftOut).toBe(1);
  states[0]!.watched = false;
  watched.settle("pool", START + HOUR_MS);
  watched.share(states[2]!, { worker: "rig", atMs: START + HOUR_MS }, 1);
  expect(states.map(({ closeLook }) => closeLook !== undefined)).toEqual([false, true, true]);
  // Silent for more than a week: let go, long before its state is forgotten.
  watched.settle("pool", START + 8 * DAY_MS + HOUR_MS);
  expect(states.map(({ closeLook }) => closeLook !== undefined)).toEqual([false, false, false]);
});
