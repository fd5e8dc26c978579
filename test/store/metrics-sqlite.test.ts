import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { DAY_MS, HOUR_MS, type MetricDelta, MINUTE_MS } from "../../src/core/metrics.ts";
import { copyMetrics } from "../../src/store/copy.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { heard } from "./child.ts";
import { temporary } from "./temporary.ts";

const T0 = Date.UTC(2026, 0, 5);

async function open(file = join(temporary(), "metrics.db")) {
  const store = await openMetrics({ file, rawDays: 7, hourDays: 400 });
  onTestFinished(() => store.close());
  return store;
}

const checkpoint = (deltas: MetricDelta[], rest: object = {}) => ({
  cursors: new Map<string, string>(),
  accounts: new Map<string, Uint8Array>(),
  deltas,
  ...rest,
});

const hashrate = (minute: number, work: number, pool = "p"): MetricDelta => ({
  measurement: "hashrate",
  tags: [pool, "sha256d"],
  bucketMs: T0 + minute * MINUTE_MS,
  values: [1, work, 0, 0],
});

test("deltas add up in both levels and the changed rows come back absolute", async () => {
  const store = await open();
  await store.commit(checkpoint([hashrate(0, 10), hashrate(1, 20)]));
  const changed = await store.commit(checkpoint([hashrate(0, 5), hashrate(0, 7)]));
  expect(changed).toEqual([
    { measurement: "hashrate", tags: ["p", "sha256d"], level: "1m", bucketMs: T0, values: [3, 22, 0, 0] },
    { measurement: "hashrate", tags: ["p", "sha256d"], level: "1h", bucketMs: T0, values: [4, 42, 0, 0] },
  ]);
});

test("a late minute adds to its hour's sums but leaves the newer last value", async () => {
  const store = await open();
  const collector = (minute: number, lagMs: number): MetricDelta => ({
    measurement: "collector",
    tags: ["tap"],
    bucketMs: T0 + minute * MINUTE_MS,
    values: [1, 0, 0, lagMs],
  });
  await store.commit(checkpoint([collector(9, 900)]));
  await store.commit(checkpoint([collector(3, 300), collector(10, Number.NaN)]));
  const ask = { measurement: "collector", fromMs: T0, toMs: T0 + HOUR_MS } as const;
  expect((await store.query({ ...ask, level: "1h" })).map((row) => row.values)).toEqual([[3, 0, 0, 900]]);
  expect((await store.query({ ...ask, level: "1m" })).map((row) => row.values[3])).toEqual([
    300,
    900,
    Number.NaN,
  ]);
});

test("any order and any division into checkpoints gives the same rows", async () => {
  const store = await open();
  let pool = 0;
  const minutes = fc.array(fc.tuple(fc.nat(180), fc.nat(1000)), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(minutes, fc.nat(39), async (all, cut) => {
      pool += 1;
      const named = (suffix: string, list: typeof all) =>
        list.map(([minute, work]) => hashrate(minute, work, `${pool}${suffix}`));
      await store.commit(checkpoint(named("a", all)));
      const turned = [...all].reverse();
      await store.commit(checkpoint(named("b", turned.slice(0, cut))));
      await store.commit(checkpoint(named("b", turned.slice(cut))));
      for (const level of ["1m", "1h"] as const) {
        const ask = { measurement: "hashrate", level, fromMs: T0, toMs: T0 + DAY_MS } as const;
        const [a, b] = await Promise.all(
          ["a", "b"].map((suffix) => store.query({ ...ask, where: { pool: `${pool}${suffix}` } })),
        );
        expect(a).toEqual(b);
        expect(a!.reduce((sum, row) => sum + row.values[1]!, 0)).toBe(all.reduce((sum, [, w]) => sum + w, 0));
      }
    }),
    { numRuns: 30 },
  );
});

test("a selective filter answers what reading the whole range answers", async () => {
  const store = await open();
  const deltas = Array.from({ length: 600 }, (_, index) =>
    hashrate(Math.floor(index / 20), index, `pool-${index % 20}`),
  );
  await store.commit(checkpoint(deltas));
  const ask = {
    measurement: "hashrate",
    level: "1m",
    fromMs: T0 + 30_000,
    toMs: T0 + 10 * MINUTE_MS,
  } as const;
  const all = await store.query({ ...ask, by: ["pool"] });
  const one = await store.query({ ...ask, by: ["pool"], where: { pool: "pool-7" } });
  expect(one).toHaveLength(9);
  expect(one).toEqual(all.filter((row) => row.tags[0] === "pool-7"));
  expect(await store.query({ ...ask, where: { pool: "absent" } })).toEqual([]);
});

