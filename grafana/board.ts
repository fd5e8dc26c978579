import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { SOURCE } from "./influxql.ts";

/** A dashboard before it is JSON. */
export interface Board {
  uid: string;
  title: string;
  description: string;
  /** Range at first sight, such as `now-7d`. */
  from: string;
  variables: Builder<dashboard.VariableModel>[];
  panels: (Builder<dashboard.Panel> & { id(id: number): unknown })[];
}

/** A variable filled by a question. With `all` everything is chosen at first, without it one value must be. */
export function choice(
  name: string,
  label: string,
  query: string,
  { all = true } = {},
): dashboard.QueryVariableBuilder {
  const variable = new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query(query)
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    // Only values of such a variable are escaped for a regular expression, which a name needs.
    .multi(true)
    .includeAll(all);
  return all ? variable.allValue(".*").current({ text: ["All"], value: ["$__all"] }) : variable;
}

export const POOL = choice("pool", "Pool", 'SHOW TAG VALUES FROM "hashrate" WITH KEY = "pool"');

/** Where links into the console lead; a dashboard's user can change it in the address bar. */
export const CONSOLE = new dashboard.TextBoxVariableBuilder("console")
  .label("Console")
  .defaultValue("http://127.0.0.1:7070");

/** Where a flag's row leads. */
export const FLAG_LINK = {
  column: "id",
  title: "Open in Assay",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
  url: "$console/flags/${__value.raw}",
};

/** The dashboard as JSON, panels numbered and laid out in their order, flags as annotations on all its charts. */
export function build({ uid, title, description, from, variables, panels }: Board): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["assay"])
    .time({ from, to: "now" })
    .timezone("utc")
    .refresh("1m")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new dashboard.DashboardLinkBuilder("Assay")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(["assay"])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );
  for (const variable of variables) builder.withVariable(variable);
  panels.forEach((panel, index) => {
    panel.id(index + 1);
    builder.withPanel(panel);
  });
  const built = builder.build();
  return {
    ...built,
    templating: { list: built.templating?.list ?? [] },
    annotations: { list: [flagsOnCharts(variables.some((variable) => variable.build().name === "pool"))] },
  };
}

function flagsOnCharts(byPool: boolean): dashboard.AnnotationQuery {
  const query = `SELECT "title", "text", "severity" FROM "1h"."flag_event" WHERE $timeFilter${
    byPool ? ' AND "pool" =~ /^$pool$/' : ""
  }`;
  const columns = { titleColumn: "title", textColumn: "text", tagsColumn: "severity" };
  const target = {
    refId: "Flags",
    rawQuery: true,
    fromAnnotations: true,
    textEditor: true,
    query,
    ...columns,
  };
  return {
    name: "Flags",
    datasource: SOURCE,
    enable: true,
    iconColor: "red",
    target: target as unknown as NonNullable<dashboard.AnnotationQuery["target"]>,
  };
}
