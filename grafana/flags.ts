import { type Board, CONSOLE, FLAG_LINK, POOL } from "./board.ts";
import { ask } from "./influxql.ts";
import { lines, number, rows } from "./panels.ts";

const level = "1h";
const where: ["pool"] = ["pool"];
type Field = (name: "confirmed" | "useful" | "falsePositive" | "verdictMs") => string;
const right = (f: Field) => `(sum(${f("confirmed")}) + sum(${f("useful")}))`;
const all = (f: Field) => `(sum(${f("confirmed")}) + sum(${f("useful")}) + sum(${f("falsePositive")}))`;

/** What was flagged, and what the reviewers made of it. */
export const flags: Board = {
  uid: "assay-flags",
  title: "Assay / Flags and verdicts",
  description: "How much is flagged, how much of it is right, and how long a verdict takes.",
  from: "now-30d",
  variables: [POOL, CONSOLE],
  panels: [
    number(
      {
        title: "Measured precision",
        description: "Verdicts that confirmed a flag or found it useful, over all verdicts in the range.",
        unit: "percentunit",
        level: "1h",
        steps: [
          [null, "red"],
          [0.5, "orange"],
          [0.8, "green"],
        ],
        span: 8,
      },
      {
        query: `SELECT ${right((f) => `"${f}"`)} / ${all((f) => `"${f}"`)} FROM "1h"."flag" WHERE $timeFilter AND "pool" =~ /^$pool$/`,
        alias: "precision",
      },
    ),
    number(
      {
        title: "Time to verdict",
        description: "Mean time from opening a flag to its verdict, over the whole range.",
        unit: "ms",
        level: "1h",
        steps: [
          [null, "green"],
          [86_400_000, "orange"],
          [604_800_000, "red"],
        ],
        span: 8,
      },
      {
        query: `SELECT sum("verdictMs") / ${all((f) => `"${f}"`)} FROM "1h"."flag" WHERE $timeFilter AND "pool" =~ /^$pool$/`,
        alias: "time to verdict",
      },
    ),
    number(
      {
        title: "Highest score",
        description: "Of the newest hour in which accounts were scored.",
        unit: "percentunit",
        level,
        span: 8,
      },
      {
        query: ask({ level, from: "score", where, fields: (f) => [`max(${f("maximum")})`] }),
        alias: "highest",
      },
    ),
    lines(
      { title: "Flags opened", description: "By severity.", unit: "short", level, bars: true, stacked: true },
      {
        query: ask({ level, from: "flag", where, by: ["severity"], fields: (f) => [`sum(${f("opened")})`] }),
        alias: "$tag_severity",
      },
    ),
    lines(
      {
        title: "Verdicts",
        description: "What reviewers answered.",
        unit: "short",
        level,
        bars: true,
        stacked: true,
      },
      {
        query: ask({ level, from: "flag", where, fields: (f) => [`sum(${f("confirmed")})`] }),
        alias: "confirmed",
      },
      { query: ask({ level, from: "flag", where, fields: (f) => [`sum(${f("useful")})`] }), alias: "useful" },
      {
        query: ask({ level, from: "flag", where, fields: (f) => [`sum(${f("falsePositive")})`] }),
        alias: "false positive",
      },
    ),
    lines(
      {
        title: "Accounts scored",
        description: "Account windows that the model scored.",
        unit: "short",
        level,
      },
      {
        query: ask({ level, from: "score", where, by: ["pool"], fields: (f) => [`sum(${f("accounts")})`] }),
        alias: "$tag_pool",
      },
    ),
    lines(
      {
        title: "Mean score",
        description: "A shift of the mean without a campaign is drift.",
        unit: "percentunit",
        level,
      },
      {
        query: ask({
          level,
          from: "score",
          where,
          by: ["pool"],
          fields: (f) => [`sum(${f("scoreSum")}) / sum(${f("accounts")})`],
        }),
        alias: "$tag_pool",
      },
    ),
    rows(
      {
        title: "Flags",
        description: "The flags of the range; each leads to its page in the console.",
        unit: "none",
        level,
        span: 24,
        height: 10,
        link: FLAG_LINK,
      },
      {
        query: `SELECT "id", "severity", "kind", "score", "account" FROM "1h"."flag_event" WHERE $timeFilter AND "pool" =~ /^$pool$/`,
      },
    ),
  ],
};
