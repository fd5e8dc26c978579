import { afterEach, expect, test } from "vitest";
import type { Session, Share } from "#core/observation.ts";
import { checkXmrigProxy, createXmrigProxy } from "../../../collectors/pools/xmrig-proxy.ts";
import { readAnswers } from "../../../collectors/pools/xmrig-proxy-decode.ts";
import { serveJson } from "./serve-json.ts";
import { gather, untilIdle } from "./share-log.ts";

const WALLET =
  "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A";
const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

/** A proxy whose counters the test sets. */
async function proxy() {
  const state = {
    uptime: 100,
    mode: "rig_id",
    workers: [] as unknown[][],
    miners: [] as unknown[][],
  };
  const server = await serveJson(({ pathname }) => {
    if (pathname === "/1/summary") return { version: "6.26.0", uptime: state.uptime };
    if (pathname === "/1/workers") return { mode: state.mode, workers: state.workers };
    if (pathname === "/1/miners") return { format: [], miners: state.miners };
    return undefined;
  });
  stops.push(server.stop);
  let nowMs = 1_000_000;
  const options = {
    name: "xp",
    url: server.url,
    pool: "p",
    algorithm: "randomx",
    pollMs: 1,
    now: () => nowMs,
  };
  const look = (cursor?: string) => {
    nowMs += 60_000;
    return untilIdle((sleep) => createXmrigProxy({ ...options, sleep }), cursor);
  };
  return { state, look, options, server };
}

const worker = (
  name: string,
  accepted: number,
  hashes: number,
  more: { rejected?: number; invalid?: number } = {},
) => [name, "192.0.2.7", 1, accepted, more.rejected ?? 0, more.invalid ?? 0, hashes, 0, 0, 0, 0, 0, 0];
const miner = (id: number, rig: string, user = `${WALLET}.${rig}`) => [
  id,
  "192.0.2.7",
  10,
  10,
  2,
  400,
  user,
  "x",
  rig,
  "XMRig/6.26.0",
];

test("shares are what the counters gained, under the wallet of the miner behind the worker", async () => {
  const { state, look } = await proxy();
  state.workers = [worker("rigA", 10, 4000)];
  state.miners = [miner(1, "rigA")];
  const first = await look();
  expect((first.shares as unknown as Session[]).map(({ type, event, ip }) => [type, event, ip])).toEqual([
    ["session", "authorize", "192.0.2.7"],
  ]);
  state.workers = [worker("rigA", 14, 6000, { rejected: 1, invalid: 1 }), worker("rigB", 1, 500)];
  state.miners = [];
  const second = await look(first.cursor);
  const shares = second.shares.filter(({ type }) => type === "share") as Share[];
  const accepted = shares.filter(({ outcome }) => outcome === "accepted");
  expect(accepted.filter((share) => share.account === WALLET).map(({ difficulty }) => difficulty)).toEqual([
    500, 500, 500, 500,
  ]);
  expect(accepted.find((share) => share.account === "rigB")).toMatchObject({
    difficulty: 500,
    ip: "192.0.2.7",
  });
  expect(shares.filter(({ outcome }) => outcome === "invalid")).toHaveLength(2);
  expect(shares[0]).toMatchObject({ worker: "rigA", algorithm: "randomx" });
  expect(second.shares.filter(({ type }) => (type as string) === "session")).toMatchObject([
    { event: "close", account: WALLET },
  ]);
});

test("what is counted while nobody looks is caught up; a restarted proxy counts from 0", async () => {
  const { state, look } = await proxy();
  state.workers = [worker("a", 10, 4000)];
  const first = await look();
  state.workers = [worker("a", 20, 8000)];
  const second = await look(first.cursor);
  expect(second.shares).toHaveLength(10);
  state.uptime = 5;
  state.workers = [worker("a", 3, 1200)];
  const third = await look(second.cursor);
  expect(third.shares.map(({ difficulty }) => difficulty)).toEqual([400, 400, 400]);
  expect((await look(third.cursor)).shares).toEqual([]);
});

test("a worker cannot hide behind its name", async () => {
  const { state, look } = await proxy();
  const first = await look();
  state.workers = ["__proto__", "constructor", "toString"].map((name) => worker(name, 1, 400));
  const second = await look(first.cursor);
  expect(second.shares.map(({ account }) => account)).toEqual(["__proto__", "constructor", "toString"]);
  state.workers = ["__proto__", "constructor", "toString"].map((name) => worker(name, 3, 1200));
  expect((await look(second.cursor)).shares).toHaveLength(6);
});

test("an answer of something else, and no answer, break the source with its name", async () => {
  const { state, options, server } = await proxy();
  state.workers = [["only a name"]];
  await expect(gather(createXmrigProxy(options).collect(AbortSignal.timeout(10_000)))).rejects.toThrow(
    /^xp: not an xmrig-proxy's answer: workers/,
  );
  await stops.pop()!();
  await expect(gather(createXmrigProxy(options).collect(AbortSignal.timeout(10_000)))).rejects.toThrow(
    `xp: ${server.url}/1/`,
  );
  expect(() => readAnswers(null)).toThrow("not an xmrig-proxy's answer");
});

test("the token is sent; check tells what it found", async () => {
  const { state, options, server } = await proxy();
  state.workers = [worker("a", 1, 1)];
  const { signal } = new AbortController();
  expect(await checkXmrigProxy({ ...options, token: "secret" }, signal)).toBe(
    "xmrig-proxy 6.26.0, 1 workers by rig_id, 0 miners connected",
  );
  expect(server.requests.every(({ headers }) => headers.authorization === "Bearer secret")).toBe(true);
  state.mode = "none";
  await expect(checkXmrigProxy(options, signal)).rejects.toThrow('set "workers"');
});
