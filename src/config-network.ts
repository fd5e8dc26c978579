import { z } from "zod";
import { host, name, network, path, port, section } from "./config-fields.ts";

/** What the network tells: flow exporters, sensors' logs and route collectors. */

export const flows = section({
  name: name.default("flows"),
  listen: section({ host, port: port(2055) })
    .prefault({})
    .describe("UDP, for NetFlow v5 and v9, IPFIX and sFlow v5 alike; sFlow agents expect 6343."),
  exporters: z
    .array(network)
    .optional()
    .describe(
      "Addresses and networks that may export. Set it: without it whoever reaches the port is believed.",
    ),
  receiveBufferBytes: z
    .number()
    .int()
    .min(65_536)
    .default(16 * 1024 * 1024)
    .describe("Asked of the kernel, which gives no more than net.core.rmem_max."),
});

const pollMs = z
  .number()
  .int()
  .min(10)
  .default(500)
  .describe("How often a log that has ended is looked at again, in milliseconds.");

export const zeek = section({
  name: name.default("zeek").describe("Also the exporter its flows are told under."),
  file: path.describe("conn.log, as JSON or tab-separated."),
  pollMs,
});

export const suricata = section({
  name: name.default("suricata").describe("Also the exporter its flows are told under."),
  file: path.describe("eve.json, with flow events."),
  pollMs,
});

export const risLive = section({
  enabled: z
    .boolean()
    .default(false)
    .describe("Follow the reachability of watched networks. Connects to RIPE's RIS Live."),
  url: z
    .url()
    .default("wss://ris-live.ripe.net/v1/ws/?client=assay")
    .describe("The service, with the name one is known to it by."),
  minimumPeers: z
    .number()
    .int()
    .min(1)
    .default(3)
    .describe("Peers that must agree before a route, an origin or an upstream is believed."),
  minimumWithdrawals: z
    .number()
    .int()
    .min(1)
    .default(40)
    .describe("Peers that must have withdrawn a prefix before it is believed gone."),
  silenceMs: z
    .number()
    .int()
    .min(1000)
    .default(60_000)
    .describe("A connection without any sign of life for so long is given up and made anew."),
});

export const poolServers = z
  .array(
    section({
      pool: z.string().min(1),
      address: z.union([z.ipv4(), z.ipv6()]).optional().describe("Absent: any host."),
      port: z.number().int().min(1).max(65_535),
    }),
  )
  .default([])
  .describe("The pool's own stratum ports as flows see them; flows to them are joined to sessions.");
