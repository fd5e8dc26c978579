import { type Board, CONSOLE, choice, FLAG_LINK, POOL } from "./board.ts";
import { ask, SECONDS } from "./influxql.ts";
import { lines, number, rows } from "./panels.ts";

const level = "1h";
const where: ["pool", "account"] = ["pool", "account"];

/** Hashrate times 1 ± 1.96/√n: shares are a Poisson process, so 95 of 100 hours of steady work fall between. */
const band = (sign: "+" | "-") => {
  const hours = ask({
    level,
    from: "account_hashrate",
    where,
    fields: (f) => [`sum(${f("work")}) / ${SECONDS} AS "rate"`, `sum(${f("shares")}) AS "n"`],
  });
  return `SELECT "rate" * (1 ${sign} 1.96 / sqrt("n")) FROM (${hours})`;
};

/** One account: watched, or among the largest. */
export const account: Board = {
  uid: "assay-account",
  title: "Assay / Account",
  description: "One account that is watched or among the largest. Its page in the console has the evidence.",
  from: "now-7d",
  variables: [
    POOL,
    choice(
      "account",
      "Account",
      'SHOW TAG VALUES FROM "account_hashrate" WITH KEY = "account" WHERE "pool" =~ /^$pool$/',
      { all: false },
    ),
    CONSOLE,
  ],
  panels: [
    number(
      {
        title: "Accepted shares",
        description: "In the whole range: the band's width comes from their number.",
        unit: "short",
        level,
        calc: "sum",
        span: 12,
      },
      {
        query: ask({ level, from: "account_hashrate", where, fields: (f) => [`sum(${f("shares")})`] }),
        alias: "shares",
      },
    ),
    number(
      {
        title: "Change points",
        description: "Significant changes of the hashrate in the whole range.",
        unit: "short",
        level,
        calc: "sum",
        span: 12,
      },
      {
        query: ask({ level, from: "account_change", where, fields: (f) => [`sum(${f("changes")})`] }),
        alias: "changes",
      },
    ),
    lines(
      {
        title: "Hashrate, with its Poisson band",
        description: "Work over seconds; steady work stays within the band in 95 of 100 hours.",
        unit: "H/s",
        level,
        span: 24,
        height: 10,
      },
      { query: band("+"), alias: "upper" },
      {
        query: ask({
          level,
          from: "account_hashrate",
          where,
          fields: (f) => [`sum(${f("work")}) / ${SECONDS}`],
        }),
        alias: "hashrate",
      },
      { query: band("-"), alias: "lower" },
    ),
    lines(
      {
        title: "Change points: hashrate after over before",
        description: "Where the hashrate changed significantly, and by how much: 2 is twice as much.",
        unit: "none",
        level,
        bars: true,
      },
      {
        query: ask({
          level,
          from: "account_change",
          where,
          by: ["account"],
          fields: (f) => [`max(${f("ratio")})`],
        }),
        alias: "$tag_account",
      },
    ),
    lines(
      {
        title: "Hashrate by country",
        description: "Stacked, by the country of the addresses its shares came from. ZZ: not known.",
        unit: "H/s",
        level,
        stacked: true,
      },
      {
        query: ask({
          level,
          from: "account_origin",
          where,
          by: ["country"],
          fields: (f) => [`sum(${f("work")}) / ${SECONDS}`],
        }),
        alias: "$tag_country",
      },
    ),
    lines(
      {
        title: "Round trips",
        description: "Of TCP to the address that is connected, and of the miner's own answers.",
        unit: "ms",
        level,
      },
      {
        query: ask({ level, from: "account_latency", where, fields: (f) => [`max(${f("rttMs")})`] }),
        alias: "TCP",
      },
      {
        query: ask({ level, from: "account_latency", where, fields: (f) => [`max(${f("appRttMs")})`] }),
        alias: "application",
      },
    ),
    lines(
      {
        title: "Hidden leg",
        description:
          "Application round trip less TCP round trip: the way behind a proxy. Above 100 ms it is longer than a continent.",
        unit: "ms",
        level,
        steps: [
          [null, "green"],
          [100, "red"],
        ],
      },
      {
        query: ask({
          level,
          from: "account_latency",
          where,
          fields: (f) => [`max(${f("appRttMs")}) - max(${f("rttMs")})`],
        }),
        alias: "hidden leg",
      },
    ),
    rows(
      {
        title: "Flags",
        description: "Flags of this account; each leads to its page in the console.",
        unit: "none",
        level,
        span: 24,
        link: FLAG_LINK,
      },
      {
        query: `SELECT "id", "severity", "kind", "score", "account" FROM "1h"."flag_event" WHERE $timeFilter AND "pool" =~ /^$pool$/ AND "account" =~ /^$account$/`,
      },
    ),
  ],
};
