import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkMiningcore, createMiningcore } from "../../../collectors/pools/miningcore.ts";
import { hasPostgres, startPostgres } from "./postgres.ts";
import { gather, untilIdle } from "./share-log.ts";

const isWanted = hasPostgres || process.env.ASSAY_REQUIRE_SERVICES === "1";
const NOW = Date.parse("2026-11-23T12:00:00Z");

describe.skipIf(!isWanted)("miningcore (needs PostgreSQL)", () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  const columns =
    "poolid TEXT NOT NULL, blockheight BIGINT NOT NULL, difficulty DOUBLE PRECISION NOT NULL, networkdifficulty DOUBLE PRECISION NOT NULL, " +
    "miner TEXT NOT NULL, worker TEXT NULL, useragent TEXT NULL, ipaddress TEXT NOT NULL, source TEXT NULL, created TIMESTAMP NOT NULL";
  beforeEach(async () => {
    await server.client.query("DROP TABLE IF EXISTS shares");
    await server.client.query(`CREATE TABLE shares (${columns})`);
    await server.client.query("CREATE INDEX idx_shares_pool_created ON shares (poolid, created)");
  });

  const options = () => ({
    name: "mc",
    url: server.url,
    poolId: "xmr1",
    pool: "p",
    algorithm: "randomx",
    pollMs: 1,
    now: () => NOW,
  });
  const read = (cursor?: string) => untilIdle((sleep) => createMiningcore({ ...options(), sleep }), cursor);
  const insert = (
    client: pg.Client,
    miner: string,
    created: string,
    more: { difficulty?: number; poolId?: string } = {},
  ) =>
    client.query("INSERT INTO shares VALUES ($1, 1, $2, 1, $3, 'rig', 'XMRig/6.26', '192.0.2.1', 'eu', $4)", [
      more.poolId ?? "xmr1",
      more.difficulty ?? 5000,
      miner,
      created,
    ]);
  const miners = (gathered: { shares: { account: string }[] }) =>
    gathered.shares.map(({ account }) => account);

  test("reads what the table holds of its pool, with worker, agent and address", async () => {
    await insert(server.client, "a", "2026-11-23 11:59:00.123456");
    await insert(server.client, "other", "2026-11-23 11:59:00", { poolId: "btc1" });
    const { shares } = await read();
    expect(shares).toEqual([
      {
        type: "share",
        atMs: Date.parse("2026-11-23T11:59:00.123Z"),
        pool: "p",
        algorithm: "randomx",
        account: "a",
        worker: "rig",
        session: undefined,
        ip: "192.0.2.1",
        agent: "XMRig/6.26",
        difficulty: 5000,
        outcome: "accepted",
      },
    ]);
  });

  test("a column with a time zone reads alike", async () => {
    await server.client.query(
      "ALTER TABLE shares ALTER created TYPE TIMESTAMPTZ USING created AT TIME ZONE 'UTC'",
    );
    await insert(server.client, "a", "2026-11-23 12:59:00+01");
    const first = await read();
    expect(first.shares[0]!.atMs).toBe(Date.parse("2026-11-23T11:59:00Z"));
    await insert(server.client, "b", "2026-11-23 12:59:00+01");
    expect(miners(await read(first.cursor))).toEqual(["b"]);
  });

  test("rows of equal date at the edge of a page or a round are neither lost nor doubled", async () => {
    await server.client.query(
      "INSERT INTO shares SELECT 'xmr1', 1, 1, 1, 'm' || n, NULL, NULL, '192.0.2.1', NULL, TIMESTAMP '2026-11-23 11:00:00' FROM generate_series(1, 40000) n",
    );
    const first = await read();
    expect(new Set(miners(first)).size).toBe(40_000);
    expect(first.shares).toHaveLength(40_000);
    await insert(server.client, "later", "2026-11-23 11:00:00");
    expect(miners(await read(first.cursor))).toEqual(["later"]);
  });

  test("stopped after any page, it goes on with the next row", async () => {
    await server.client.query(
      "INSERT INTO shares SELECT 'xmr1', 1, 1, 1, 'm' || n, NULL, NULL, '192.0.2.1', NULL, TIMESTAMP '2026-11-23 11:00:00' + n % 7 * INTERVAL '1 s' FROM generate_series(1, 10000) n",
    );
    const stopping = new AbortController();
    const first: string[] = [];
    let cursor: string | undefined;
    for await (const batch of createMiningcore(options()).collect(stopping.signal)) {
      first.push(...miners({ shares: batch.observations as { account: string }[] & [] }));
      cursor = batch.cursor;
      stopping.abort();
    }
    expect(first).toHaveLength(4096);
    // Committed while it was away, dated among the rows it had read already.
    await insert(server.client, "meanwhile", "2026-11-23 11:00:00");
    const rest = await read(cursor);
    const last = await read(rest.cursor);
    const all = [...first, ...miners(rest), ...miners(last)];
    expect(all).toHaveLength(10_001);
    expect(new Set(all).size).toBe(10_001);
  });

  test("a transaction that commits late, dated before what was read, is not lost", async () => {
    const slow = new pg.Client({ connectionString: server.url });
    await slow.connect();
    await slow.query("BEGIN");
    await insert(slow, "slow", "2026-11-23 11:59:00");
    await insert(server.client, "quick", "2026-11-23 11:59:30");
    const first = await read();
    expect(miners(first)).toEqual(["quick"]);
    await slow.query("COMMIT");
    await slow.end();
    const second = await read(first.cursor);
    expect(miners(second)).toEqual(["slow"]);
    expect(miners(await read(second.cursor))).toEqual([]);
  });

  test("a date in the future is refused and does not hide the present", async () => {
    await insert(server.client, "future", "2027-11-23 12:00:00");
    await insert(server.client, "zero", "2026-11-23 11:58:00", { difficulty: 0 });
    await insert(server.client, "a".repeat(10_000), "2026-11-23 11:58:00");
    await insert(server.client, "a", "2026-11-23 11:58:00");
    const first = await read();
    expect(miners(first)).toEqual(["a"]);
    expect(first.refusals.map(({ reason }) => reason).toSorted()).toEqual([
      expect.stringMatching(/^account: /),
      "at: in the future",
      "difficulty: not above 0",
    ]);
    await insert(server.client, "b", "2026-11-23 11:59:00");
    expect(miners(await read(first.cursor))).toEqual(["b"]);
  });

  test("payouts that delete shares, and updates of the table's storage, double nothing", async () => {
    await insert(server.client, "a", "2026-11-23 11:58:00");
    await insert(server.client, "b", "2026-11-23 11:58:01");
    const first = await read();
    await server.client.query("DELETE FROM shares WHERE miner = 'a'");
    await server.client.query("VACUUM FREEZE shares");
    await insert(server.client, "c", "2026-11-23 11:58:02");
    expect(miners(await read(first.cursor))).toEqual(["c"]);
  });

  test("a server that cannot be reached, or another table, breaks the source with its name", async () => {
    const gone = createMiningcore({ ...options(), url: "postgres://pool@127.0.0.1:1/postgres" });
    await expect(gather(gone.collect(AbortSignal.timeout(20_000)))).rejects.toThrow(/^mc: .*ECONNREFUSED/);
    await server.client.query("ALTER TABLE shares DROP COLUMN useragent");
    await expect(gather(createMiningcore(options()).collect(AbortSignal.timeout(20_000)))).rejects.toThrow(
      "mc: table shares has no column useragent",
    );
  });

  test("ends on abort while the database is busy", async () => {
    await server.client.query("BEGIN");
    await server.client.query("LOCK TABLE shares IN ACCESS EXCLUSIVE MODE");
    const stopping = new AbortController();
    const reading = gather(createMiningcore(options()).collect(stopping.signal));
    await expect
      .poll(async () => {
        // Statistics stay as first read within a transaction unless told otherwise.
        await server.client.query("SELECT pg_stat_clear_snapshot()");
        const { rows } = await server.client.query(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'assay' AND wait_event_type = 'Lock'",
        );
        return rows.length;
      })
      .toBe(1);
    stopping.abort();
    expect((await reading).shares).toEqual([]);
    await server.client.query("ROLLBACK");
  });

  test("check says what it found, or which pools there are instead", async () => {
    const { signal } = new AbortController();
    expect(await checkMiningcore(options(), signal)).toBe("table shares is empty");
    await insert(server.client, "a", "2026-11-23 11:58:00");
    expect(await checkMiningcore(options(), signal)).toBe(
      "table shares, newest share of xmr1 at 2026-11-23 11:58:00 UTC",
    );
    await expect(checkMiningcore({ ...options(), poolId: "nope" }, signal)).rejects.toThrow(
      "no pool nope, but xmr1",
    );
  });
});
