import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DAY_MS, HOUR_MS, type MetricDelta, type MetricRow, MINUTE_MS } from "../../src/core/metrics.ts";
import { copyMetrics } from "../../src/store/copy.ts";
import type { InfluxOptions } from "../../src/store/influx.ts";
import { checkInflux } from "../../src/store/influx-admin.ts";
import { influxClient } from "../../src/store/influx-query.ts";
import { openSpool } from "../../src/store/influx-spool.ts";
import type { InfluxAddress } from "../../src/store/influx-write.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { aFlag } from "./flags.ts";
import { openTestInflux } from "./influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "./influxd.ts";
import { temporary } from "./temporary.ts";

const T0 = Date.UTC(2026, 0, 5);

const row = (minute: number, work: number, pool = "p"): MetricRow => ({
  measurement: "hashrate",
  tags: [pool, "sha256d"],
  level: "1m",
  bucketMs: T0 + minute * MINUTE_MS,
  values: [1, work, 0, 0],
});
const day = { measurement: "hashrate", level: "1m", fromMs: T0, toMs: T0 + DAY_MS } as const;

/** An endpoint that answers writes, and questions, as told and keeps what it was sent. */
async function pretend(
  answer: (count: number) => [status: number, body: string],
  told: [status: number, body: string] = [200, '{"results":[{}]}'],
) {
  const paths: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const asked: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    request.resume();
    await once(request, "end");
    if (request.url?.startsWith("/write")) {
      paths.push(request.url);
      authorizations.push(request.headers.authorization);
    } else asked.push(request.headers.authorization);
    const [status, body] = request.url?.startsWith("/write") ? answer(paths.length) : told;
    response.writeHead(status).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths, authorizations, asked };
}

async function open(url: string, changes: Partial<InfluxOptions> = {}) {
  const opened = await openTestInflux(url, changes);
  onTestFinished(opened.end);
  return opened;
}

test("a partial write is counted and not tried again; what was too old is counted apart", async () => {
  const answers: [number, string][] = [
    [400, '{"error":"partial write: field type conflict: input field \\"work\\" dropped=2"}'],
    [400, '{"error":"partial write: points beyond retention policy dropped=3"}'],
    [400, '{"error":"unable to parse"}'],
    [204, ""],
  ];
  const server = await pretend((count) => answers[count - 1] ?? [204, ""]);
  const { store, logged } = await open(server.url);
  for (let index = 0; index < 4; index += 1)
    await store.write([0, 1, 2, 3, 4].map((minute) => row(minute, 1)));
  expect(store.state()).toMatchObject({ written: 10, refused: 7, expired: 3, spoolPoints: 0 });
  expect(server.paths).toHaveLength(4);
  expect(logged.filter((line) => line === "error: InfluxDB refused points")).toHaveLength(2);
});

test("2.x and 3 say in their own words what they dropped: it holds up nothing", async () => {
  const beyond =
    "dropped 2 points outside retention policy of duration 168h0m0s - oldest point m at … dropped=2";
  const answers: [number, string][] = [
    [422, `{"code":"unprocessable entity","message":"failure writing points: partial write: ${beyond}"}`],
    [500, '{"code":"internal error","message":"partial write: points beyond retention policy dropped=1"}'],
    [400, '{"error":"partial write of line protocol occurred","data":[{"line_number":1},{"line_number":4}]}'],
    [413, "too large"],
    [204, ""],
  ];
  const server = await pretend((count) => answers[count - 1] ?? [204, ""]);
  const { store } = await open(server.url, { version: 2, password: "token" });
  for (const _ of answers) await store.write([0, 1, 2, 3, 4].map((minute) => row(minute, 1)));
  expect(store.state()).toMatchObject({ expired: 3, refused: 2 + 5, written: 15, spoolPoints: 0 });
  expect(server.paths).toHaveLength(5);
});

