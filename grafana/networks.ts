import { type Board, choice } from "./board.ts";
import { ask, SECONDS } from "./influxql.ts";
import { lines } from "./panels.ts";

const level = "1h";
const where: ["network"] = ["network"];

/** Watched networks: whether they can be reached, and what comes from them meanwhile. */
export const networks: Board = {
  uid: "assay-networks",
  title: "Assay / Networks and routes",
  description:
    "When a network falls off the Internet, what came from it should stop. What stops with it, comes from it.",
  from: "now-7d",
  variables: [choice("network", "Network", 'SHOW TAG VALUES FROM "route" WITH KEY = "network"')],
  panels: [
    lines(
      {
        title: "Reachability of watched networks",
        description: "Peers that see a route, of the network's least visible prefix.",
        unit: "short",
        level,
        span: 24,
      },
      {
        query: ask({
          level,
          from: "route",
          where,
          by: ["network"],
          fields: (f) => [`min(${f("visiblePeers")})`],
        }),
        alias: "$tag_network",
      },
    ),
    lines(
      {
        title: "Hashrate from watched networks",
        description: "To be held against their reachability above: the same time axis.",
        unit: "H/s",
        level,
        span: 24,
      },
      {
        query: ask({
          level,
          from: "network",
          where,
          by: ["network"],
          fields: (f) => [`sum(${f("work")}) / ${SECONDS}`],
        }),
        alias: "$tag_network",
      },
    ),
    lines(
      {
        title: "Announcements and withdrawals",
        description: "Of the watched prefixes, per hour or longer.",
        unit: "short",
        level,
        bars: true,
      },
      {
        query: ask({ level, from: "route", where, fields: (f) => [`sum(${f("announcements")})`] }),
        alias: "announcements",
      },
      {
        query: ask({ level, from: "route", where, fields: (f) => [`sum(${f("withdrawals")})`] }),
        alias: "withdrawals",
      },
    ),
    lines(
      {
        title: "Flows by sanction tier",
        description: "Bytes a second that exporters reported, scaled by their sampling.",
        unit: "Bps",
        level,
        stacked: true,
      },
      {
        query: ask({ level, from: "flow", by: ["tier"], fields: (f) => [`sum(${f("bytes")}) / ${SECONDS}`] }),
        alias: "$tag_tier",
      },
    ),
  ],
};