test("hostile names are kept and found as they were, and no name becomes part of a statement", async () => {
  const store = await open();
  const names = [
    "a\nhashrate,pool=x work=1 1",
    "a,b=c d",
    "back\\",
    "'; DROP TABLE hashrate_1m; --",
    '"q"',
    "⛏️👾",
    "\u0000nul\u0000",
    "x".repeat(10_000),
    "",
  ];
  await store.commit(checkpoint(names.map((name, index) => hashrate(0, index + 1, name))));
  const ask = { measurement: "hashrate", level: "1m", fromMs: T0, toMs: T0 + HOUR_MS } as const;
  const found = await store.query({ ...ask, by: ["pool"] });
  expect(new Map(found.map((row) => [row.tags[0], row.values[1]]))).toEqual(
    new Map(names.map((name, index) => [name, index + 1])),
  );
  for (const [index, name] of names.entries()) {
    expect((await store.query({ ...ask, where: { pool: name } })).map((row) => row.values[1])).toEqual([
      index + 1,
    ]);
  }
  await expect(store.query({ ...ask, by: ["pool; DROP TABLE cursors"] })).rejects.toThrow("no tag named");
});

test("a checkpoint that cannot be kept whole changes nothing, and the store goes on", async () => {
  const store = await open();
  const broken = checkpoint([hashrate(0, 1, "new"), hashrate(0, Number.NaN)], {
    cursors: new Map([["c", "2"]]),
    accounts: new Map([["a", new Uint8Array([1])]]),
  });
  await expect(store.commit(broken)).rejects.toThrow(/metrics store: .*hashrate_1m.work/);
  const { cursors, accounts } = await store.recover();
  expect([cursors.size, (await accounts[Symbol.asyncIterator]().next()).done]).toEqual([0, true]);
  await store.commit(checkpoint([hashrate(0, 3, "new")]));
  const rows = await store.query({ measurement: "hashrate", level: "1m", fromMs: T0, toMs: T0 + HOUR_MS });
  expect(rows.map((row) => row.values[1])).toEqual([3]);
});

test("recovery pages through every account, states byte for byte, though they were views on one buffer", async () => {
  const file = join(temporary(), "metrics.db");
  const store = await openMetrics({ file, rawDays: 7, hourDays: 400 });
  const buffer = new Uint8Array(2_500 * 4).map((_, index) => index % 251);
  const accounts = new Map<string, Uint8Array>();
  for (let index = 0; index < 2_500; index += 1) {
    accounts.set(`account ${index}`, buffer.subarray(index * 4, index * 4 + 1 + (index % 4)));
  }
  await store.commit(checkpoint([], { accounts, cursors: new Map([["ckpool", "height 1"]]) }));
  await store.close();
  const again = await open(file);
  const left = await again.recover();
  expect(left.cursors).toEqual(new Map([["ckpool", "height 1"]]));
  const found = new Map<string, Uint8Array>();
  for await (const { key, state } of left.accounts) found.set(key, new Uint8Array(state));
  expect(found.size).toBe(2_500);
  for (const [key, state] of accounts) expect(found.get(key)).toEqual(new Uint8Array(state));
});

test("an account committed without a state is forgotten", async () => {
  const store = await open();
  const states = (bytes: number) => ({ accounts: new Map([["a", new Uint8Array(bytes)]]) });
  await store.commit(checkpoint([], states(3)));
  await store.commit(checkpoint([], states(0)));
  const { accounts } = await store.recover();
  expect((await accounts[Symbol.asyncIterator]().next()).done).toBe(true);
});

test("a store of an older Assay takes what is measured since", async () => {
  const file = join(temporary(), "metrics.db");
  const older = await openMetrics({ file, rawDays: 7, hourDays: 400 });
  const flag = { measurement: "flag", tags: ["p", "anomaly", "high"], bucketMs: T0 } as const;
  await older.commit(checkpoint([{ ...flag, values: [1, 0, 0, 0, 0] }]));
  await older.close();
  const db = new DatabaseSync(file);
  for (const level of ["1m", "1h"]) db.exec(`ALTER TABLE flag_${level} DROP COLUMN verdictMs`);
  db.exec("ALTER TABLE drift_1m DROP COLUMN psi; ALTER TABLE drift_1m DROP COLUMN psi_at");
  db.close();
  const store = await open(file);
  await store.commit(checkpoint([{ ...flag, values: [0, 0, 0, 1, 9_000] }]));
  const rows = await store.query({ measurement: "flag", level: "1h", fromMs: T0, toMs: T0 + 1 });
  expect(rows.map(({ values }) => values)).toEqual([[1, 0, 0, 1, 9_000]]);
  await store.commit(checkpoint([{ measurement: "drift", tags: ["m"], bucketMs: T0, values: [0.2] }]));
  const drift = await store.query({ measurement: "drift", level: "1m", fromMs: T0, toMs: T0 + 1 });
  expect(drift.map(({ values }) => values)).toEqual([[0.2, Number.NaN, Number.NaN]]);
});

