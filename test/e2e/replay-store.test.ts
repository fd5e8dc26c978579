import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MEASUREMENTS, type MeasurementName, type MetricRow } from "../../src/core/metrics.ts";
import type { Store } from "../../src/core/store.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { shareLine } from "../collectors/pools/share-log.ts";
import { startWorld } from "../review/world.ts";
import { openTestInflux } from "../store/influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../store/influxd.ts";
import { assay, freePort, type Running, startAssay, until } from "../support/assay.ts";
import { seeded } from "../support/shares.ts";

const HOUR_MS = 3_600_000;
const SHARES = 6_000;
const START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 20 * HOUR_MS;
/** Where the service began: in the middle of an hour. */
const LIVE_MS = START_MS + 6.5 * HOUR_MS;
const END_MS = START_MS + 12 * HOUR_MS;

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "assay-replay-store-"));
});
afterAll(() => rmSync(place, { recursive: true }));

/** A log of twelve hours; one of its accounts mines from a watched network under sanctions. */
function writeLogs(): { old: string; live: string } {
  const random = seeded(3);
  const lines: [number, string][] = Array.from({ length: SHARES }, (_, index) => {
    const atMs = Math.floor(START_MS + (index / SHARES) * (END_MS - START_MS));
    const account = Math.floor(random() * 20);
    const line = shareLine({
      diff: 1 + (index % 4),
      createdate: `${Math.floor(atMs / 1000)},${(atMs % 1000) * 1e6}`,
      username: `a${account}`,
      workername: `a${account}.r1`,
      address: account === 3 ? "175.45.178.14" : `84.130.${account}.9`,
    });
    return [atMs, line];
  });
  const logs = join(place, "logs");
  const [old, live] = [join(logs, "old"), join(logs, "live")];
  for (const [name, part] of [
    ["old/000bb8c0/0000000000000001", lines.filter(([atMs]) => atMs < LIVE_MS)],
    ["live/000bb8c1/0000000000000002", lines.filter(([atMs]) => atMs >= LIVE_MS)],
  ] as const) {
    mkdirSync(join(logs, name, ".."), { recursive: true });
    writeFileSync(join(logs, `${name}.sharelog`), part.map(([, line]) => line).join(""));
  }
  return { old, live };
}

/** Everything a store has of the log's hours. */
async function everything(store: Pick<Store, "query">): Promise<Record<string, MetricRow[]>> {
  const all: Record<string, MetricRow[]> = {};
  for (const measurement of Object.keys(MEASUREMENTS) as MeasurementName[]) {
    const by = MEASUREMENTS[measurement].tags;
    for (const level of ["1m", "1h"] as const)
      all[`${measurement} ${level}`] = await store.query({
        measurement,
        level,
        by,
        fromMs: START_MS,
        toMs: END_MS,
      });
  }
  return all;
}

/** What the console's API answers to its own questions, and to one about an account, over a store. */
async function consoleFigures(metrics: Pick<Store, "query">): Promise<{ rows: unknown[] }[]> {
  await using world = await startWorld({ flags: 0, metrics });
  const range = { from: new Date(START_MS).toISOString(), to: new Date(END_MS).toISOString() };
  const asked: Record<string, string>[] = [
    { measurement: "origin", by: "tier" },
    { measurement: "origin", by: "country,tier" },
    { measurement: "flag", by: "severity" },
    { measurement: "hashrate", level: "1m", by: "pool" },
    { measurement: "account_hashrate", where: "pool=main,account=a3" },
  ];
  return await Promise.all(
    asked.map(async (question) => {
      const answer = await fetch(
        `${world.url}/api/v1/metrics/query?${new URLSearchParams({ ...question, ...range })}`,
      );
      expect(answer.status).toBe(200);
      return (await answer.json()) as { rows: unknown[] };
    }),
  );
}

async function embedded(directory: string): Promise<Record<string, MetricRow[]>> {
  const store = await openMetrics({ file: join(directory, "metrics.db"), rawDays: 7, hourDays: 400 });
  try {
    return await everything(store);
  } finally {
    await store.close();
  }
}

