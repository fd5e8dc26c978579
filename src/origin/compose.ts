import type { Fact, NetworkKind, Origin } from "#core/origin.ts";
import { type Address, formatAddress } from "./address.ts";
import type { Database } from "./database.ts";
import { ALWAYS, holds, narrow, type Period } from "./dated.ts";
import type { Network, Networks } from "./networks.ts";
import type { RecordFacts } from "./record.ts";
import { type Embedded, embedded, SPECIAL_SOURCE, special } from "./special.ts";
import type { Tiers } from "./tiers.ts";

/** Everything an origin is put together from. The first that has a field's value gives it. */
export interface Sources {
  /** The operator's table before the bundled one. */
  tables: readonly Networks[];
  databases: readonly (Database & {
    /** How far a country of this database is believed, 0..1. */
    confidence: number;
  })[];
  tiers: Tiers;
}

/** An answer, and the stretch of time over which it is the same. */
export interface Answer extends Period {
  origin: Origin;
}

/**
 * Where a country says less about who sends: what is left of its confidence. An exit, a relay or a satellite's
 * ground station stands where its operator put it, and a tunnel's outer address may have been made up.
 */
const VEILED: Partial<Record<NetworkKind, number>> = { vpn: 0.3, tor: 0.1, relay: 0.3, satellite: 0.5 };
const TUNNELLED = 0.5;
/** Two databases that name different countries: at least one is wrong. */
const DISAGREED = 0.5;

/** The origin of a text that is no address. */
export function unreadable(ip: string): Origin {
  return Object.freeze({ ...EMPTY, ip, facts: [] });
}

const EMPTY = {
  country: "ZZ",
  region: "",
  asn: 0,
  holder: "",
  kind: "unknown",
  tier: "unknown",
  confidence: 0,
} as const;

/** Puts the origin of an address together as of `atMs`. */
export function compose(sources: Sources, address: Address, atMs: number): Answer {
  const valid: Period = { ...ALWAYS };
  const ip = formatAddress(address);
  const rows: Network[] = [];
  const add = (found: readonly Network[]) => {
    for (const row of found) {
      narrow(valid, row, atMs);
      if (holds(row, atMs)) rows.push(row);
    }
  };
  for (const table of sources.tables) add(table.byAddress(address));
  const inner = embedded(address);
  if (inner !== null && rows.length === 0) return tunnelled(sources, ip, inner, atMs);
  const reserved = special(address);
  if (reserved !== null && rows.length === 0) {
    const fact: Fact = { fact: "network", value: reserved.name, source: SPECIAL_SOURCE };
    const origin = { ...EMPTY, ip, holder: reserved.name, kind: reserved.kind, facts: [fact] };
    return { ...valid, origin: Object.freeze(origin) };
  }
  const records = sources.databases.flatMap((database) => {
    const record = database.find(ip);
    return record === null ? [] : [{ record, database }];
  });
  const asn =
    rows.find((row) => row.asn !== 0)?.asn ?? records.find(({ record }) => record.asn !== 0)?.record.asn;
  if (asn !== undefined) for (const table of sources.tables) add(table.byAsn(asn));
  return { origin: gather(sources, ip, rows, records, atMs, valid), ...valid };
}

interface Found {
  record: RecordFacts;
  database: Sources["databases"][number];
}

/** Takes each field from the first that has it, rows before records, and notes where it was read. */
function gather(
  { tiers }: Sources,
  ip: string,
  rows: readonly Network[],
  records: readonly Found[],
  atMs: number,
  valid: Period,
): Origin {
  const facts: Fact[] = [];
  const pick = <F extends "country" | "asn" | "holder" | "kind">(field: F) => {
    const row = rows.find((candidate) => candidate[field]);
    if (row) return { value: row[field], source: row.source, confidence: row.confidence };
    const found = records.find(({ record }) => record[field]);
    if (!found) return null;
    const { source, confidence } = found.database;
    return { value: found.record[field], source, confidence };
  };
  const place = pick("country");
  const country = place?.value ?? "ZZ";
  if (place) facts.push({ fact: "country", value: country, source: place.source });
  // A region counts only where it lies in the country settled on.
  const inCountry = (value: string) => value.startsWith(`${country}-`);
  const row = rows.find((candidate) => inCountry(candidate.region));
  const found = records.find(({ record }) => inCountry(record.region));
  const region = row?.region ?? found?.record.region ?? "";
  if (region !== "")
    facts.push({ fact: "region", value: region, source: row?.source ?? found?.database.source ?? "" });
  const number = pick("asn");
  const name = pick("holder");
  const asn = number?.value ?? 0;
  const holder = name?.value ?? "";
  const network = number ?? name;
  if (network)
    facts.push({
      fact: "network",
      value: [asn === 0 ? "" : `AS${asn}`, holder].filter(Boolean).join(" "),
      source: network.source,
    });
  const use = pick("kind");
  const kind = use?.value || "unknown";
  if (use) facts.push({ fact: "kind", value: kind, source: use.source });
  const tier = tiers.of(country, region, atMs, valid);
  facts.push({ fact: "tier", value: tier.tier, source: tier.source });
  const disagreed = records.some(({ record }) => record.country !== "" && record.country !== country);
  const curated = rows.some((candidate) => candidate.country !== "");
  const confidence = (place?.confidence ?? 0) * (VEILED[kind] ?? 1) * (disagreed && !curated ? DISAGREED : 1);
  return Object.freeze({ ip, country, region, asn, holder, kind, tier: tier.tier, confidence, facts });
}

/** A tunnel's or translator's address stands for the IPv4 address inside; a mapped one *is* that address. */
function tunnelled(sources: Sources, ip: string, inner: Embedded, atMs: number): Answer {
  const answer = compose(sources, inner.address, atMs);
  if (inner.how === "mapped") return answer;
  const fact: Fact = {
    fact: "network",
    value: `${inner.name} of ${answer.origin.ip}`,
    source: SPECIAL_SOURCE,
  };
  const { origin } = answer;
  return {
    ...answer,
    origin: Object.freeze({
      ...origin,
      ip,
      // What carries a private or reserved address should not be on the wire at all.
      kind: origin.kind === "private" || origin.kind === "reserved" ? "reserved" : "relay",
      confidence: origin.confidence * TUNNELLED,
      facts: [...origin.facts, fact],
    }),
  };
}
