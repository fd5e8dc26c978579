import type { Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { Level, MEASUREMENTS, MeasurementName } from "../src/core/metrics.ts";

/** The data source every panel asks, by its provisioned uid. */
export const SOURCE = { type: "influxdb", uid: "assay-influx" };

/** Seconds of one point of a chart: work over them is hashrate. */
export const SECONDS = "($__interval_ms / 1000)";

type Field<M extends MeasurementName> =
  | (typeof MEASUREMENTS)[M]["sums"][number]
  | (typeof MEASUREMENTS)[M]["lasts"][number];
type Tag<M extends MeasurementName> = (typeof MEASUREMENTS)[M]["tags"][number];

/** A question of a panel; the compiler holds its names against MEASUREMENTS. */
export interface Question<M extends MeasurementName> {
  level: Level;
  from: M;
  /** InfluxQL over the fields that the callback quotes. */
  fields: (field: (name: Field<M>) => string) => string[];
  by?: Tag<M>[];
  /** Tags held to the dashboard variable of the same name. */
  where?: Tag<M>[];
  /** One tag held to anything but one value. */
  except?: [tag: Tag<M>, value: string];
  /** False: one answer over the whole range, as tables want it. */
  overTime?: boolean;
}

/** The question as InfluxQL with Grafana's macros. */
export function ask<M extends MeasurementName>(question: Question<M>): string {
  const { level, from, fields, by = [], where = [], except, overTime = true } = question;
  const conditions = ["$timeFilter", ...where.map((tag) => `"${tag}" =~ /^$${tag}$/`)];
  if (except) conditions.push(`"${except[0]}" != '${except[1]}'`);
  const groups = [...(overTime ? ["time($__interval)"] : []), ...by.map((tag) => `"${tag}"`)];
  const columns = fields((name) => `"${name}"`).join(", ");
  const group = groups.length > 0 ? ` GROUP BY ${groups.join(", ")}` : "";
  return `SELECT ${columns} FROM "${level}"."${from}" WHERE ${conditions.join(" AND ")}${group}${overTime ? " fill(none)" : ""}`;
}

/** How a panel takes its answer. */
export interface Target {
  query: string;
  /** Name of the series; `$tag_<tag>` is replaced. */
  alias?: string;
  /** Rows and columns in place of series. */
  table?: boolean;
  /** Asked for an expression's sake, not shown. */
  hide?: boolean;
}

/** The builders know no InfluxDB query: this is what its editor would save. */
export function influx(refId: string, { query, alias, table = false, hide = false }: Target) {
  const target = {
    refId,
    datasource: SOURCE,
    rawQuery: true,
    query,
    resultFormat: table ? "table" : "time_series",
    ...(alias !== undefined && { alias }),
    ...(hide && { hide }),
  };
  return { build: () => target as unknown as Dataquery };
}

/** An expression over other targets, such as `$A / $B`. */
export function math(refId: string, expression: string) {
  const datasource = { type: "__expr__", uid: "__expr__" };
  return { build: () => ({ refId, datasource, type: "math", expression }) as unknown as Dataquery };
}
