import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { ALERTS } from "../../grafana/alerts.ts";
import { HOUR_MS } from "../../src/core/metrics.ts";
import { encodeName } from "../../src/store/influx-lines.ts";
import { HOSTILE_NAMES } from "../contract/store.ts";
import { openTestInflux } from "../store/influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../store/influxd.ts";
import { temporary } from "../store/temporary.ts";
import { replayDay } from "./replayed-day.ts";
import { committed, type Dashboard, dashboardSchema, filled, type Range, resolve, send } from "./runner.ts";
import { simulated } from "./simulated.ts";

const GRAFANA = join(import.meta.dirname, "../../grafana");
const FILES = [...committed()];
const dashboards = (): Dashboard[] => FILES.map(([, json]) => dashboardSchema.parse(json));

test("a regeneration changes nothing", () => {
  const directory = temporary();
  execFileSync(process.execPath, [join(GRAFANA, "generate.ts"), directory]);
  for (const folder of ["dashboards", "provisioning/alerting"]) {
    const files = readdirSync(join(directory, folder)).sort();
    expect(readdirSync(join(GRAFANA, folder)).sort()).toEqual(files);
    for (const file of files) {
      const [now, then] = [directory, GRAFANA].map((root) => readFileSync(join(root, folder, file), "utf8"));
      expect(now, `${file}: run node grafana/generate.ts`).toBe(then);
    }
  }
});

test.each(FILES)("%s is a dashboard: described, in units, numbered, and no panel on another", (_, json) => {
  const { panels } = dashboardSchema.parse(json);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    const { x, y, w, h } = gridPos;
    expect(x + w).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column += 1) {
      for (let line = y; line < y + h; line += 1) {
        expect(taken.get(`${column} ${line}`), `${title} lies on it`).toBeUndefined();
        taken.set(`${column} ${line}`, title);
      }
    }
  }
});

test("the schema refuses a panel that does not say what it shows", () => {
  const broken = structuredClone(FILES[0]?.[1]) as { panels: { description?: string }[] };
  delete broken.panels[0]?.description;
  expect(dashboardSchema.safeParse(broken).success).toBe(false);
});

test("the provisioning names the one data source and the one folder", () => {
  const read = (file: string) => parse(readFileSync(join(GRAFANA, "provisioning", file), "utf8"));
  expect(read("datasources/assay.yaml").datasources).toMatchObject([
    { uid: "assay-influx", type: "influxdb" },
  ]);
  expect(read("dashboards/assay.yaml").providers).toMatchObject([{ folder: "Assay", allowUiUpdates: false }]);
  const { groups } = read("alerting/assay.yaml");
  expect(groups).toMatchObject([{ name: "Assay", folder: "Assay" }]);
  expect(
    groups[0].rules.map(({ uid, condition }: { uid: string; condition: string }) => [uid, condition]),
  ).toEqual(ALERTS.map(({ uid }) => [uid, "C"]));
});

