import { afterEach, expect, test } from "vitest";
import type { Share } from "#core/observation.ts";
import { checkSri, createSri } from "../../../collectors/pools/sri.ts";
import { serveJson } from "./serve-json.ts";
import { gather, untilIdle } from "./share-log.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

interface ChannelState {
  channel_id: number;
  user_identity: string;
  shares_accepted?: number;
  shares_acknowledged?: number;
  shares_rejected: number;
  shares_rejected_by_reason?: Record<string, number>;
  share_work_sum: number;
}

/** The monitoring interface with the test's own state, paged as the program pages it. */
async function program() {
  const state = {
    uptime: 100,
    sv1: undefined as undefined | Record<string, unknown>[],
    server: [] as ChannelState[],
    clients: new Map<number, ChannelState[]>(),
  };
  const paged = <T>(all: T[], url: URL) => {
    const offset = Number(url.searchParams.get("offset"));
    return all.slice(offset, offset + 2);
  };
  const channels = (all: ChannelState[], url: URL) => ({
    limit: 2,
    total_extended: all.length,
    total_standard: 0,
    extended_channels: paged(all, url),
    standard_channels: [],
  });
  const server = await serveJson((url) => {
    const { pathname } = url;
    if (pathname === "/api/v1/global") {
      return { uptime_secs: state.uptime, ...(state.sv1 ? { sv1_clients: {} } : { sv2_clients: {} }) };
    }
    if (pathname === "/api/v1/sv1/clients")
      return { total: state.sv1!.length, items: paged(state.sv1!, url) };
    if (pathname === "/api/v1/server/channels") return channels(state.server, url);
    const ids = [...state.clients.keys(), 99];
    if (pathname === "/api/v1/clients")
      return { total: ids.length, items: paged(ids, url).map((client_id) => ({ client_id })) };
    const id = Number(/^\/api\/v1\/clients\/(\d+)\/channels$/.exec(pathname)?.[1]);
    const found = state.clients.get(id);
    return found && channels(found, url);
  });
  stops.push(server.stop);
  let nowMs = 1_000_000;
  const options = {
    name: "sri",
    url: server.url,
    pool: "p",
    algorithm: "sha256d",
    pollMs: 1,
    now: () => nowMs,
  };
  const look = (cursor?: string) => {
    nowMs += 60_000;
    return untilIdle((sleep) => createSri({ ...options, sleep }), cursor);
  };
  return { state, look, options };
}

const channel = (
  id: number,
  shares: number,
  work: number,
  rejected: Record<string, number> = {},
): ChannelState => ({
  channel_id: id,
  user_identity: `acct.rig${id}`,
  shares_accepted: shares,
  shares_rejected: 0,
  shares_rejected_by_reason: rejected,
  share_work_sum: work,
});

test("a pool's channels, over pages, by what they gained and why shares were rejected", async () => {
  const { state, look } = await program();
  state.clients.set(1, [channel(1, 10, 1000), channel(2, 0, 0), channel(3, 5, 50)]);
  state.clients.set(2, [channel(1, 0, 0)]);
  const first = await look();
  expect(first.shares).toEqual([]);
  state.clients.set(1, [
    channel(1, 12, 1200, { "stale-share": 1, "duplicate-share": 2, "difficulty-too-low": 1 }),
    channel(2, 0, 0),
    channel(3, 6, 60),
  ]);
  state.clients.set(2, [channel(1, 1, 8)]);
  const second = await look(first.cursor);
  const accepted = second.shares.filter(({ outcome }) => outcome === "accepted");
  expect(accepted.map(({ account, worker, difficulty }) => [account, worker, difficulty])).toEqual([
    ["acct", "rig1", 100],
    ["acct", "rig1", 100],
    ["acct", "rig3", 10],
    ["acct", "rig1", 8],
  ]);
  const rejected = second.shares
    .filter(({ outcome }) => outcome !== "accepted")
    .map(({ outcome }) => outcome);
  expect(rejected.toSorted()).toEqual(["duplicate", "duplicate", "low-difficulty", "stale"]);
  state.uptime = 3;
  state.clients.set(1, [channel(1, 1, 100)]);
  expect((await look(second.cursor)).shares.map(({ difficulty }) => difficulty)).toEqual([100, 8]);
});

test("a translator's miners give the address where a channel is one miner's", async () => {
  const { state, look, options } = await program();
  const miner = (client_id: number, channel_id: number) => ({
    client_id,
    channel_id,
    connection_ip: `192.0.2.${client_id}`,
    sv1_username: `acct.rig${client_id}`,
    sv1_worker_name: `rig${client_id}`,
  });
  const upstream = (id: number, shares: number, work: number): ChannelState => {
    const { shares_accepted, shares_rejected_by_reason, ...rest } = channel(id, shares, work);
    return { ...rest, shares_acknowledged: shares };
  };
  state.sv1 = [miner(1, 1), miner(2, 2), miner(3, 2)];
  state.server = [upstream(1, 0, 0), upstream(2, 0, 0)];
  const first = await look();
  expect(first.shares).toMatchObject([
    { type: "session", event: "authorize", ip: "192.0.2.1", account: "acct", worker: "rig1" },
    { ip: "192.0.2.2" },
    { ip: "192.0.2.3" },
  ]);
  state.sv1 = [miner(1, 1)];
  state.server = [upstream(1, 1, 64), upstream(2, 1, 64)];
  state.sv1.push(miner(2, 2), miner(4, 2));
  const second = await look(first.cursor);
  const shares = second.shares.filter(({ type }) => type === "share") as Share[];
  expect(shares.map(({ ip, session }) => [ip, session])).toEqual([
    ["192.0.2.1", "0-1"],
    [undefined, undefined],
  ]);
  const { signal } = new AbortController();
  expect(await checkSri(options, signal)).toBe(
    "Stratum V2 monitoring, up 100 s, 2 channels, 3 Stratum V1 miners",
  );
});

test("something else under the address breaks the source with its name", async () => {
  const server = await serveJson(() => ({ hello: 1 }));
  stops.push(server.stop);
  const collector = createSri({
    name: "sri",
    url: server.url,
    pool: "p",
    algorithm: "sha256d",
    pollMs: 1,
    now: Date.now,
  });
  await expect(gather(collector.collect(AbortSignal.timeout(10_000)))).rejects.toThrow(
    "sri: /api/v1/global: uptime_secs",
  );
});
