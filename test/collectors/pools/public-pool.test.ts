import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkPublicPool, createPublicPool } from "../../../collectors/pools/public-pool.ts";
import { checkPublicPoolRest, createPublicPoolRest } from "../../../collectors/pools/public-pool-rest.ts";
import { serveJson } from "./serve-json.ts";
import { gather, untilIdle } from "./share-log.ts";

let directory: string;
let file: string;
let database: DatabaseSync;
const NOW = Date.parse("2026-11-22T22:45:00Z");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-public-pool-"));
  file = join(directory, "public-pool.sqlite");
  database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE client_statistics_entity (createdAt datetime, updatedAt datetime, id integer PRIMARY KEY AUTOINCREMENT,
      address varchar(62), clientName varchar, sessionId varchar(8), time integer, shares real, acceptedCount integer);
    CREATE TABLE client_entity (address varchar(62), clientName varchar(64), sessionId varchar(8), userAgent varchar(128));
    INSERT INTO client_entity VALUES ('bc1a', 'rig', 's1', 'bitaxe')`);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const SLOT = Date.parse("2026-11-22T22:30:00Z");
const insert = (
  shares: number,
  count: number,
  more: { slot?: number; session?: string; updated?: string } = {},
) =>
  database
    .prepare(
      "INSERT INTO client_statistics_entity VALUES ('2026-11-22 22:30:01', ?, NULL, 'bc1a', 'rig', ?, ?, ?, ?)",
    )
    .run(more.updated ?? "2026-11-22 22:30:01", more.session ?? "s1", more.slot ?? SLOT, shares, count);
const update = (id: number, shares: number, count: number, updated: string) =>
  database
    .prepare("UPDATE client_statistics_entity SET shares = ?, acceptedCount = ?, updatedAt = ? WHERE id = ?")
    .run(shares, count, updated, id);

const options = () => ({ name: "pp", file, pool: "p", algorithm: "sha256d", pollMs: 1, now: () => NOW });
const read = (cursor?: string) => untilIdle((sleep) => createPublicPool({ ...options(), sleep }), cursor);
const work = (gathered: { shares: { difficulty: number }[] }) =>
  gathered.shares.map(({ difficulty }) => difficulty);

test("a row that grows is counted by what it gained, until the session has a newer one", async () => {
  insert(10, 1);
  const first = await read();
  expect(first.shares).toMatchObject([
    { account: "bc1a", worker: "rig", session: "s1", agent: "bitaxe", difficulty: 10 },
  ]);
  update(1, 40, 4, "2026-11-22 22:31:01.000");
  const second = await read(first.cursor);
  expect(work(second)).toEqual([10, 10, 10]);
  expect(second.shares.map(({ atMs }) => new Date(atMs).toISOString())).toEqual([
    "2026-11-22T22:30:11.000Z",
    "2026-11-22T22:30:31.000Z",
    "2026-11-22T22:30:51.000Z",
  ]);
  update(1, 50, 5, "2026-11-22 22:41:00.000");
  insert(7, 1, { slot: SLOT + 600_000, updated: "2026-11-22 22:41:00" });
  const third = await read(second.cursor);
  expect(work(third)).toEqual([10, 7]);
  expect(Object.keys(JSON.parse(third.cursor!).open)).toEqual(["2"]);
  expect(work(await read(third.cursor))).toEqual([]);
});

test("many rows are read in pages, each once", async () => {
  for (let session = 0; session < 180; session += 1) insert(1, 1, { session: `s${session}` });
  const all = await read();
  expect(all.shares).toHaveLength(180);
  expect(new Set(all.shares.map(({ session }) => session)).size).toBe(180);
});

test("rows the pool deleted are forgotten after a day", async () => {
  insert(1, 1, { updated: "2026-11-20 22:30:01" });
  const first = await read();
  insert(1, 1, { session: "s2" });
  const second = await read(first.cursor);
  expect(Object.keys(JSON.parse(second.cursor!).open)).toEqual(["2"]);
});

test("a file that is not there, and a database that is another's, break the source with its name", async () => {
  const missing = createPublicPool({ ...options(), file: join(directory, "none") });
  await expect(gather(missing.collect(AbortSignal.timeout(10_000)))).rejects.toThrow(/^pp: .*unable to open/);
  database.exec("DROP TABLE client_statistics_entity");
  await expect(read()).rejects.toThrow(/^pp: no such table/);
});

test("check tells what it found", async () => {
  expect(await checkPublicPool({ file })).toBe("public-pool's database, no shares yet");
  insert(1, 1);
  expect(await checkPublicPool({ file })).toBe(
    "public-pool's database, newest shares at 2026-11-22T22:30:01.000Z",
  );
});

test("by its interface: charts become difficulty, and only what they gained", async () => {
  const hashrate = (difficulty: number) => (difficulty * 2 ** 32) / 600;
  let chartData = [{ label: "2026-11-22T22:20:00.000Z", data: hashrate(0.4) }];
  const server = await serveJson(({ pathname }) => {
    if (pathname === "/api/client/bc1a")
      return { workersCount: 2, workers: [{ name: "rig" }, { name: "rig" }] };
    if (pathname === "/api/client/bc1p") return { workers: [{ name: "__proto__" }] };
    if (pathname === "/api/client/bc1p/__proto__") return { chartData };
    if (pathname === "/api/client/bc1a/rig") return { name: "rig", chartData };
    return undefined;
  });
  const rest = {
    name: "pp",
    url: server.url,
    addresses: ["bc1a"],
    pool: "p",
    algorithm: "sha256d",
    pollMs: 1,
    now: () => NOW,
  };
  const look = (cursor?: string) => untilIdle((sleep) => createPublicPoolRest({ ...rest, sleep }), cursor);
  try {
    const first = await look();
    expect(first.shares).toHaveLength(1);
    expect(first.shares[0]).toMatchObject({
      account: "bc1a",
      worker: "rig",
      atMs: Date.parse("2026-11-22T22:25:00Z"),
    });
    expect(first.shares[0]!.difficulty).toBeCloseTo(0.4, 12);
    chartData = [
      { label: "2026-11-22T22:20:00.000Z", data: hashrate(0.5) },
      { label: "2026-11-22T22:30:00.000Z", data: hashrate(2) },
    ];
    const second = await look(first.cursor);
    expect(work(second).map((value) => Number(value.toFixed(9)))).toEqual([0.1, 2]);
    chartData = [];
    expect(work(await look(second.cursor))).toEqual([]);
    chartData = [{ label: "2026-11-22T22:20:00.000Z", data: hashrate(1) }];
    const hostile = { ...rest, addresses: ["bc1p"] };
    const third = await untilIdle((sleep) => createPublicPoolRest({ ...hostile, sleep }));
    expect(third.shares).toHaveLength(1);
    expect(
      await untilIdle((sleep) => createPublicPoolRest({ ...hostile, sleep }), third.cursor),
    ).toMatchObject({ shares: [] });
    expect({}).not.toHaveProperty(["2026-11-22T22:20:00.000Z"]);
    const { signal } = new AbortController();
    expect(await checkPublicPoolRest(rest, signal)).toBe("public-pool, bc1a: 2 workers");
    await expect(checkPublicPoolRest({ ...rest, addresses: ["none"] }, signal)).rejects.toThrow("status 404");
  } finally {
    await server.stop();
  }
});
