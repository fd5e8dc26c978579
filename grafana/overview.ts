import { type Board, POOL } from "./board.ts";
import { ask, math, SECONDS } from "./influxql.ts";
import { lines, map, number, rows } from "./panels.ts";

const level = "1h";
const where: ["pool"] = ["pool"];
const hashrate = (field: (name: "work") => string) => [`sum(${field("work")}) / ${SECONDS}`];

/** The first page: how much, from where, and what was flagged. */
export const overview: Board = {
  uid: "assay-overview",
  title: "Assay / Overview",
  description:
    "Where the pool's hashrate comes from, and what was flagged. The running hour is not complete.",
  from: "now-7d",
  variables: [POOL],
  panels: [
    number(
      {
        title: "Hashrate",
        description: "Accepted work of the newest hour over its seconds.",
        unit: "H/s",
        level,
      },
      { query: ask({ level, from: "hashrate", where, fields: hashrate }), alias: "hashrate" },
    ),
    number(
      {
        title: "Work of unknown origin",
        description:
          "Part of the work whose country is not known, or that came without an address: what the other panels cannot tell.",
        unit: "percentunit",
        level,
        steps: [
          [null, "green"],
          [0.05, "orange"],
          [0.2, "red"],
        ],
      },
      {
        query: ask({
          level,
          from: "origin",
          where,
          except: ["country", "ZZ"],
          fields: (f) => [`sum(${f("work")})`],
        }),
        hide: true,
      },
      { query: ask({ level, from: "hashrate", where, fields: (f) => [`sum(${f("work")})`] }), hide: true },
      math("C", "1 - $A / $B"),
    ),
    number(
      {
        title: "Stale and rejected shares",
        description: "Part of all shares that was not accepted, in the newest hour.",
        unit: "percentunit",
        level,
        steps: [
          [null, "green"],
          [0.02, "orange"],
          [0.1, "red"],
        ],
      },
      {
        query: ask({
          level,
          from: "hashrate",
          where,
          fields: (f) => [
            `(sum(${f("stale")}) + sum(${f("rejected")})) / (sum(${f("shares")}) + sum(${f("stale")}) + sum(${f("rejected")}))`,
          ],
        }),
        alias: "not accepted",
      },
    ),
    number(
      {
        title: "Flags opened",
        description: "Flags opened in the whole range.",
        unit: "short",
        level,
        calc: "sum",
        steps: [
          [null, "green"],
          [1, "orange"],
        ],
      },
      { query: ask({ level, from: "flag", where, fields: (f) => [`sum(${f("opened")})`] }), alias: "opened" },
    ),
    lines(
      {
        title: "Hashrate by sanction tier",
        description: "Stacked; a place's tier is dated configuration. Flags stand as annotations.",
        unit: "H/s",
        level,
        stacked: true,
        span: 24,
      },
      { query: ask({ level, from: "origin", where, by: ["tier"], fields: hashrate }), alias: "$tag_tier" },
    ),
    map(
      {
        title: "Work by country",
        description: "Work in the whole range, by the country of the address it came from.",
        unit: "short",
        level,
        value: "work",
      },
      {
        query: ask({
          level,
          from: "origin",
          where,
          by: ["country"],
          overTime: false,
          fields: (f) => [`sum(${f("work")}) AS "work"`],
        }),
      },
    ),
    rows(
      {
        title: "Countries",
        description: "The same as numbers: hashes and shares by country and tier. ZZ: not known.",
        unit: "short",
        level,
        height: 10,
      },
      {
        query: ask({
          level,
          from: "origin",
          where,
          by: ["country", "tier"],
          overTime: false,
          fields: (f) => [`sum(${f("work")}) AS "work"`, `sum(${f("shares")}) AS "shares"`],
        }),
      },
    ),
    lines(
      {
        title: "Hashrate by kind of network",
        description: "Stacked; hosting, VPN and relay networks say little about where a miner stands.",
        unit: "H/s",
        level,
        stacked: true,
      },
      { query: ask({ level, from: "origin", where, by: ["kind"], fields: hashrate }), alias: "$tag_kind" },
    ),
    lines(
      {
        title: "Hashrate by pool",
        description: "Accepted work over seconds, by pool and algorithm.",
        unit: "H/s",
        level,
      },
      {
        query: ask({ level, from: "hashrate", where, by: ["pool", "algorithm"], fields: hashrate }),
        alias: "$tag_pool $tag_algorithm",
      },
    ),
  ],
};
