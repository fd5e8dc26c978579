import { z } from "zod";
import type { ReviewOptions } from "./options.ts";
import { type Route, route } from "./route.ts";

const instant = z.number().int();
const counter = z.number().int();
/** The latest entries, newest first, and how many there were since the service started. */
const latest = <Entry extends z.ZodType>(entry: Entry) =>
  z.object({ total: counter, entries: z.array(entry) });

const exporter = z.object({
  /** The part of the configuration it sends to. */
  collector: z.string(),
  exporter: z.string(),
  datagrams: counter,
  flows: counter,
  /** Records it sent that never came. */
  lost: counter,
  /** Datagrams with something malformed in them. */
  malformed: counter,
  templates: counter,
  droppedSets: counter,
  clockCorrected: counter,
});
const joined = z.object({
  pool: z.string(),
  session: z.string(),
  account: z.string().nullable(),
  ip: z.string(),
  port: counter,
  durationMs: z.number(),
  bytes: z.number(),
  packets: z.number(),
  shares: counter,
  /** Null without a share: a connection that carries bytes and no work. */
  bytesPerShare: z.number().nullable(),
  /** To the address and back as an exporter measured it, and to the program that mines and back. */
  rttMs: z.number().nullable(),
  appRttMs: z.number().nullable(),
});
const unseen = z.object({
  pool: z.string(),
  ip: z.string(),
  port: counter,
  startMs: instant,
  endMs: instant,
  bytes: z.number(),
  packets: z.number(),
});
const elsewhere = z.object({
  client: z.string(),
  server: z.string(),
  serverPort: counter,
  startMs: instant,
  endMs: instant,
  packets: z.number(),
  packetBytes: z.number(),
  packetsPerMinute: z.number(),
  /** Part of the time in which the pair was seen talking, 0..1. */
  activity: z.number(),
});
const prefix = z.object({
  network: z.string(),
  prefix: z.string(),
  visibility: z.enum(["unknown", "visible", "partly", "gone"]),
  peers: counter,
  visiblePeers: counter,
  origins: z.array(counter),
  upstreams: z.array(counter),
  /** What the table of watched networks does not expect: "upstream 64500". */
  unexpected: z.array(z.string()),
});
const routeNews = z.object({
  atMs: instant,
  prefix: z.string(),
  event: z.enum(["announce", "withdraw"]),
  path: z.array(counter),
});

/** What flows and routes tell beside the flags. */
export const network = z.object({
  exporters: z.array(exporter),
  /** Sessions whose flows were found, once they ended. */
  joined: latest(joined),
  /** Connections to the pool of which no session was seen. */
  unseen: latest(unseen),
  /** Pairs of hosts that talk as a miner and a pool do, where the pool is not ours. */
  elsewhere: latest(elsewhere),
  prefixes: z.array(prefix),
  routes: latest(routeNews),
});
export type Network = z.infer<typeof network>;

const EMPTY = { total: 0, entries: [] };
const NOTHING: Network = {
  exporters: [],
  joined: EMPTY,
  unseen: EMPTY,
  elsewhere: EMPTY,
  prefixes: [],
  routes: EMPTY,
};

/** What the network tells. */
export function networkRoutes({ network: tell }: ReviewOptions): Route[] {
  return [
    route({
      method: "get",
      path: "/network",
      role: "reader",
      summary:
        "What flows and routes tell: exporters, connections joined and not, mining elsewhere, prefixes.",
      answer: network,
      refusals: [],
      handle: async () => tell?.() ?? NOTHING,
    }),
  ];
}
