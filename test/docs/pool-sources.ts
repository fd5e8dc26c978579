import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { WebSocketServer } from "ws";
import { startPostgres } from "../collectors/pools/postgres.ts";
import { startRedis } from "../collectors/pools/redis.ts";
import { serveJson } from "../collectors/pools/serve-json.ts";
import { shareLine } from "../collectors/pools/share-log.ts";
import { startPublisher } from "../collectors/pools/zmq-publisher.ts";

/** What every `${…}` of a sample stands for. */
export const SECRET = "a-secret-of-enough-length";

/** The program behind a sample: what of the sample names it, what does here, and how it ends. */
interface Source {
  replace: Record<string, string>;
  stop: () => unknown;
}

export async function ckpool(home: string): Promise<Source> {
  const logs = join(home, "logs");
  mkdirSync(join(logs, "000dbba0"), { recursive: true });
  writeFileSync(join(logs, "000dbba0", "6b036dd000000000.sharelog"), shareLine());
  return { replace: { "/var/lib/ckpool/logs": logs }, stop: () => rmSync(logs, { recursive: true }) };
}

/** Miningcore's table, read by the role that the page itself makes. */
export async function miningcore(_: string, page: string): Promise<Source> {
  const server = await startPostgres();
  const role = /```sql\n(.*?)```/s.exec(page)![1]!.replace("…", SECRET);
  await server.client.query(`CREATE TABLE shares (poolid TEXT NOT NULL, blockheight BIGINT NOT NULL,
    difficulty DOUBLE PRECISION NOT NULL, networkdifficulty DOUBLE PRECISION NOT NULL, miner TEXT NOT NULL, worker TEXT NULL,
    useragent TEXT NULL, ipaddress TEXT NOT NULL, source TEXT NULL, created TIMESTAMP NOT NULL);
    CREATE INDEX idx_shares_pool_created ON shares (poolid, created); CREATE TABLE payments (amount BIGINT);
    INSERT INTO shares VALUES ('xmr1', 1, 1, 1, 'm', NULL, NULL, '192.0.2.1', NULL, '2026-11-22T22:30:00');
    ${role}`);
  const at = new URL(server.url);
  const reader = new pg.Client({ connectionString: `postgres://assay@${at.host}/postgres` });
  await reader.connect();
  const refused = await reader.query("SELECT * FROM payments").catch((error: Error) => error.message);
  await reader.end();
  if (refused !== "permission denied for table payments")
    throw new Error("the page's role reads more than it should");
  return { replace: { "127.0.0.1/miningcore": `${at.host}/postgres` }, stop: server.stop };
}

export async function miningcoreRelay(): Promise<Source> {
  const publisher = await startPublisher("PUB");
  return { replace: { "tcp://127.0.0.1:6000": publisher.url }, stop: publisher.stop };
}

export async function webSocket(): Promise<Source> {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    verifyClient: ({ req }: { req: IncomingMessage }) => req.headers.authorization === `Bearer ${SECRET}`,
  });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    replace: { "wss://pool.example/shares": `ws://127.0.0.1:${port}/shares` },
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

export async function nomp(): Promise<Source> {
  const server = await startRedis();
  const nowMs = Date.now();
  await server.client.zAdd("litecoin:hashrate", {
    score: Math.floor(nowMs / 1000),
    value: `16:LTCaddr.rig1:${nowMs}`,
  });
  return { replace: { "redis://127.0.0.1:6379": server.url }, stop: server.stop };
}

export async function publicPool(home: string): Promise<Source> {
  const file = join(home, "public-pool.sqlite");
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE client_statistics_entity (createdAt datetime, updatedAt datetime, id integer PRIMARY KEY AUTOINCREMENT,
      address varchar(62), clientName varchar, sessionId varchar(8), time integer, shares real, acceptedCount integer);
    CREATE TABLE client_entity (address varchar(62), clientName varchar(64), sessionId varchar(8), userAgent varchar(128));
    INSERT INTO client_statistics_entity VALUES
      ('2026-11-22 22:30:01', '2026-11-22 22:30:01', NULL, 'bc1a', 'rig', 's1', ${Date.UTC(2026, 10, 22, 22, 30)}, 10, 1)`);
  const stop = () => {
    database.close();
    rmSync(file);
  };
  return { replace: { "/var/lib/public-pool/DB/public-pool.sqlite": file }, stop };
}

export async function publicPoolRest(): Promise<Source> {
  const address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
  const server = await serveJson(({ pathname }) =>
    pathname === `/api/client/${address}` ? { workers: [{ name: "rig" }, { name: "rig" }] } : undefined,
  );
  return { replace: { "https://pool.example:40557": server.url }, stop: server.stop };
}

/** A translator with one miner. */
export async function sri(): Promise<Source> {
  const channel = {
    channel_id: 1,
    user_identity: "acct.rig1",
    shares_acknowledged: 0,
    shares_rejected: 0,
    share_work_sum: 0,
  };
  const miner = { client_id: 1, channel_id: 1, connection_ip: "192.0.2.1" };
  const channels = {
    total_extended: 1,
    total_standard: 0,
    extended_channels: [channel],
    standard_channels: [],
  };
  const server = await serveJson(({ pathname }) => {
    if (pathname === "/api/v1/global") return { uptime_secs: 100, sv1_clients: {} };
    if (pathname === "/api/v1/sv1/clients") return { total: 1, items: [miner] };
    return pathname === "/api/v1/server/channels" ? { limit: 25, ...channels } : undefined;
  });
  return { replace: { "http://127.0.0.1:9092": server.url }, stop: server.stop };
}

export async function xmrigProxy(): Promise<Source> {
  const server = await serveJson(({ pathname }) => {
    if (pathname === "/1/summary") return { version: "6.26.0", uptime: 100 };
    if (pathname === "/1/miners") return { format: [], miners: [] };
    const worker = ["rig", "192.0.2.7", 1, 10, 0, 0, 4000, 0, 0, 0, 0, 0, 0];
    return pathname === "/1/workers" ? { mode: "rig_id", workers: [worker] } : undefined;
  });
  return { replace: { "http://127.0.0.1:8080": server.url }, stop: server.stop };
}
