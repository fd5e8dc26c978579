import type { Board } from "./board.ts";
import { ask, SECONDS } from "./influxql.ts";
import { lines } from "./panels.ts";

const level = "1m";

/** The service itself: everything that moves has a counter, and stands here. */
export const service: Board = {
  uid: "assay-service",
  title: "Assay / Assay itself",
  description: "Whether Assay sees everything it should: what it takes in, refuses, waits for and delivers.",
  from: "now-6h",
  variables: [],
  panels: [
    lines(
      { title: "Observations taken", description: "A second, by collector.", unit: "ops", level },
      {
        query: ask({
          level,
          from: "collector",
          by: ["collector"],
          fields: (f) => [`sum(${f("observations")}) / ${SECONDS}`],
        }),
        alias: "$tag_collector",
      },
    ),
    lines(
      {
        title: "Lag",
        description: "Clock less the time of the newest observation, by collector.",
        unit: "ms",
        level,
        steps: [
          [null, "green"],
          [60_000, "red"],
        ],
      },
      {
        query: ask({ level, from: "collector", by: ["collector"], fields: (f) => [`max(${f("lagMs")})`] }),
        alias: "$tag_collector",
      },
    ),
    lines(
      {
        title: "Refused input",
        description: "Lines and packets that could not be read; the console names their places.",
        unit: "short",
        level,
        bars: true,
      },
      {
        query: ask({ level, from: "collector", by: ["collector"], fields: (f) => [`sum(${f("refused")})`] }),
        alias: "$tag_collector",
      },
      {
        query: ask({ level, from: "collector", fields: (f) => [`sum(${f("unknownFields")})`] }),
        alias: "unknown fields",
      },
    ),
    lines(
      {
        title: "Lost flow records",
        description: "Gaps in the exporters' sequence numbers.",
        unit: "short",
        level,
        bars: true,
        steps: [
          [null, "green"],
          [1, "red"],
        ],
      },
      {
        query: ask({ level, from: "flow", by: ["exporter"], fields: (f) => [`sum(${f("lost")})`] }),
        alias: "$tag_exporter",
      },
    ),
    lines(
      {
        title: "Waiting on disk",
        description: "Journals and spools, until the other part is there again.",
        unit: "bytes",
        level,
      },
      {
        query: ask({ level, from: "spool", by: ["spool"], fields: (f) => [`max(${f("bytes")})`] }),
        alias: "$tag_spool",
      },
    ),
    lines(
      {
        title: "Dropped by a full spool",
        description: "Lost for good: the bound was reached before the other part came back.",
        unit: "short",
        level,
        bars: true,
        steps: [
          [null, "green"],
          [1, "red"],
        ],
      },
      {
        query: ask({ level, from: "spool", by: ["spool"], fields: (f) => [`sum(${f("dropped")})`] }),
        alias: "$tag_spool",
      },
    ),
    lines(
      {
        title: "Age of watch lists",
        description: "Since the list was last fetched with success.",
        unit: "h",
        level,
        steps: [
          [null, "green"],
          [72, "red"],
        ],
      },
      {
        query: ask({ level, from: "list", by: ["list"], fields: (f) => [`max(${f("ageHours")})`] }),
        alias: "$tag_list",
      },
    ),
    lines(
      {
        title: "Entries of watch lists",
        description: "A list that shrinks suddenly is refused.",
        unit: "short",
        level,
      },
      {
        query: ask({ level, from: "list", by: ["list"], fields: (f) => [`max(${f("entries")})`] }),
        alias: "$tag_list",
      },
    ),
    lines(
      {
        title: "Drift of the model's input",
        description:
          "Population stability index against the pool's own reference, the worst feature of the worst pool; from 0.25 on the thresholds no longer hold.",
        unit: "none",
        level,
        steps: [
          [null, "green"],
          [0.25, "red"],
        ],
      },
      {
        query: ask({ level, from: "drift", by: ["model"], fields: (f) => [`max(${f("psi")})`] }),
        alias: "$tag_model",
      },
    ),
    lines(
      {
        title: "Deliveries",
        description: "Attempts by outcome, all destinations; dead letters wait in the console.",
        unit: "short",
        level,
        bars: true,
        stacked: true,
      },
      {
        query: ask({ level, from: "delivery", fields: (f) => [`sum(${f("delivered")})`] }),
        alias: "delivered",
      },
      { query: ask({ level, from: "delivery", fields: (f) => [`sum(${f("failed")})`] }), alias: "failed" },
      {
        query: ask({ level, from: "delivery", fields: (f) => [`sum(${f("dead")})`] }),
        alias: "dead letters",
      },
    ),
  ],
};