async function queue(directory: string): Promise<unknown> {
  const ops = await openOps({ file: join(directory, "ops.db") });
  try {
    const { flags } = await ops.flags({ limit: 100 });
    const deliveries = await ops.deliveries({});
    return { flags, audit: (await ops.audit({ limit: 1000 })).length, deliveries: deliveries.length };
  } finally {
    await ops.close();
  }
}

const shares = (all: Record<string, MetricRow[]>, level: string): number =>
  all[`hashrate ${level}`]!.reduce((sum, { values }) => sum + values[0]!, 0);

test.skipIf(!hasInfluxd())(
  `a replayed log fills what the service has not counted, once, in SQLite and in InfluxDB${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`,
  async () => {
    const { old, live } = writeLogs();
    const influxd = await startInfluxd();
    let running: Running | undefined;
    try {
      const port = await freePort();
      const write = (name: string, influx: string) => {
        const file = join(place, `${name}.yaml`);
        writeFileSync(
          file,
          `data: { directory: ${join(place, name)} }
http: { port: ${port} }
store: { checkpointSeconds: 0.2${influx} }
deliver: { webhooks: [{ name: soc, url: "https://192.0.2.1/", secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }] }
collectors:
  ckpool: [{ name: main, directory: ${live}, pool: main, pollMs: 20 }]
`,
        );
        return file;
      };
      const replay = async (config: string) => {
        const done = await assay([
          ...["replay", old, live, "--as", "ckpool", "--pool", "main", "--store", "--config", config],
        ]);
        expect(done.code, done.stderr).toBe(0);
        return done;
      };

      // What it would be had nobody watched live.
      await replay(write("alone", ""));
      const alone = await embedded(join(place, "alone"));
      expect([shares(alone, "1m"), shares(alone, "1h")]).toEqual([SHARES, SHARES]);

      const config = write("both", `, influx: { url: "${influxd.url}" }`);
      running = startAssay(["run", "--config", config]);
      await running.said("listening");
      const liveShares = shares(
        await until(async () => {
          const found = await embedded(join(place, "both"));
          return shares(found, "1h") >= SHARES * 0.4 ? found : undefined;
        }),
        "1h",
      );
      expect(await replayWhileRunning(config, old)).toContain("another Assay is running");
      expect(await running.end()).toBe(0);
      expect(liveShares).toBeLessThan(SHARES);

      const { stderr } = await replay(config);
      expect(stderr).toContain("and in InfluxDB");
      const once = await embedded(join(place, "both"));
      for (const measurement of ["hashrate", "origin", "account_hashrate", "account_origin", "network"]) {
        expect(once[`${measurement} 1m`]?.length).toBeGreaterThan(10);
        for (const level of ["1m", "1h"])
          expect(once[`${measurement} ${level}`], measurement).toEqual(alone[`${measurement} ${level}`]);
      }
      const influx = await openTestInflux(influxd.url);
      expect(await everything(influx.store)).toEqual(once);
      const metrics = await openMetrics({ file: join(place, "both/metrics.db"), rawDays: 7, hourDays: 400 });
      const figures = await consoleFigures(metrics);
      await metrics.close();
      for (const { rows } of figures) expect(rows.length).toBeGreaterThan(0);
      expect(await consoleFigures(influx.store)).toEqual(figures);
      const flagged = await queue(join(place, "both"));

      expect((await replay(config)).stderr).toContain("0 rows kept");
      expect(await embedded(join(place, "both"))).toEqual(once);
      expect(await everything(influx.store)).toEqual(once);
      expect(await queue(join(place, "both"))).toEqual(flagged);
      // Told to nobody, but in the queue.
      expect(await queue(join(place, "alone"))).toMatchObject({
        flags: [{ account: "a3", state: "open" }],
        deliveries: 0,
      });
      await influx.end();
    } finally {
      if (running?.child.exitCode === null) await running.kill();
      await influxd.close();
    }
  },
  120_000,
);

async function replayWhileRunning(config: string, log: string): Promise<string> {
  const { code, stderr } = await assay(["replay", log, "--as", "ckpool", "--store", "--config", config]);
  expect(code).toBe(1);
  return stderr;
}

test("--store without a configuration is wrong usage", async () => {
  const { code, stderr } = await assay(["replay", "x", "--as", "ckpool", "--store"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--store needs --config")]);
});
