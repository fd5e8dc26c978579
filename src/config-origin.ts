import { z } from "zod";
import { FILE_OR_URL, fileOrUrl, name, oneOfFileAndUrl, path, section } from "./config-fields.ts";

const database = section({
  role: z
    .enum(["country", "region", "asn", "anonymous"])
    .describe("As what it is asked: the option of the same name."),
  url: z
    .url({ protocol: /^https?$/ })
    .describe("An .mmdb, .mmdb.gz or .tar.gz; {year} and {month} stand for this month's, or the last one's."),
  username: z.string().optional().describe("MaxMind's account id."),
  password: z.string().optional().describe("MaxMind's licence key."),
  maxAgeDays: z
    .number()
    .min(0.1)
    .default(7)
    .describe("A server not reached for longer makes the database stale."),
});

/** Where addresses are, and who is behind them. */
export const origin = section({
  country: path.optional().describe("A country or city MMDB. Absent: the bundled one, whose age is shown."),
  region: path
    .optional()
    .describe("A city MMDB for regions, asked before the country one: Crimea is found by region only."),
  asn: path.optional().describe("An ASN MMDB: network and holder."),
  anonymous: path.optional().describe("An anonymous-IP or privacy MMDB: VPN, Tor, proxy, hosting."),
  databases: z
    .array(database)
    .default([])
    .describe(
      "MMDBs that `assay lists update` and the running service fetch, one a role, in place of a file.",
    ),
  networks: path
    .optional()
    .describe("A JSON table of networks that overrides the MMDB, merged over the bundled one."),
  tiers: path.optional().describe("A JSON table of sanction tiers, in place of the bundled one."),
  lists: z
    .array(
      section({
        name,
        kind: z.enum(["hosting", "vpn", "tor", "relay", "satellite", "residential"]),
        ...fileOrUrl,
      }).refine(oneOfFileAndUrl, FILE_OR_URL),
    )
    .default([])
    .describe("Lists of networks of one kind, one network or address a line."),
  reloadSeconds: z
    .number()
    .min(1)
    .default(60)
    .describe("How often databases and tables are looked at for changes."),
  place: section({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  })
    .optional()
    .describe("Where the pool's servers stand; round trips are held against distances from there."),
}).prefault({});