describe.skipIf(!hasInfluxd())(
  `with a replayed day in a real influxd${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`,
  () => {
    let influxd: Awaited<ReturnType<typeof startInfluxd>>;
    let directory: string;
    let range: Range;

    beforeAll(async () => {
      influxd = await startInfluxd();
      directory = mkdtempSync(join(tmpdir(), "assay-grafana-"));
      range = await replayDay(directory, influxd.url);
      range = { ...range, chosen: { account: [await someAccount()] } };
    }, 600_000);
    afterAll(async () => {
      await influxd.close();
      rmSync(directory, { recursive: true });
    });

    /** An account that was flagged and whose hashrate changed, as whoever opens its dashboard has one in mind. */
    async function someAccount(): Promise<string> {
      const column = async (query: string) =>
        (await send(influxd.url, query)).map(({ tags, values }) => tags?.account ?? String(values[0]?.[1]));
      const flagged = (await send(influxd.url, 'SELECT "account" FROM "1h"."flag_event"'))
        .flatMap(({ values }) => values)
        .map(([, account]) => String(account));
      const changed = await column('SELECT sum("changes") FROM "1h"."account_change" GROUP BY "account"');
      const found = flagged.find((account) => changed.includes(account));
      if (found === undefined) throw new Error(`no flagged account changed: ${flagged}; ${changed}`);
      return found;
    }

    test.each(dashboards().map((dashboard) => [dashboard.title, dashboard] as const))(
      "%s: every panel, variable and annotation has rows",
      async (_, dashboard) => {
        for (const { query, type, name } of dashboard.templating.list) {
          if (type !== "query") continue;
          const resolved = resolve(query, dashboard, "1h", range);
          expect(filled(await send(influxd.url, resolved)), `variable ${name}`).toBeGreaterThan(0);
        }
        for (const { title, targets, interval } of dashboard.panels) {
          for (const { query, refId } of targets) {
            if (query === undefined) continue;
            const resolved = resolve(query, dashboard, interval, range);
            expect(resolved).not.toMatch(/\$[a-z_{]/);
            expect
              .soft(filled(await send(influxd.url, resolved)), `${title}, query ${refId}`)
              .toBeGreaterThan(0);
          }
        }
        const notes = dashboard.annotations.list.map(({ target }) =>
          resolve(target.query, dashboard, "1h", range),
        );
        for (const note of notes) expect(filled(await send(influxd.url, note))).toBeGreaterThan(0);
      },
    );

    test("every alert's question has rows", async () => {
      const [some] = dashboards();
      for (const { query, uid } of ALERTS) {
        const resolved = resolve(query, some!, "1m", range);
        expect(filled(await send(influxd.url, resolved)), uid).toBeGreaterThan(0);
      }
    });

    test("pools that part, a network that goes, and what comes from it are seen as they were", async () => {
      const sum = async (field: string, of: string) =>
        (await send(influxd.url, `SELECT sum(${field}) FROM "1h".${of}`))[0]?.values[0]?.[1];
      // Twelve jobs of an hour, less the first: a minute must have passed.
      expect(await sum("diverged", `"job" WHERE "pool" = 'two'`)).toBe(11);
      expect(await sum("diverged", `"job" WHERE "pool" <> 'two'`)).toBe(0);
      const simulated = readFileSync(join(directory, "day/observations.ndjson"), "utf8").split("\n");
      const fromNetwork = simulated.filter((line) =>
        /"type":"share".*"accepted".*"ip":"175\.45\.17[6-9]\./.test(line),
      );
      expect(fromNetwork.length).toBeGreaterThan(100);
      // A share every five minutes beside the simulator's, and the service's own.
      expect(await sum("shares", `"network"`)).toBe(fromNetwork.length + 24 * 12 + 1);
      // Outages seen by four peers in the simulation, and one by five at RIS.
      const gone = simulated.filter((line) => /"prefix":"175\.45\.176\.0\/24","event":"withdraw"/.test(line));
      expect(gone.length).toBeGreaterThanOrEqual(8);
      expect(await sum("withdrawals", `"route" WHERE "prefix" = '175.45.176.0/24'`)).toBe(gone.length + 5);
      expect(await sum("confirmed", `"flag"`)).toBe(1);
      expect(await sum("delivered", `"delivery"`)).toBe(1);
    });
  },
);

test.skipIf(!hasInfluxd())(
  `an account's name chooses that account and no other, whatever stands in it${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`,
  async () => {
    const influxd = await startInfluxd();
    onTestFinished(() => influxd.close());
    const { store, end } = await openTestInflux(influxd.url);
    const toMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const fromMs = toMs - 2 * HOUR_MS;
    for (const rows of simulated("1h", fromMs, toMs, 20)) await store.write(rows);
    await end();
    expect(store.state()).toMatchObject({ refused: 0, expired: 0, leftOut: 0, spoolPoints: 0 });
    const account = dashboards().find(({ uid }) => uid === "assay-account")!;
    const panel = account.panels.find(({ title }) => title.startsWith("Change points: "))!;
    for (const name of HOSTILE_NAMES) {
      const chosen = { account: [encodeName(name)] };
      const resolved = resolve(panel.targets[0]!.query!, account, "1h", { fromMs, toMs, chosen });
      const series = await send(influxd.url, resolved);
      expect(series.map(({ tags }) => tags?.account)).toEqual([encodeName(name)]);
    }
  },
);
