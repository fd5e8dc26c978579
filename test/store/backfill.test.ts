import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import {
  DAY_MS,
  HOUR_MS,
  MEASUREMENTS,
  type MeasurementName,
  type MetricDelta,
  MINUTE_MS,
} from "../../src/core/metrics.ts";
import { backfill } from "../../src/store/backfill.ts";
import { type EmbeddedMetrics, openMetrics } from "../../src/store/metrics-sqlite.ts";
import { temporary } from "./temporary.ts";

const T0 = Date.UTC(2026, 0, 5);
const SPAN = { fromMs: T0, toMs: T0 + DAY_MS, nowMs: T0 + DAY_MS, rawDays: 7, hourDays: 400 };

async function open(file = join(temporary(), "metrics.db"), deltas: MetricDelta[] = []) {
  const store = await openMetrics({ file, rawDays: 7, hourDays: 400 });
  onTestFinished(() => store.close());
  await store.commit({ cursors: new Map(), accounts: new Map(), deltas });
  return store;
}

const replayed = (deltas: MetricDelta[]) => open(":memory:", deltas);

const origin = (minute: number, country: string, shares: number, pool = "p"): MetricDelta => ({
  measurement: "origin",
  tags: [pool, country, "hosting", "none"],
  bucketMs: T0 + minute * MINUTE_MS,
  values: [shares, shares * 2 ** 40],
});

const job = (minute: number, height: number): MetricDelta => ({
  measurement: "job",
  tags: ["p"],
  bucketMs: T0 + minute * MINUTE_MS,
  values: [1, 0, 0, height],
});

/** Everything that is kept, as text. */
async function kept(store: EmbeddedMetrics, measurement: MeasurementName): Promise<string[]> {
  const by = MEASUREMENTS[measurement].tags;
  const all: string[] = [];
  for (const level of ["1h", "1m"] as const) {
    for (const { bucketMs, tags, values } of await store.query({ measurement, level, by, ...SPAN }))
      all.push(`${level} ${(bucketMs - T0) / MINUTE_MS} ${tags[0]} ${tags[1] ?? ""} ${values.join(" ")}`);
  }
  return all;
}

test("an empty store takes everything, and takes nothing the second time", async () => {
  const store = await open();
  const replay = await replayed([origin(0, "DE", 1), origin(1, "DE", 2), origin(70, "RU", 4)]);
  expect(await backfill(replay, store, SPAN)).toBe(3);
  const once = await kept(store, "origin");
  expect(once).toEqual(await kept(replay, "origin"));
  expect(await backfill(replay, store, SPAN)).toBe(0);
  expect(await kept(store, "origin")).toEqual(once);
});

test("a minute in which a pool was counted live stays, whatever else the replay finds in it", async () => {
  const store = await open(undefined, [origin(30, "DE", 10), origin(31, "DE", 10)]);
  // The same shares by another database: the second country must not come on top of the first.
  const replay = await replayed([
    origin(29, "RU", 3),
    origin(30, "RU", 10),
    origin(31, "DE", 99),
    origin(31, "DE", 7, "other"),
  ]);
  for (let times = 0; times < 2; times += 1) {
    await backfill(replay, store, SPAN);
    const shares = (await kept(store, "origin")).map((row) => row.split(" ").slice(0, 5).join(" "));
    expect(shares).toEqual([
      "1h 0 other DE 7",
      "1h 0 p DE 20",
      "1h 0 p RU 3",
      "1m 29 p RU 3",
      "1m 30 p DE 10",
      "1m 31 other DE 7",
      "1m 31 p DE 10",
    ]);
  }
});

test("of last values the hour has its newest minute's, live or not", async () => {
  for (const [live, filled, newest] of [
    [50, 10, 700_050],
    [10, 50, 700_050],
  ] as const) {
    const store = await open(undefined, [job(live, 700_000 + live), job(live + 1, Number.NaN)]);
    await backfill(await replayed([job(filled, 700_000 + filled)]), store, SPAN);
    expect((await kept(store, "job"))[0]).toBe(`1h 0 p  3 0 0 ${newest}`);
  }
});

test("where minutes are kept no longer an hour is filled whole or left, and nothing older than its retention comes", async () => {
  const store = await open(undefined, [origin(60, "DE", 10)]);
  const replay = await replayed([origin(0, "DE", 1), origin(61, "DE", 2), origin(130, "DE", 4)]);
  const late = { ...SPAN, nowMs: T0 + 8 * DAY_MS };
  for (let times = 0; times < 2; times += 1) {
    await backfill(replay, store, late);
    const shares = (await kept(store, "origin")).map((row) => row.split(" ").slice(0, 5).join(" "));
    expect(shares).toEqual(["1h 0 p DE 1", "1h 60 p DE 10", "1h 120 p DE 4", "1m 60 p DE 10"]);
  }
  const empty = await open();
  expect(await backfill(replay, empty, { ...SPAN, nowMs: T0 + 500 * DAY_MS })).toBe(0);
});

test("where live and replayed minutes do not meet, the store is as if all had been counted at once", async () => {
  const delta = fc
    .record({ minute: fc.nat(200), pool: fc.constantFrom("p", "q"), country: fc.constantFrom("DE", "RU") })
    .map(({ minute, pool, country }) => origin(minute, country, 1 + (minute % 5), pool));
  await fc.assert(
    fc.asyncProperty(fc.array(delta, { maxLength: 40 }), async (deltas) => {
      const isLive = ({ bucketMs }: MetricDelta) => (bucketMs / MINUTE_MS) % 3 === 0;
      const store = await open(":memory:", deltas.filter(isLive));
      const replay = await replayed(deltas.filter((one) => !isLive(one)));
      await backfill(replay, store, { ...SPAN, toMs: T0 + 4 * HOUR_MS });
      expect(await kept(store, "origin")).toEqual(await kept(await replayed(deltas), "origin"));
    }),
    { numRuns: 6 },
  );
});