test("a server error is not a refusal: the points wait and arrive", async () => {
  const server = await pretend((count) => (count < 4 ? [503, "busy"] : [204, ""]));
  const { store } = await open(server.url);
  await store.write([row(0, 1)]);
  await expect.poll(() => store.state()).toMatchObject({ written: 1, spoolPoints: 0, refused: 0 });
});

test("each version is spoken to in its own way, 3 by a database a level", async () => {
  const server = await pretend(() => [204, ""]);
  const of = async (changes: Partial<InfluxOptions>) => {
    const { store, end } = await openTestInflux(server.url, changes);
    await store.write([row(0, 1)]);
    await store.query(day);
    await end();
  };
  await of({});
  await of({ username: "ann", password: "secret" });
  await of({ version: 2, password: "two" });
  await of({ version: 3, password: "three" });
  expect(server.paths).toEqual([
    "/write?db=assay&rp=1m&precision=ms",
    "/write?db=assay&rp=1m&precision=ms",
    "/write?db=assay&rp=1m&precision=ms",
    "/write?db=assay_1m&precision=ms",
  ]);
  const basic = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
  expect(server.authorizations).toEqual([undefined, basic, "Token two", "Bearer three"]);
  expect([...new Set(server.asked)]).toEqual([undefined, basic, "Token two", "Bearer three"]);
});

const checked = (url: string, changes: Partial<InfluxAddress> = {}) => {
  const address: InfluxAddress = { url, database: "assay", version: 1, ...changes };
  return checkInflux(influxClient(address), address);
};

test("a check says what is wrong and what to do about it, by version", async () => {
  expect(await checked("http://127.0.0.1:1")).toEqual([
    expect.stringMatching(
      /^InfluxDB http:\/\/127.0.0.1:1, assay, retention policy 1m: .*is it running there/,
    ),
    expect.stringContaining("retention policy 1h: "),
  ]);
  const denied = await pretend(() => [204, ""], [401, '{"code":"unauthorized","message":"Unauthorized"}']);
  expect(await checked(denied.url, { version: 2, password: "x" })).toEqual([
    expect.stringContaining("must be a token that may read and write"),
    expect.stringContaining("must be a token"),
  ]);
  const missing = await pretend(() => [204, ""], [404, '{"error":"database not found"}']);
  expect(await checked(missing.url, { version: 2, password: "x" })).toEqual([
    expect.stringContaining("influx v1 dbrp create --db assay --rp 1m"),
    expect.stringContaining("influx v1 dbrp create --db assay --rp 1h"),
  ]);
  expect(await checked(missing.url, { version: 3, password: "x" })).toEqual([
    expect.stringContaining("influxdb3 create database assay_1m"),
    expect.stringContaining("influxdb3 create database assay_1h"),
  ]);
  const there = await pretend(() => [204, ""]);
  for (const version of [1, 2, 3] as const)
    expect(await checked(there.url, { version, password: "x" })).toEqual([]);
});

