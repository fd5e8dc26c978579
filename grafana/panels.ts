import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as geomap from "@grafana/grafana-foundation-sdk/geomap";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { Level } from "../src/core/metrics.ts";
import { influx, SOURCE, type Target } from "./influxql.ts";

/** What every panel says of itself. `level` bounds the interval, so that no point of a chart is shorter than a bucket. */
export interface Face {
  title: string;
  description: string;
  /** One of Grafana's unit ids. */
  unit: string;
  level: Level;
  /** Width of 24, and height in rows. */
  span?: number;
  height?: number;
  /** Value → colour from there on; the first is the base. */
  steps?: [value: number | null, color: string][];
}

type Query = Target | Builder<Dataquery>;

const LETTERS = "ABCDEFGH";
const targets = (queries: readonly Query[]) =>
  queries.map((query, index) => ("build" in query ? query : influx(LETTERS[index] ?? "Z", query)));

const thresholds = (steps: Face["steps"] = [[null, "green"]]) =>
  new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value, color })));

/** Lines over time; stacked areas where the series are parts of one whole, bars where they are counts. */
export function lines(
  face: Face & { stacked?: boolean; bars?: boolean; max?: number },
  ...queries: Query[]
): timeseries.PanelBuilder {
  const { stacked = false, bars = false, max } = face;
  const panel = new timeseries.PanelBuilder()
    .title(face.title)
    .description(face.description)
    .datasource(SOURCE)
    .unit(face.unit)
    .interval(face.level)
    .min(0)
    .span(face.span ?? 12)
    .height(face.height ?? 8)
    .thresholds(thresholds(face.steps))
    .drawStyle(bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .fillOpacity(stacked || bars ? 60 : 8)
    .lineWidth(1)
    .showPoints(common.VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .targets(targets(queries));
  if (max !== undefined) panel.max(max);
  if (stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  if (face.steps) {
    panel.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  return panel;
}

/** One number: of the newest point, or of the whole range where `calc` says so. */
export function number(
  face: Face & { calc?: "lastNotNull" | "sum" | "max" },
  ...queries: Query[]
): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(face.title)
    .description(face.description)
    .datasource(SOURCE)
    .unit(face.unit)
    .interval(face.level)
    .span(face.span ?? 6)
    .height(face.height ?? 4)
    .thresholds(thresholds(face.steps))
    .noValue("none")
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs([face.calc ?? "lastNotNull"]).values(false))
    .targets(targets(queries));
}

/** Where work comes from: a marker a country, by its two-letter code in column `country`. */
export function map(face: Face & { value: string }, query: Target): geomap.PanelBuilder {
  return new geomap.PanelBuilder()
    .title(face.title)
    .description(face.description)
    .datasource(SOURCE)
    .unit(face.unit)
    .interval(face.level)
    .span(face.span ?? 12)
    .height(face.height ?? 10)
    .thresholds(thresholds(face.steps))
    .view(new geomap.MapViewConfigBuilder().id("zero").lat(25).lon(20).zoom(1.5))
    .basemap(new common.MapLayerOptionsBuilder().type("default").name("Map"))
    .layers([
      new common.MapLayerOptionsBuilder()
        .type("markers")
        .name("Hashrate")
        .tooltip(true)
        .location(
          new common.FrameGeometrySourceBuilder()
            .mode(common.FrameGeometrySourceMode.Lookup)
            .lookup("country")
            .gazetteer("public/gazetteer/countries.json"),
        )
        .config({
          showLegend: false,
          style: {
            size: { field: face.value, min: 3, max: 30 },
            color: { fixed: "semi-dark-orange" },
            opacity: 0.5,
          },
        }),
    ])
    .targets(targets([{ ...query, table: true }]));
}

/** Rows; `link` leads from a column's cells to a page. */
export function rows(
  face: Face & { link?: { column: string; title: string; url: string } },
  query: Target,
): table.PanelBuilder {
  const panel = new table.PanelBuilder()
    .title(face.title)
    .description(face.description)
    .datasource(SOURCE)
    .unit(face.unit)
    .interval(face.level)
    .span(face.span ?? 12)
    .height(face.height ?? 8)
    .thresholds(thresholds(face.steps))
    .targets(targets([{ ...query, table: true }]));
  const { link } = face;
  if (link)
    panel.overrideByName(link.column, [{ id: "links", value: [{ title: link.title, url: link.url }] }]);
  return panel;
}
