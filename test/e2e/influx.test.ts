import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { MEASUREMENTS, type MeasurementName } from "../../src/core/metrics.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { openTestInflux } from "../store/influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../store/influxd.ts";
import { freePort, type Running, startAssay, until } from "../support/assay.ts";
import { seeded } from "../support/shares.ts";

const SHARES = 5_000;
const HOUR_MS = 3_600_000;
const COMPARED: readonly MeasurementName[] = [
  "hashrate",
  "origin",
  "account_hashrate",
  "account_origin",
  "flag",
  "network",
  "job",
  "route",
];
if (!hasInfluxd()) console.warn(WITHOUT_INFLUXD);

/** Two observed pools that part for five minutes, and peers that see a watched prefix come and go. */
function observations(startMs: number): object[] {
  const at = (minute: number) => new Date(startMs + minute * 60_000).toISOString();
  const job = (minute: number, pool: string, prevHash: string) => ({
    type: "job",
    at: at(minute),
    pool,
    jobId: `${minute}`,
    prevHash,
    height: 900_000,
    clean: true,
  });
  const route = (minute: number, peer: string, event: string) => ({
    type: "route",
    at: at(minute),
    prefix: "175.45.176.0/24",
    event,
    peer,
    collector: "rrc00",
  });
  return [
    ...Array.from({ length: 10 }, (_, minute) => [
      job(minute, "one", "a"),
      job(minute, "two", minute < 3 || minute > 7 ? "a" : "b"),
    ]).flat(),
    ...["p", "q", "r"].map((peer, index) => route(20 + index, peer, "announce")),
    route(90, "q", "withdraw"),
  ];
}

function ckpoolLine(index: number, atMs: number, random: () => number): string {
  const account = Math.floor(random() * 20);
  return JSON.stringify({
    workinfoid: 7711126893885391000,
    clientid: account,
    diff: 1 + (index % 4),
    result: true,
    errn: 0,
    createdate: `${Math.floor(atMs / 1000)},${(atMs % 1000) * 1e6}`,
    workername: `a${account}.r1`,
    username: `a${account}`,
    address: account === 3 ? "175.45.178.14" : `84.130.${account}.9`,
    agent: "cgminer/4.11",
  });
}

const fromNetwork = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('"address":"175.45.178.14"')).length;

describe.skipIf(!hasInfluxd())("a service with InfluxDB", () => {
  test("keeps the same figures there as in SQLite, also when influxd is killed in between", async () => {
    const place = mkdtempSync(join(tmpdir(), "assay-influx-"));
    const influxd = await startInfluxd();
    let running: Running | undefined;
    try {
      const random = seeded(5);
      const logs = join(place, "logs", "000bb8c0");
      mkdirSync(logs, { recursive: true });
      const startMs = Date.now() - 4 * HOUR_MS;
      const lines = Array.from({ length: SHARES }, (_, index) =>
        ckpoolLine(index, Math.floor(startMs + (index / SHARES) * 3 * HOUR_MS), random),
      );
      writeFileSync(join(logs, "6b036d0e00000000.sharelog"), `${lines.slice(0, SHARES / 2).join("\n")}\n`);
      const port = await freePort();
      const config = join(place, "assay.yaml");
      writeFileSync(
        config,
        `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
store: { checkpointSeconds: 0.2, influx: { url: "${influxd.url}" } }
collectors:
  ckpool: [{ name: main, directory: ${join(place, "logs")}, pool: log, pollMs: 20 }]
`,
      );
      const kept = async (shares: number) =>
        until(async () => {
          const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
          return text.includes(`assay_shares_kept ${shares}\n`) ? true : undefined;
        });
      running = startAssay(["run", "--config", config]);
      await running.said("listening");
      await kept(SHARES / 2);
      const posted = await fetch(`http://127.0.0.1:${port}/api/v1/observations`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: observations(startMs)
          .map((observation) => JSON.stringify(observation))
          .join("\n"),
      });
      expect(posted.status).toBeLessThan(300);
      await influxd.kill();
      writeFileSync(join(logs, "6b036d0e00000001.sharelog"), `${lines.slice(SHARES / 2).join("\n")}\n`);
      await kept(SHARES);
      await influxd.start();
      const influx = await openTestInflux(influxd.url);
      const metrics = await openMetrics({ file: join(place, "data/metrics.db"), rawDays: 7, hourDays: 400 });
      const query = { fromMs: startMs - HOUR_MS, toMs: Date.now() + HOUR_MS };
      for (const measurement of COMPARED) {
        const by = MEASUREMENTS[measurement].tags;
        for (const level of ["1m", "1h"] as const) {
          // The service goes on: both are asked again until the follower has caught up.
          let [here, there]: unknown[][] = [[], []];
          const rows = await until(async () => {
            const kept = await metrics.query({ measurement, level, by, ...query });
            [here, there] = [kept, await influx.store.query({ measurement, level, by, ...query })];
            return kept.length > 0 && isDeepStrictEqual(there, here) ? kept : undefined;
          }, 60_000).catch((cause: unknown) => {
            expect(there, `${measurement} at ${level}`).toEqual(here);
            throw cause;
          });
          const sum = (column: number) => rows.reduce((all, { values }) => all + (values[column] || 0), 0);
          if (measurement === "hashrate") expect(sum(0)).toBe(SHARES);
          if (measurement === "network") expect(sum(0)).toBe(fromNetwork(lines));
          // Both from the minute after they parted, until the second is back.
          if (measurement === "job") expect([sum(0), sum(2)]).toEqual([20, 9]);
          if (measurement === "route") expect([sum(0), sum(1)]).toEqual([3, 1]);
        }
      }
      expect(await running.end()).toBe(0);
      await metrics.close();
      await influx.end();
    } finally {
      if (running?.child.exitCode === null) await running.kill();
      await influxd.close();
      rmSync(place, { recursive: true });
    }
  }, 120_000);
});
