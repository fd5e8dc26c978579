import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ALERTS } from "../../grafana/alerts.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import { encodeName } from "../../src/store/influx-lines.ts";
import { HOSTILE_NAMES } from "../contract/store.ts";
import { aFlag } from "../store/flags.ts";
import { openTestInflux } from "../store/influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../store/influxd.ts";
import { temporary } from "../store/temporary.ts";
import { committed, type Dashboard, dashboardSchema, filled, resolve, send } from "./runner.ts";
import { simulated } from "./simulated.ts";

/** What an operator would have picked where all is no choice. */
const SOME = { account: ["bc1q7"] };

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
  `with a simulated day in a real influxd${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`,
  () => {
    let influxd: Awaited<ReturnType<typeof startInfluxd>>;
    let directory: string;
    const toMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const fromMs = toMs - DAY_MS;

    beforeAll(async () => {
      influxd = await startInfluxd();
      directory = mkdtempSync(join(tmpdir(), "assay-grafana-"));
      const { store, end } = await openTestInflux(influxd.url, {}, directory);
      for (const rows of simulated("1h", fromMs, toMs, 20)) await store.write(rows);
      for (const rows of simulated("1m", toMs - HOUR_MS, toMs, 20)) await store.write(rows);
      const at = new Date(toMs - HOUR_MS).toISOString();
      for (const [index, name] of [...HOSTILE_NAMES, ...SOME.account].entries()) {
        await store.annotate(
          aFlag({ id: `flag-${index}`, pool: "main", account: name, openedAt: at, updatedAt: at }),
        );
      }
      await end();
      expect(store.state()).toMatchObject({ refused: 0, expired: 0, leftOut: 0, spoolPoints: 0 });
    });
    afterAll(async () => {
      await influxd.close();
      rmSync(directory, { recursive: true });
    });

    test.each(dashboards().map((dashboard) => [dashboard.title, dashboard] as const))(
      "%s: every panel, variable and annotation has rows",
      async (_, dashboard) => {
        for (const { query, type, name } of dashboard.templating.list) {
          if (type !== "query") continue;
          const resolved = resolve(query, dashboard, "1h", { fromMs, toMs, chosen: SOME });
          expect(filled(await send(influxd.url, resolved)), `variable ${name}`).toBeGreaterThan(0);
        }
        for (const { title, targets, interval } of dashboard.panels) {
          for (const { query, refId } of targets) {
            if (query === undefined) continue;
            const resolved = resolve(query, dashboard, interval, { fromMs, toMs, chosen: SOME });
            expect(resolved).not.toMatch(/\$[a-z_{]/);
            expect(filled(await send(influxd.url, resolved)), `${title}, query ${refId}`).toBeGreaterThan(0);
          }
        }
        const notes = dashboard.annotations.list.map(({ target }) =>
          resolve(target.query, dashboard, "1h", { fromMs, toMs, chosen: SOME }),
        );
        for (const note of notes) expect(filled(await send(influxd.url, note))).toBeGreaterThan(0);
      },
    );

    test("every alert's question has rows", async () => {
      const [some] = dashboards();
      for (const { query, uid } of ALERTS) {
        const resolved = resolve(query, some!, "1m", { fromMs, toMs, chosen: SOME });
        expect(filled(await send(influxd.url, resolved)), uid).toBeGreaterThan(0);
      }
    });

    test("an account's name chooses that account and no other, whatever stands in it", async () => {
      const account = dashboards().find(({ uid }) => uid === "assay-account")!;
      const panel = account.panels.find(({ title }) => title.startsWith("Change points: "))!;
      for (const name of HOSTILE_NAMES) {
        const chosen = { account: [encodeName(name)] };
        const resolved = resolve(panel.targets[0]!.query!, account, "1h", { fromMs, toMs, chosen });
        const series = await send(influxd.url, resolved);
        expect(series.map(({ tags }) => tags?.account)).toEqual([encodeName(name)]);
      }
    });
  },
);
