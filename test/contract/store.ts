import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, type MetricRow, MINUTE_MS } from "../../src/core/metrics.ts";
import type { Store } from "../../src/core/store.ts";

/** A Monday, long before any test's now and after every store's beginning. */
const T0 = Date.UTC(2026, 0, 5);

/** Names that have broken stores: each must come back as it was, and forge or hide nothing. */
export const HOSTILE_NAMES = [
  "a\nhashrate,pool=forged,algorithm=x work=1 1",
  "a\r\nb",
  "comma,equals=space and more",
  "trailing\\",
  "mid\\dle\\n",
  "\\,",
  "\"quoted\" 'single'",
  "'; DROP TABLE hashrate_1m; --",
  "' OR 1=1 --",
  "/.*/",
  "$tag0",
  "100%",
  "%",
  "%000a",
  "⛏️👾 e\u0301",
  "\u0000nul\u0000",
  "\ud800 half a pair",
  "\ufeffmark",
  " leading and trailing ",
  "",
  "x".repeat(10_000),
  "⛏".repeat(10_000),
];

/** What every Store does. `open` gives an empty one and closes it after the test. */
export function storeContract(open: () => Promise<Store>): void {
  const row = (
    minute: number,
    work: number,
    tags = ["p", "sha256d"],
    level: "1m" | "1h" = "1m",
  ): MetricRow => ({
    measurement: "hashrate",
    tags,
    level,
    bucketMs: T0 + minute * MINUTE_MS,
    values: [1, work, 0, 0],
  });
  const hour = { measurement: "hashrate", level: "1m", fromMs: T0, toMs: T0 + HOUR_MS } as const;

  test("an absolute row replaces the one before, and the same row twice is the same row", async () => {
    const store = await open();
    await store.write([row(0, 10), row(1, 20)]);
    await store.write([row(0, 15)]);
    await store.write([row(0, 15)]);
    expect((await store.query(hour)).map(({ bucketMs, values }) => [bucketMs, values])).toEqual([
      [T0, [1, 15, 0, 0]],
      [T0 + MINUTE_MS, [1, 20, 0, 0]],
    ]);
  });

  test("levels do not mix", async () => {
    const store = await open();
    await store.write([row(0, 10), row(0, 600, undefined, "1h")]);
    expect((await store.query(hour)).map(({ values }) => values[1])).toEqual([10]);
    expect((await store.query({ ...hour, level: "1h" })).map(({ values }) => values[1])).toEqual([600]);
  });

  test("sums are summed and last values maximised over the tags not asked for, in order of bucket, then tags", async () => {
    const store = await open();
    const route = (network: string, prefix: string, peers: number): MetricRow => ({
      measurement: "route",
      tags: [network, prefix],
      level: "1m",
      bucketMs: T0,
      values: [2, 1, peers],
    });
    await store.write([route("b", "1", 5), route("b", "2", 9), route("a", "3", Number.NaN)]);
    const all = { measurement: "route", level: "1m", fromMs: T0, toMs: T0 + 1 } as const;
    expect(await store.query({ ...all, by: ["network"] })).toEqual([
      { ...all, fromMs: undefined, toMs: undefined, tags: ["a"], bucketMs: T0, values: [2, 1, Number.NaN] },
      { ...all, fromMs: undefined, toMs: undefined, tags: ["b"], bucketMs: T0, values: [4, 2, 9] },
    ]);
    expect((await store.query(all)).map(({ tags, values }) => [tags, values])).toEqual([[[], [6, 3, 9]]]);
    const turned = await store.query({ ...all, by: ["prefix", "network"], where: { network: "b" } });
    expect(turned.map(({ tags }) => tags)).toEqual([
      ["1", "b"],
      ["2", "b"],
    ]);
  });

  test("a query holds the buckets that start in its range, its start included and its end not", async () => {
    const store = await open();
    await store.write([0, 1, 2, 3].map((minute) => row(minute, minute + 1)));
    const work = async (fromMs: number, toMs: number) =>
      (await store.query({ ...hour, fromMs, toMs })).map(({ values }) => values[1]);
    expect(await work(T0 + MINUTE_MS, T0 + 3 * MINUTE_MS)).toEqual([2, 3]);
    expect(await work(T0 + 1, T0 + 3 * MINUTE_MS + 1)).toEqual([2, 3, 4]);
    expect(await work(T0 + 3 * MINUTE_MS, T0 + MINUTE_MS)).toEqual([]);
    expect(await work(T0 + DAY_MS, T0 + 2 * DAY_MS)).toEqual([]);
  });

  test("hostile names come back as they were, are found by, and forge nothing", async () => {
    const store = await open();
    await store.write(HOSTILE_NAMES.map((name, index) => row(0, index + 1, [name, "sha256d"])));
    const found = await store.query({ ...hour, by: ["pool"] });
    const byName = new Map(found.map(({ tags, values }) => [tags[0], values[1]]));
    // SQLite keeps text as UTF-8, which has no half pairs.
    const kept = (name: string) => (byName.has(name) ? name : name.toWellFormed());
    expect(byName).toEqual(new Map(HOSTILE_NAMES.map((name, index) => [kept(name), index + 1])));
    for (const [index, name] of HOSTILE_NAMES.entries()) {
      const one = await store.query({ ...hour, where: { pool: kept(name) } });
      expect(one.map(({ values }) => values[1])).toEqual([index + 1]);
    }
    expect(await store.query({ ...hour, where: { pool: "' OR 1=1 --x" } })).toEqual([]);
  });

  test("any name is a name", async () => {
    const store = await open();
    let minute = 0;
    const names = fc.uniqueArray(fc.string({ unit: "binary", maxLength: 40 }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(names, async (all) => {
        minute += 1;
        await store.write(all.map((name, index) => row(minute, index + 1, [name, "s"])));
        const fromMs = T0 + minute * MINUTE_MS;
        const found = await store.query({ ...hour, fromMs, toMs: fromMs + 1, by: ["pool"] });
        expect(new Map(found.map(({ tags, values }) => [tags[0], values[1]]))).toEqual(
          new Map(all.map((name, index) => [name, index + 1])),
        );
      }),
      { numRuns: 30 },
    );
  });

  test("numbers of every size come back exactly", async () => {
    const store = await open();
    const sizes = [1e-300, 0.1, 1 / 3, 2 ** 53, 1e21, 1.7976931348623157e308];
    await store.write(sizes.map((size, minute) => row(minute, size)));
    expect((await store.query(hour)).map(({ values }) => values[1])).toEqual(sizes);
  });

  test("an unknown tag or measurement is the caller's mistake", async () => {
    const store = await open();
    await store.write([row(0, 1)]);
    await expect(store.query({ ...hour, by: ['pool" FROM x; --'] })).rejects.toThrow("no tag named");
    await expect(store.query({ ...hour, where: { "pool\" = '' OR \"pool": "x" } })).rejects.toThrow(
      "no tag named",
    );
    await expect(store.query({ ...hour, measurement: "users" as "hashrate" })).rejects.toThrow(
      "no measurement",
    );
  });
}