test("a backfill through a store in memory doubles nothing, however often it is made", async () => {
  const store = await open();
  await store.commit(checkpoint([hashrate(500, 7)]));
  const ask = { measurement: "hashrate", fromMs: T0, toMs: T0 + DAY_MS } as const;
  for (let times = 0; times < 2; times += 1) {
    const replayed = await open(":memory:");
    expect(await replayed.bounds()).toBeNull();
    await replayed.commit(checkpoint([hashrate(3, 5), hashrate(70, 6)]));
    const { firstMs, lastMs } = (await replayed.bounds())!;
    expect([firstMs, lastMs]).toEqual([T0, T0 + 70 * MINUTE_MS]);
    await copyMetrics(replayed, store, { fromMs: firstMs, toMs: lastMs + 1 });
    expect((await store.query({ ...ask, level: "1m" })).map(({ values }) => values[1])).toEqual([5, 6, 7]);
    expect((await store.query({ ...ask, level: "1h" })).map(({ values }) => values[1])).toEqual([5, 6, 7]);
  }
});

test("a quiet pool's day is copied in one write: each is a round trip to the server", async () => {
  const store = await open();
  await store.commit(checkpoint(Array.from({ length: 144 }, (_, index) => hashrate(index * 10, 1))));
  const writes: number[] = [];
  const to = { write: async (rows: readonly unknown[]) => void writes.push(rows.length) };
  await copyMetrics(store, to, { fromMs: T0, toMs: T0 + DAY_MS });
  expect(writes).toEqual([144 + 24]);
});

test("a question is answered while a checkpoint cannot be committed yet", async () => {
  const file = join(temporary(), "metrics.db");
  const store = await open(file);
  await store.commit(checkpoint([hashrate(0, 1)]));
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const committing = store.commit(checkpoint([hashrate(0, 2)]));
  const ask = { measurement: "hashrate", level: "1m", fromMs: T0, toMs: T0 + HOUR_MS } as const;
  expect((await store.query(ask)).map(({ values }) => values[1])).toEqual([1]);
  other.exec("ROLLBACK");
  other.close();
  await committing;
  expect((await store.query(ask)).map(({ values }) => values[1])).toEqual([3]);
});

test("retention is by level", async () => {
  const store = await open();
  const days = [0, 5, 20].map((day) => hashrate(day * 1440, day + 1));
  await store.commit(checkpoint(days));
  await store.prune(T0 + 13 * DAY_MS);
  const ask = { measurement: "hashrate", fromMs: 0, toMs: T0 + 99 * DAY_MS } as const;
  expect((await store.query({ ...ask, level: "1m" })).map((row) => row.values[1])).toEqual([21]);
  expect((await store.query({ ...ask, level: "1h" })).map((row) => row.values[1])).toEqual([1, 6, 21]);
});

test("SIGKILL in the middle of commits: cursor, account states and rows always tell the same", async () => {
  const file = join(temporary(), "metrics.db");
  let before = 0;
  for (let round = 0; round < 8; round += 1) {
    const child = fork(new URL("./commit-forever.ts", import.meta.url), [file], { execArgv: [] });
    // The child says each commit it has been answered; the kill falls somewhere in a later one.
    let told = 0;
    for (const wanted = before + 2 + round; told < wanted; ) told = await heard(child);
    child.on("message", (number) => {
      told = Number(number);
    });
    child.kill("SIGKILL");
    await once(child, "exit");

    const db = new DatabaseSync(file);
    const count = Number(db.prepare("SELECT cursor FROM cursors").get()?.cursor);
    const sum = (table: string) => Number(db.prepare(`SELECT sum(shares) AS s FROM ${table}`).get()?.s);
    const sums = [sum("hashrate_1m"), sum("hashrate_1h")];
    const states = db.prepare("SELECT DISTINCT state FROM accounts").all();
    db.close();
    expect(count).toBeGreaterThanOrEqual(told);
    expect(sums).toEqual([count * 300, count * 300]);
    expect(states.map(({ state }) => Buffer.from(state as Uint8Array).readUInt32LE(0))).toEqual([count]);
    before = count;
  }
});
