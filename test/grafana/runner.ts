import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What Grafana itself insists on, and what we do: a panel says what it shows, in which unit, and lies where no other does. */
const target = z.looseObject({
  refId: z.string(),
  query: z.string().optional(),
  hide: z.boolean().optional(),
});
const panel = z.looseObject({
  id: z.int().positive(),
  type: z.enum(["timeseries", "stat", "geomap", "table"]),
  title: z.string().min(3),
  description: z.string().min(10).endsWith("."),
  datasource: z.object({ type: z.literal("influxdb"), uid: z.literal("assay-influx") }),
  interval: z.enum(["1m", "1h"]),
  gridPos: z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(3) }),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({
      unit: z.string().min(1),
      thresholds: z.object({
        mode: z.literal("absolute"),
        steps: z.array(z.object({ value: z.number().nullable(), color: z.string() })).min(1),
      }),
    }),
  }),
  targets: z.array(target).min(1),
});
const variable = z.looseObject({
  name: z.string().regex(/^[a-z]+$/),
  type: z.enum(["query", "textbox"]),
  query: z.string(),
  multi: z.boolean().optional(),
  allValue: z.string().optional(),
});
export const dashboardSchema = z.looseObject({
  uid: z
    .string()
    .regex(/^assay-[a-z]+$/)
    .max(40),
  title: z.string().startsWith("Assay / "),
  description: z.string().min(10),
  schemaVersion: z.int().min(39),
  editable: z.literal(false),
  time: z.object({ from: z.string().regex(/^now-\d+[hd]$/), to: z.literal("now") }),
  templating: z.object({ list: z.array(variable) }),
  annotations: z.object({
    list: z
      .array(z.looseObject({ name: z.string(), target: z.looseObject({ query: z.string() }) }))
      .length(1),
  }),
  panels: z.array(panel).min(1),
});
export type Dashboard = z.infer<typeof dashboardSchema>;

const GRAFANA = join(import.meta.dirname, "../../grafana");

/** The committed dashboards, by file name. */
export function committed(): Map<string, unknown> {
  const directory = join(GRAFANA, "dashboards");
  const files = readdirSync(directory).filter((file) => file.endsWith(".json"));
  return new Map(files.map((file) => [file, JSON.parse(readFileSync(join(directory, file), "utf8"))]));
}

/** What a question is resolved with. */
export interface Range {
  fromMs: number;
  toMs: number;
  /** Variable → chosen values; all, where that is a choice, for one that is not named. */
  chosen?: Readonly<Record<string, readonly string[]>>;
}

const STEPS_MS = [
  60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];
/** About the pixels of a panel on a wide screen. */
const POINTS = 1_000;

/** Resolves variables and macros as Grafana does for InfluxQL: chosen values are escaped for a regular expression. */
export function resolve(query: string, dashboard: Dashboard, minInterval: string, range: Range): string {
  const minMs = minInterval === "1h" ? 3_600_000 : 60_000;
  const wantedMs = Math.max((range.toMs - range.fromMs) / POINTS, minMs);
  const intervalMs = STEPS_MS.find((step) => step >= wantedMs) ?? 86_400_000;
  let resolved = query
    .replaceAll("$timeFilter", `time >= ${range.fromMs}ms and time <= ${range.toMs}ms`)
    .replaceAll("$__interval_ms", String(intervalMs))
    .replaceAll("$__interval", `${intervalMs / 1000}s`);
  for (const { name, allValue } of dashboard.templating.list) {
    const values = range.chosen?.[name];
    const escaped = values?.map((value) => value.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&"));
    const text = escaped ? (escaped.length > 1 ? `(${escaped.join("|")})` : escaped[0]) : allValue;
    resolved = resolved.replaceAll(`$${name}`, () => {
      if (text === undefined) throw new Error(`nothing is chosen for ${name}`);
      return text;
    });
  }
  return resolved;
}

/** One answer's series, as the v1 endpoint gives them. */
export interface Series {
  name: string;
  tags?: Record<string, string>;
  columns: string[];
  values: (string | number | null)[][];
}

/** Sends a question as Grafana's data source does. Rejects with InfluxDB's own words. */
export async function send(url: string, query: string): Promise<Series[]> {
  const body = new URLSearchParams({ db: "assay", epoch: "ms", q: query });
  const answer = (await (await fetch(`${url}/query`, { method: "POST", body })).json()) as {
    error?: string;
    results?: { series?: Series[]; error?: string }[];
  };
  const error = answer.error ?? answer.results?.find((result) => result.error)?.error;
  if (error) throw new Error(`${error}: ${query}`);
  return answer.results?.flatMap(({ series = [] }) => series) ?? [];
}

/** Values that are numbers or text: null is an empty panel. */
export const filled = (series: readonly Series[]): number =>
  series.reduce(
    (sum, { values }) => sum + values.filter((row) => row.slice(1).some((value) => value !== null)).length,
    0,
  );
