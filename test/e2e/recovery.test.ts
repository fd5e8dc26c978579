import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeObservation } from "../../src/core/observation.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { freePort, type Running, startAssay, until } from "../support/assay.ts";
import { seeded, shareOf } from "../support/shares.ts";

const HOUR_MS = 3_600_000;
const LOG_SHARES = 60_000;
const ROUNDS = 4;
let place: string;
let receiver: Server;
let deliveries: string[];
let running: Running | undefined;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "assay-recovery-"));
  deliveries = [];
  receiver = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      deliveries.push(String(request.headers["webhook-id"]));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
  receiver.close();
  rmSync(place, { recursive: true });
});

function ckpoolLine(index: number, atMs: number, random: () => number): string {
  const account = Math.floor(random() * 40);
  const address = account === 7 ? "175.45.178.14" : `84.130.${account}.9`;
  return JSON.stringify({
    workinfoid: 7711126893885391000,
    clientid: account,
    diff: 1 + (index % 3),
    sdiff: 5,
    hash: "00",
    result: true,
    errn: 0,
    createdate: `${Math.floor(atMs / 1000)},${(atMs % 1000) * 1e6}`,
    workername: `a${account}.r1`,
    username: `a${account}`,
    address,
    agent: "cgminer/4.11",
  });
}

test("killed again and again in mid-ingestion: no share lost, none twice, no flag doubled, no webhook lost", async () => {
  const random = seeded(99);
  const logs = join(place, "logs", "000bb8c0");
  mkdirSync(logs, { recursive: true });
  const startMs = Date.now() - 30 * HOUR_MS;
  const lines = Array.from({ length: LOG_SHARES }, (_, index) =>
    ckpoolLine(index, Math.floor(startMs + (index / LOG_SHARES) * 29 * HOUR_MS), random),
  );
  const difficulty = lines.reduce((sum, line) => sum + JSON.parse(line).diff, 0);
  const files = [join(logs, "6b036d0e00000000.sharelog"), join(logs, "6b036d0e00000001.sharelog")];
  writeFileSync(files[0]!, `${lines.slice(0, LOG_SHARES / 2).join("\n")}\n`);
  const port = await freePort();
  const hook = (receiver.address() as AddressInfo).port;
  const config = join(place, "assay.yaml");
  writeFileSync(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
store: { checkpointSeconds: 0.1 }
collectors:
  ckpool: [{ name: main, directory: ${join(place, "logs")}, pool: log, pollMs: 20 }]
deliver:
  webhooks: [{ name: hook, url: "http://127.0.0.1:${hook}/", secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw], allowPrivate: true }]
`,
  );
  running = startAssay(["run", "--config", config]);
  let acknowledged = 0;
  /** Sends one numbered batch until the service has acknowledged it, however often it dies in between. */
  const post = async (sequence: number) => {
    const shares = Array.from({ length: 50 }, (_, index) =>
      writeObservation(
        shareOf({
          atMs: startMs + sequence * 1000 + index,
          pool: "http",
          account: `h${index % 5}`,
          difficulty: 2,
        }),
      ),
    );
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/observations`, {
        method: "POST",
        headers: {
          "content-type": "application/x-ndjson",
          "assay-source": "test",
          "assay-sequence": String(sequence),
        },
        body: shares.join("\n"),
      }).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
    acknowledged += shares.length;
  };
  let sequence = 1;
  const half = lines.slice(LOG_SHARES / 2);
  for (let round = 0; round < ROUNDS; round += 1) {
    await running.said("listening");
    for (let batch = 0; batch < 5; batch += 1) await post(sequence++);
    const from = (half.length / ROUNDS) * round;
    // A half record at the end, as a reader may find one, then its rest.
    const text = `${half.slice(from, from + half.length / ROUNDS).join("\n")}\n`;
    appendFileSync(files[1]!, text.slice(0, text.length / 2 + 17));
    const sent = post(sequence++);
    await running.kill();
    appendFileSync(files[1]!, text.slice(text.length / 2 + 17));
    running = startAssay(["run", "--config", config]);
    await sent;
  }
  await running.said("listening");
  const total = LOG_SHARES + acknowledged;
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`).then((response) => response.text());
    return /assay_outbox_waiting 0\b/.test(answer) && answer.includes(`assay_shares_kept ${total}\n`)
      ? true
      : undefined;
  }, 60_000);
  expect(await running.end()).toBe(0);

  const metrics = await openMetrics({ file: join(place, "data/metrics.db"), rawDays: 7, hourDays: 400 });
  const query = { measurement: "hashrate", fromMs: 0, toMs: Date.now() + HOUR_MS, by: ["pool"] } as const;
  for (const level of ["1m", "1h"] as const) {
    const rows = await metrics.query({ ...query, level });
    const sum = (pool: string, column: number) =>
      rows.filter(({ tags }) => tags[0] === pool).reduce((all, { values }) => all + values[column]!, 0);
    expect([sum("log", 0), sum("log", 1)]).toEqual([LOG_SHARES, difficulty * 2 ** 32]);
    expect([sum("http", 0), sum("http", 1)]).toEqual([acknowledged, acknowledged * 2 * 2 ** 32]);
  }
  await metrics.close();
  const ops = await openOps({ file: join(place, "data/ops.db") });
  const { flags } = await ops.flags({ limit: 100 });
  const keys = flags.map(({ pool, account, kind }) => `${pool}/${account}/${kind}`);
  expect(keys).toContain("log/a7/screening");
  expect(new Set(keys).size).toBe(keys.length);
  const messages = await ops.deliveries({ limit: 1000 });
  expect(messages.filter(({ state }) => state !== "delivered")).toEqual([]);
  expect(new Set(deliveries)).toEqual(new Set(messages.map(({ id }) => id)));
  expect(messages.filter(({ event }) => event === "flag.opened")).toHaveLength(flags.length);
  expect((await ops.verifyAudit()).brokenAtId).toBeNull();
  await ops.close();
}, 120_000);
