import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { REDIS_DIALECTS, readRedisMember } from "../../../collectors/pools/redis-member.ts";
import { checkRedisShares, createRedisShares } from "../../../collectors/pools/redis-shares.ts";
import { hasRedis, startRedis } from "./redis.ts";
import { gather, untilIdle } from "./share-log.ts";

describe("members", () => {
  test.each([
    [
      "nomp",
      "16:LTCaddr.rig1:1795386642569",
      { account: "LTCaddr", worker: "rig1", difficulty: 16, outcome: "accepted" },
    ],
    [
      "nomp",
      "-16:LTCaddr:1795386642569",
      { account: "LTCaddr", worker: undefined, difficulty: 16, outcome: "invalid" },
    ],
    ["nomp", "0.5:a.b:c:1795386642569", { account: "a", worker: "b:c", difficulty: 0.5 }],
    [
      "cryptonote",
      "5000:44AFF~rigA:1795386642569:prop",
      { account: "44AFF", worker: "rigA", difficulty: 5000 },
    ],
    ["cryptonote", "5000:44AFF:1795386642569", { account: "44AFF", worker: undefined, difficulty: 5000 }],
    ["ethereum", "2000000000:0xabc:rig:1795386642569", { account: "0xabc", worker: "rig", difficulty: 2e9 }],
    ["ethereum", "2000000000:0xabc::1795386642569", { account: "0xabc", worker: undefined }],
  ] as const)("%s %s", (dialect, member, expected) => {
    expect(readRedisMember(member, dialect)).toMatchObject({ atMs: 1795386642569, ...expected });
  });

  test("anything else is refused, never thrown", () => {
    expect(readRedisMember("NaN:a:1795386642569", "nomp")).toBe("not a nomp share");
    expect(readRedisMember("1:a", "ethereum")).toBe("not a ethereum share");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...REDIS_DIALECTS), (text, dialect) => {
        readRedisMember(text, dialect);
      }),
    );
  });
});

const isWanted = hasRedis || process.env.ASSAY_REQUIRE_SERVICES === "1";

describe.skipIf(!isWanted)("redis shares (needs redis-server)", () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    await server.client.flushAll();
  });

  const key = "litecoin:hashrate";
  const options = () => ({
    name: "nomp",
    url: server.url,
    key,
    dialect: "nomp" as const,
    pool: "p",
    algorithm: "scrypt",
    pollMs: 1,
    now: Date.now,
    lagMs: 5000,
  });
  const read = (cursor?: string) => untilIdle((sleep) => createRedisShares({ ...options(), sleep }), cursor);
  /** Adds as NOMP does: scored by the second, the millisecond in the member. */
  const add = (agoSeconds: number, name: string, difficulty = 16) => {
    const atMs = Date.now() - agoSeconds * 1000;
    return server.client.zAdd(key, {
      score: Math.floor(atMs / 1000),
      value: `${difficulty}:${name}:${atMs}`,
    });
  };
  const accounts = (gathered: { shares: { account: string }[] }) =>
    gathered.shares.map(({ account }) => account);

  test("reads seconds that are past, once each, in order of time", async () => {
    await add(20, "b.1");
    await add(30, "a.1", -16);
    // A minute ahead, so that it is not past on the slowest machine either.
    await add(-60, "present.1");
    const first = await read();
    expect(first.shares.map(({ account, worker, outcome }) => [account, worker, outcome])).toEqual([
      ["a", "1", "invalid"],
      ["b", "1", "accepted"],
    ]);
    await add(7, "c.1");
    const second = await read(first.cursor);
    expect(accounts(second)).toEqual(["c"]);
    expect(accounts(await read(second.cursor))).toEqual([]);
  });

  test("more than a page, also in one second, is read whole and once, wherever it stops", async () => {
    const second = Math.floor(Date.now() / 1000) - 20;
    const members = Array.from({ length: 12_000 }, (_, index) => ({
      score: second + Math.floor(index / 6000),
      value: `1:m${index}.w:${second * 1000 + index}`,
    }));
    await server.client.zAdd(key, members);
    const all: string[] = [];
    let cursor: string | undefined;
    for (let done = false; !done; ) {
      const stopping = new AbortController();
      done = true;
      const collector = createRedisShares({ ...options(), sleep: async () => stopping.abort() });
      for await (const batch of collector.collect(stopping.signal, cursor)) {
        all.push(...batch.observations.map((share) => (share as { account: string }).account));
        cursor = batch.cursor;
        done = false;
        stopping.abort();
      }
    }
    expect(all).toHaveLength(12_000);
    expect(new Set(all).size).toBe(12_000);
  });

  test("what is written too late is counted, once", async () => {
    const stopping = new AbortController();
    let round = 0;
    const sleep = async () => {
      round += 1;
      if (round === 1) await add(10, "late.1");
      if (round === 2) await add(8, "late.2");
      if (round === 4) stopping.abort();
    };
    await add(20, "a.1");
    const all = await gather(createRedisShares({ ...options(), sleep }).collect(stopping.signal));
    expect(accounts(all)).toEqual(["a"]);
    expect(all.refusals.map(({ reason, count }) => [reason, count])).toEqual([
      ["written too late; not read", 1],
      ["written too late; not read", 1],
    ]);
  });

  test("bad members are refused by key and second", async () => {
    await add(20, "a.1", 0);
    await server.client.zAdd(key, { score: Math.floor(Date.now() / 1000) - 20, value: "nonsense" });
    const all = await read();
    expect(all.shares).toEqual([]);
    expect(all.refusals.map(({ reason }) => reason).toSorted()).toEqual([
      "difficulty: not above 0",
      "not a nomp share",
    ]);
  });

  test("a server that is away breaks the source with its name; abort ends it while it waits", async () => {
    const gone = createRedisShares({ ...options(), url: "redis://127.0.0.1:1" });
    await expect(gather(gone.collect(AbortSignal.timeout(20_000)))).rejects.toThrow(/^nomp: /);
    const stopping = new AbortController();
    const waiting = createRedisShares({ ...options(), pollMs: 600_000 });
    await add(20, "a.1");
    for await (const _ of waiting.collect(stopping.signal)) stopping.abort();
    expect(stopping.signal.aborted).toBe(true);
  });

  test("check says what it found or what is wrong", async () => {
    const { signal } = new AbortController();
    await expect(checkRedisShares(options(), signal)).rejects.toThrow("no key litecoin:hashrate");
    await add(20, "a.1");
    expect(await checkRedisShares(options(), signal)).toMatch(
      /^1 shares in litecoin:hashrate, the newest at 20/,
    );
    await expect(checkRedisShares({ ...options(), dialect: "ethereum" }, signal)).rejects.toThrow(
      "holds something else",
    );
    await server.client.set("text", "x");
    await expect(checkRedisShares({ ...options(), key: "text" }, signal)).rejects.toThrow("is a string");
  });
});
