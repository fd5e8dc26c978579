import { z } from "zod";
import { type Address, parsePrefix } from "#core/address.ts";
import type { NetworkKind } from "#core/origin.ts";
import { PrefixTable } from "#core/prefix-table.ts";
import { ALWAYS, edgesOf, hashOf, type Period, period, periodShape, readTable, TableError } from "./dated.ts";

const kind = z.enum([
  "residential",
  "business",
  "hosting",
  "vpn",
  "tor",
  "satellite",
  "relay",
  "private",
  "reserved",
] satisfies NetworkKind[]);
const prefix = z
  .string()
  .refine((text) => parsePrefix(text) !== null, "not a network such as 192.0.2.0/24 or 2001:db8::/32");

const row = z
  .strictObject({
    prefix: z.union([prefix.transform((one) => [one]), z.array(prefix).min(1)]).default([]),
    asn: z.number().int().min(1).max(4_294_967_295).optional(),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, "two capital letters")
      .optional(),
    region: z
      .string()
      .regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, "an ISO 3166-2 code such as UA-43")
      .optional(),
    holder: z.string().max(200).optional(),
    kind: kind.optional(),
    confidence: z.number().min(0).max(1).optional(),
    ...periodShape,
    source: z.string().min(1),
    note: z.string().optional(),
  })
  .refine((value) => value.prefix.length > 0 || value.asn !== undefined, "needs a prefix or an asn");

const schema = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  note: z.string().optional(),
  networks: z.array(row),
});

/** One row of a table of networks: what it says, for when, and who says so. A field it leaves out is answered by others. */
export interface Network extends Period {
  asn: number;
  country: string;
  region: string;
  holder: string;
  kind: NetworkKind | "";
  confidence: number;
  /** Table, version and the row's own source. */
  source: string;
  note: string;
}

/** How far a country is believed that a person has looked up and dated. */
const CURATED_CONFIDENCE = 0.95;

/** A dated table of networks, found by address or, for rows without a prefix, by autonomous system. */
export interface Networks {
  name: string;
  /** Of a table its own, and the start of its content's SHA-256; of a list the latter alone. */
  version: string;
  /** Instants at which a row starts or ends to hold. */
  edges: readonly number[];
  size: number;
  /** Lines of a list that were no networks. */
  skipped: number;
  /** Narrowest prefix first, whatever their dates. */
  byAddress(address: Address): readonly Network[];
  /** Rows that hold for a whole autonomous system, whatever their dates. */
  byAsn(asn: number): readonly Network[];
  /** Every row that names this autonomous system, with a prefix or without. */
  naming(asn: number): readonly Network[];
}

/** What a list of networks holds against all of its networks. */
export type ListKind = Extract<
  NetworkKind,
  "hosting" | "vpn" | "tor" | "relay" | "satellite" | "residential"
>;

/**
 * Reads a list of one network or address a line, as data-centre, VPN and Tor lists are published; `#` starts a
 * comment, and `ExitAddress 192.0.2.1 …` is read as the Tor project writes it. Lines that are no network are counted
 * in `skipped`. Throws a TableError when fewer than half of the lines are networks: then it is no such list.
 */
export function readNetworkList(name: string, file: string, text: string, kind: ListKind): Networks {
  const version = hashOf(text);
  const network: Network = {
    ...ALWAYS,
    asn: 0,
    country: "",
    region: "",
    holder: "",
    kind,
    confidence: 0,
    source: `${name} ${version}`,
    note: "",
  };
  let skipped = 0;
  const entries = text.split("\n").flatMap((line) => {
    if (/^(ExitNode|Published|LastStatus) /.test(line)) return [];
    const [value = ""] = line
      .replace(/#.*/, "")
      .replace(/^ExitAddress /, "")
      .trim()
      .split(/[\s,;]/, 1);
    if (value === "") return [];
    const block = parsePrefix(value);
    if (block === null) skipped += 1;
    return block === null ? [] : [{ block, item: network }];
  });
  if (entries.length <= skipped) throw new TableError(file, [`${skipped} lines are no networks`]);
  const table = new PrefixTable(entries);
  return {
    ...noNetworks(name),
    version,
    size: entries.length,
    skipped,
    byAddress: (address) => table.find(address),
  };
}

/** A list that holds nothing, such as one that has not been fetched yet. */
export function noNetworks(name: string): Networks {
  return {
    name,
    version: "none yet",
    edges: [],
    size: 0,
    skipped: 0,
    byAddress: () => [],
    byAsn: () => [],
    naming: () => [],
  };
}

/** Reads a table's JSON. Throws a TableError that lists every mistake. */
export function readNetworks(file: string, text: string): Networks {
  const { name, version, networks } = readTable(file, text, schema);
  const rows = networks.map((value) => ({
    prefixes: value.prefix,
    network: {
      ...period(value),
      asn: value.asn ?? 0,
      country: value.country ?? value.region?.slice(0, 2) ?? "",
      region: value.region ?? "",
      holder: value.holder ?? "",
      kind: value.kind ?? ("" as const),
      confidence: value.confidence ?? CURATED_CONFIDENCE,
      source: `${name} ${version}: ${value.source}`,
      note: value.note ?? "",
    } satisfies Network,
  }));
  const table = new PrefixTable<Network>(
    rows.flatMap(({ prefixes, network }) =>
      prefixes.flatMap((text) => {
        const block = parsePrefix(text);
        return block === null ? [] : [{ block, item: network }];
      }),
    ),
  );
  const byAsn = groupByAsn(
    rows.filter(({ prefixes }) => prefixes.length === 0).map(({ network }) => network),
  );
  const naming = groupByAsn(rows.map(({ network }) => network));
  return {
    name,
    version: `${version} ${hashOf(text)}`,
    edges: edgesOf(rows.map(({ network }) => network)),
    size: networks.length,
    skipped: 0,
    byAddress: (address) => table.find(address),
    byAsn: (asn) => byAsn.get(asn) ?? [],
    naming: (asn) => naming.get(asn) ?? [],
  };
}

function groupByAsn(networks: readonly Network[]): Map<number, Network[]> {
  return Map.groupBy(
    networks.filter(({ asn }) => asn !== 0),
    ({ asn }) => asn,
  );
}
