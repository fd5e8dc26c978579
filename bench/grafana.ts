import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAY_MS, HOUR_MS } from "../src/core/metrics.ts";
import { openInflux } from "../src/store/influx.ts";
import { prepareInflux } from "../src/store/influx-admin.ts";
import { influxClient } from "../src/store/influx-query.ts";
import { committed, dashboardSchema, resolve, send } from "../test/grafana/runner.ts";
import { simulated } from "../test/grafana/simulated.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../test/store/influxd.ts";

/** A pool of 100,000 accounts keeps series of the 200 largest ones; all others are in its sums. */
const ACCOUNTS = 200;
const DAYS = 30;
const ROUNDS = 3;

/** Each panel's slowest question over 30 days of hourly roll-ups (the service's own: 6 hours of minutes), as Grafana would ask it. */
export async function* run() {
  if (!hasInfluxd()) {
    process.stderr.write(`${WITHOUT_INFLUXD}: no figures for it\n`);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), "assay-bench-"));
  const influxd = await startInfluxd();
  const options = {
    url: influxd.url,
    database: "assay",
    version: 1 as const,
    rawDays: 7,
    hourDays: 400,
    spoolDirectory: join(directory, "spool"),
    spoolBytes: 1_000_000_000,
    maxAccountSeries: 20_000,
    consoleUrl: "http://127.0.0.1:7070",
    sleep: async () => {},
    log: () => {},
  };
  const store = await openInflux(options);
  try {
    await prepareInflux(influxClient(options), options, options);
    const toMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    for (const rows of simulated("1h", toMs - DAYS * DAY_MS, toMs, ACCOUNTS)) await store.write(rows);
    for (const rows of simulated("1m", toMs - 6 * HOUR_MS, toMs, ACCOUNTS)) await store.write(rows);
    const chosen = { account: ["bc1q7"] };
    let slowest = { ms: 0, panel: "" };
    for (const json of committed().values()) {
      const dashboard = dashboardSchema.parse(json);
      for (const { title, targets, interval } of dashboard.panels) {
        const fromMs = interval === "1m" ? toMs - 6 * HOUR_MS : toMs - DAYS * DAY_MS;
        for (const { query } of targets) {
          if (query === undefined) continue;
          const times: number[] = [];
          for (let round = 0; round < ROUNDS; round += 1) {
            const from = performance.now();
            await send(influxd.url, resolve(query, dashboard, interval, { fromMs, toMs, chosen }));
            times.push(performance.now() - from);
          }
          const ms = times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
          if (ms > slowest.ms) slowest = { ms, panel: `${dashboard.title}: ${title}` };
        }
      }
    }
    process.stderr.write(`slowest: ${slowest.panel}\n`);
    yield { figure: "grafana.slowest_panel_ms", value: Math.round(slowest.ms), unit: "ms" };
  } finally {
    await store.close();
    await influxd.close();
    rmSync(directory, { recursive: true });
  }
}
