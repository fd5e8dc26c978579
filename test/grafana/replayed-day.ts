import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../src/core/metrics.ts";
import { fromPeers } from "../collectors/routes/messages.ts";
import { assay, freePort, type Running, startAssay, until } from "../support/assay.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The day is the same whenever it is replayed; what the service adds is of now. */
const START_MS = Date.UTC(2026, 0, 5);

/**
 * Eleven days of one pool of 230 accounts, among them campaigns that are flagged: a pool is held against its own ninth day,
 * so that no shorter time has anything to say of drift.
 */
const SCENARIO = {
  name: "day",
  accounts: 230,
  days: 11,
  startMs: START_MS,
  vardiffSeconds: 3600,
  siteSharesPerHour: 4,
  maxMachines: 60,
  pools: [{ name: "main", algorithm: "sha256d", coin: "BTC", country: "DE", accounts: "user" }],
  campaigns: ["overseas-base", "relay", "cryptojacking", "outage-synchrony", "sanctioned-origin"].map(
    (typology) => ({ typology, care: "blatant", machines: 20 }),
  ),
};

/** What the simulator has not: two observed pools that part for an hour, flows, and shares from a watched network. */
function* observations(): Generator<object> {
  for (let minute = 0; minute < 24 * 60; minute += 5) {
    const at = new Date(START_MS + minute * MINUTE_MS).toISOString();
    const block = Math.floor(minute / 60);
    const apart = minute >= 600 && minute < 660;
    for (const pool of ["one", "two", "three"]) {
      const prevHash = pool === "two" && apart ? "stale" : `block-${block}`;
      yield { type: "job", at, pool, jobId: `${minute}`, prevHash, height: 900_000 + block, clean: true };
    }
    const flow = { type: "flow", at, exporter: "10.0.0.1", protocol: 6, start: at, end: at };
    const ends = { src: "175.45.178.14", srcPort: 40_000, dst: "192.0.2.1", dstPort: 3333 };
    yield { ...flow, ...ends, bytes: 5_000, packets: 50 };
    const share = { type: "share", at, pool: "main", algorithm: "sha256d", account: "tunnel" };
    const trips = { rttMs: 60, appRttMs: 180 };
    yield {
      type: "session",
      at,
      pool: "main",
      session: `t${minute}`,
      event: "authorize",
      ip: "175.45.178.14",
      account: "tunnel",
      ...trips,
    };
    // At noon it grows sixteenfold: a change point of an account that is flagged.
    const difficulty = minute < 12 * 60 ? 4096 : 65_536;
    yield { ...share, ip: "175.45.178.14", agent: "cgminer/4.11", difficulty, outcome: "accepted" };
  }
}

/** RIS Live's messages of a day in which a watched prefix goes and comes back. */
const messages = (): string[] =>
  [0, 8, 16].flatMap((hour) =>
    fromPeers(5, {
      ...(hour === 8 ? { withdraw: ["175.45.176.0/24"] } : { announce: ["175.45.176.0/24"] }),
      atSeconds: Math.floor((START_MS + hour * HOUR_MS) / 1000),
    }),
  );

const lines = (values: Iterable<object>): string =>
  `${[...values].map((value) => JSON.stringify(value)).join("\n")}\n`;

/** A destination of webhooks that takes everything. */
async function openHook() {
  let received = 0;
  const server = createServer((request, response) => {
    received += 1;
    request.resume();
    response.writeHead(204).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received: () => received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs `assay` and holds it to success. */
async function done(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await assay(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

/**
 * Simulates a day and replays it into the configured InfluxDB, then runs the service for a moment: it takes a share over
 * HTTP, delivers the flag of it, and is given a verdict on a flag of the replayed day. Answers the range it covers.
 */
export async function replayDay(place: string, influxUrl: string): Promise<{ fromMs: number; toMs: number }> {
  await using hook = await openHook();
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/api/v1`;
  const [day, other, ris, list, config] = [
    ...["day.json", "other.ndjson", "ris.ndjson", "list.txt", "assay.yaml"].map((name) => join(place, name)),
  ] as [string, string, string, string, string];
  mkdirSync(place, { recursive: true });
  writeFileSync(day, JSON.stringify(SCENARIO));
  writeFileSync(other, lines(observations()));
  writeFileSync(ris, messages().join("\n"));
  writeFileSync(list, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n");
  writeFileSync(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
store: { checkpointSeconds: 0.2, rawDays: 36500, hourDays: 36500, topAccounts: 300, influx: { url: "${influxUrl}" } }
detection: { threshold: 0.05 }
screening: { lists: [{ name: own, file: ${list} }] }
deliver: { webhooks: [{ name: soc, url: "${hook.url}", secrets: [${SECRET}], allowPrivate: true }] }
`,
  );
  await done(["simulate", "--scenario", day, "--seed", "3", "--out", join(place, "day")]);
  const replayed = await done([
    ...["replay", join(place, "day/observations.ndjson"), other, "--as", "observations"],
    ...["--store", "--config", config],
  ]);
  const flags = replayed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).flag as { id: string; kind: string });
  expect(new Set(flags.map(({ kind }) => kind))).toEqual(new Set(["anomaly", "screening"]));
  await done(["replay", ris, "--as", "ris", "--store", "--config", config]);

  const running = startAssay(["run", "--config", config]);
  try {
    await running.said("listening");
    await operate(running, { base, flagId: flags[0]!.id, received: hook.received });
    expect(await running.end()).toBe(0);
  } finally {
    if (running.child.exitCode === null) await running.kill();
  }
  return { fromMs: START_MS, toMs: Date.now() };
}

async function operate(
  running: Running,
  { base, flagId, received }: { base: string; flagId: string; received: () => number },
): Promise<void> {
  const share = {
    type: "share",
    at: new Date().toISOString(),
    pool: "main",
    algorithm: "sha256d",
    account: "newcomer",
    ip: "175.45.178.15",
    difficulty: 8,
    outcome: "accepted",
  };
  const post = async (path: string, type: string, body: object) => {
    const headers = { "content-type": type, origin: new URL(base).origin };
    const answer = await fetch(`${base}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status, await answer.text()).toBeLessThan(300);
  };
  await post("/observations", "application/x-ndjson", share);
  await post(`/flags/${flagId}/verdicts`, "application/json", { outcome: "confirm", comment: "Seen." });
  await until(() => (received() > 0 ? true : undefined));
  const metrics = async () => (await fetch(new URL("/metrics", base))).text();
  const written = async () => Number(/^assay_influx_written (\d+)/m.exec(await metrics())?.[1]);
  const before = await written();
  await until(async () => ((await written()) > before ? true : undefined));
  expect(running.output()).not.toContain('"level":50');
}