test("the task ends at once on abort, though the server keeps a request waiting", async () => {
  let waiting = () => {};
  const asked = new Promise<void>((resolve) => {
    waiting = resolve;
  });
  let writes = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (!request.url?.startsWith("/write")) response.end('{"results":[{}]}');
    else if (++writes === 1) response.writeHead(503).end();
    else waiting();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { store, end } = await openTestInflux(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await store.write([row(0, 1)]);
  await asked;
  await end();
  expect(store.state()).toMatchObject({ written: 0, spoolPoints: 1 });
});

test("accounts beyond the bound are left out and counted, those known stay", async () => {
  const server = await pretend(() => [204, ""]);
  const { store } = await open(server.url, { maxAccountSeries: 3 });
  const account = (name: string): MetricRow => ({
    measurement: "account_hashrate",
    tags: ["p", name],
    level: "1m",
    bucketMs: T0,
    values: [1, 1],
  });
  await store.write(["a", "b", "c", "d"].map(account));
  await store.write(["c", "e", "a"].map(account));
  expect(store.state()).toMatchObject({ written: 5, leftOut: 2 });
});

test("the spool is bounded: the oldest go first, counted and said", async () => {
  const { store, logged } = await open("http://127.0.0.1:1", { spoolBytes: 2_000 });
  for (let minute = 0; minute < 60; minute += 1) await store.write([row(minute, minute)]);
  const { dropped, spoolPoints, spoolBytes } = store.state();
  expect(dropped + spoolPoints).toBe(60);
  expect(spoolPoints).toBeGreaterThan(10);
  expect(spoolBytes).toBeLessThanOrEqual(2_000);
  expect(logged).toContain("error: the spool is full: the oldest points are dropped");
});

test("a spool is there again after a restart, in order; a batch half written is not one", async () => {
  const directory = temporary();
  const batch = (byte: number) =>
    ({ level: "1h", precision: "u", points: byte, gzipped: new Uint8Array([byte]) }) as const;
  const first = await openSpool(directory, 100);
  for (const byte of [1, 2, 3]) await first.put(batch(byte));
  await (await first.oldest())?.remove();
  writeFileSync(join(directory, "000000000009-1m-ms-5.lp.gz.new"), "half");
  const again = await openSpool(directory, 100);
  expect(again.state()).toEqual({ bytes: 2, points: 5, dropped: 0 });
  await again.put(batch(4));
  const order: number[] = [];
  for (let next = await again.oldest(); next; next = await again.oldest()) {
    expect(next.batch).toMatchObject({ level: "1h", precision: "u" });
    order.push(next.batch.gzipped[0] ?? 0);
    await next.remove();
  }
  expect(order).toEqual([2, 3, 4]);
  expect(readdirSync(directory)).toEqual([]);
});

describe.skipIf(!hasInfluxd())(`with a real influxd${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`, () => {
  let influxd: Awaited<ReturnType<typeof startInfluxd>>;
  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(() => influxd.close());

  test("SIGKILL of influxd in mid-ingest: no acknowledged point lost, no gap, the figures of an undisturbed run", async () => {
    const { store } = await open(influxd.url, { database: "killed" });
    const minute = (at: number) =>
      Array.from({ length: 200 }, (_, pool) => row(at, at + pool, `pool ${pool}`));
    let acknowledged = 0;
    const ingest = async (until: number) => {
      for (; acknowledged < until; acknowledged += 1) {
        await store.write(minute(acknowledged));
        // A bucket that grows on while the server is away: its newest value must win.
        await store.write([row(0, 1_000 + acknowledged, "growing")]);
      }
    };
    const ingesting = ingest(60);
    await expect.poll(() => acknowledged, { interval: 1 }).toBeGreaterThan(10);
    await influxd.kill();
    await ingesting;
    await ingest(90);
    expect(store.state().spoolPoints).toBeGreaterThan(0);
    // Each question reaches out for the server: that it was away a moment ago says nothing of now.
    for (let asked = 0; asked < 3; asked += 1) {
      await expect(store.query({ ...day, by: ["pool"] })).rejects.toThrow("ECONNREFUSED");
      await setTimeout(5);
    }
    await influxd.start();
    await ingest(100);
    await expect.poll(() => store.state().spoolPoints, { timeout: 20_000 }).toBe(0);

    const found = await store.query({ ...day, by: ["pool"] });
    const expected = Array.from({ length: 100 }, (_, at) => minute(at)).flat();
    const key = ({ bucketMs, tags }: MetricRow) => `${bucketMs} ${tags[0]}`;
    const byKey = new Map(found.map((one) => [key(one), one.values]));
    for (const one of expected) expect(byKey.get(key(one))).toEqual(one.values);
    expect(byKey.get(`${T0} growing`)).toEqual([1, 1_099, 0, 0]);
    expect(found).toHaveLength(expected.length + 1);
    expect(store.state()).toMatchObject({ written: 100 * 201, refused: 0, dropped: 0 });
  });

  test("what SQLite committed and what InfluxDB follows are the same figures, late data and catching up included", async () => {
    const { store } = await open(influxd.url, { database: "same" });
    const metrics = await openMetrics({ file: join(temporary(), "m.db"), rawDays: 7, hourDays: 400 });
    onTestFinished(() => metrics.close());
    for (let checkpoint = 0; checkpoint < 20; checkpoint += 1) {
      const deltas = Array.from(
        { length: 150 },
        (_, index): MetricDelta => ({
          measurement: index % 2 ? "origin" : "hashrate",
          tags:
            index % 2
              ? ["p", ["RU", "KP", "DE"][index % 3]!, "hosting", "none"]
              : [`p${index % 5}`, "sha256d"],
          bucketMs: T0 + ((checkpoint * 37 + index * 11) % 300) * MINUTE_MS,
          values: index % 2 ? [1, 2 ** (index % 40)] : [1, 2 ** (index % 40), index % 3, 0],
        }),
      );
      const changed = await metrics.commit({ cursors: new Map(), accounts: new Map(), deltas });
      // The process died between both once in a while.
      if (checkpoint % 4 !== 3) await store.write(changed);
    }
    for (let times = 0; times < 2; times += 1) {
      await copyMetrics(metrics, store, { fromMs: T0 + 30 * MINUTE_MS, toMs: T0 + DAY_MS });
    }
    for (const level of ["1m", "1h"] as const) {
      for (const [measurement, by] of [
        ["hashrate", ["pool"]],
        ["origin", ["country", "kind"]],
        ["origin", []],
      ] as const) {
        const ask = { measurement, level, by, fromMs: T0, toMs: T0 + 6 * HOUR_MS };
        const rows = await store.query(ask);
        expect(rows.length).toBeGreaterThan(3);
        expect(rows).toEqual(await metrics.query(ask));
      }
    }
  });

  test("a database that vanished is made again, with the retention the configuration says", async () => {
    const { store, client, options } = await open(influxd.url, {
      database: "vanished",
      rawDays: 7,
      hourDays: 400,
    });
    await client.dropDatabase("vanished");
    const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    await store.write([{ ...row(0, 7), bucketMs: nowMs }]);
    await expect.poll(() => store.state()).toMatchObject({ written: 1, spoolPoints: 0 });
    const ask = { ...day, fromMs: nowMs, toMs: nowMs + 1 };
    expect((await store.query(ask)).map(({ values }) => values[1])).toEqual([7]);
    const policies = [...(await client.showRetentionPolicies(options.database))];
    expect(policies.map(({ name, duration, default: isDefault }) => [name, duration, isDefault])).toEqual(
      expect.arrayContaining([
        ["1m", "168h0m0s", true],
        ["1h", "9600h0m0s", false],
      ]),
    );
    await store.write([row(-400 * 1440, 1)]);
    expect(store.state()).toMatchObject({ expired: 1, refused: 0 });
    expect(await checked(influxd.url, { database: "vanished" })).toEqual([]);
    expect(await checked(influxd.url, { database: "not yet made" })).toEqual([]);
  });

  test("a flag becomes one annotation, however often it is written, and two of one moment are two", async () => {
    const { store, client, options } = await open(influxd.url, { database: "annotated" });
    for (const id of ["flag-1", "flag-2", "flag-1"]) await store.annotate(aFlag({ id, account: 'a "b" \\' }));
    const found = await client.query<{ id: string; account: string; text: string }>(
      'SELECT * FROM "flag_event"',
      {
        database: options.database,
        retentionPolicy: "1h",
      },
    );
    expect([...found].map(({ id }) => id).sort()).toEqual(["flag-1", "flag-2"]);
    expect(found[0]?.account).toBe('a "b" \\');
    expect(found[0]?.text).toContain('<a href="http://127.0.0.1:7070/flags/flag-');
  });
});
