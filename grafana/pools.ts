import { type Board, choice } from "./board.ts";
import { ask } from "./influxql.ts";
import { lines } from "./panels.ts";

const level = "1h";
const where: ["pool"] = ["pool"];

/** Pools observed from outside: what they hand out to mine on. */
export const pools: Board = {
  uid: "assay-pools",
  title: "Assay / Pools observed",
  description:
    "Jobs and templates of the pools that are observed. A pool that mines on another block than the rest stands out.",
  from: "now-24h",
  variables: [choice("pool", "Pool", 'SHOW TAG VALUES FROM "job" WITH KEY = "pool"')],
  panels: [
    lines(
      { title: "Jobs", description: "Jobs received, by pool.", unit: "short", level },
      {
        query: ask({ level, from: "job", where, by: ["pool"], fields: (f) => [`sum(${f("jobs")})`] }),
        alias: "$tag_pool",
      },
    ),
    lines(
      {
        title: "Clean jobs",
        description:
          "Part of the jobs that told miners to drop the work before: new blocks, or a change of mind.",
        unit: "percentunit",
        level,
        max: 1,
      },
      {
        query: ask({
          level,
          from: "job",
          where,
          by: ["pool"],
          fields: (f) => [`sum(${f("clean")}) / sum(${f("jobs")})`],
        }),
        alias: "$tag_pool",
      },
    ),
    lines(
      {
        title: "Templates on another block than the rest",
        description:
          "Jobs of a pool that was on another block than most of the others for a minute: late, alone, or ahead.",
        unit: "short",
        level,
        bars: true,
        steps: [
          [null, "green"],
          [10, "orange"],
        ],
      },
      {
        query: ask({ level, from: "job", where, by: ["pool"], fields: (f) => [`sum(${f("diverged")})`] }),
        alias: "$tag_pool",
      },
    ),
    lines(
      { title: "Height", description: "Height of the newest template, by pool.", unit: "none", level },
      {
        query: ask({ level, from: "job", where, by: ["pool"], fields: (f) => [`max(${f("height")})`] }),
        alias: "$tag_pool",
      },
    ),
  ],
};
