import type { Fact, NetworkKind, Origin } from "#core/origin.ts";
import { type Address, formatAddress } from "./address.ts";
import type { Database } from "./database.ts";
import { ALWAYS, holds, narrow, type Period } from "./dated.ts";
import type { Network, Networks } from "./networks.ts";
import type { RecordFacts } from "./record.ts";
import { type Embedded, embedded, SPECIAL_SOURCE, special } from "./special.ts";
import type { Tiers } from "./tiers.ts";

/** Everything an origin is put together from; in each array the first that has a field's value gives it. */
export interface Sources {
  /** The operator's own tables: what they say is final, private ranges included. */
  own: readonly Networks[];
  /** The bundled table, then lists. */
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
/** Of several kinds the one that tells most: a Tor exit stands in a hosting network, never the other way about. */
const TELLING: readonly (NetworkKind | "")[] = [
  "tor",
  "vpn",
  "relay",
  "satellite",
  "hosting",
  "residential",
  "business",
];

const EMPTY = {
  country: "ZZ",
  region: "",
  asn: 0,
  holder: "",
  kind: "unknown",
  tier: "unknown",
  confidence: 0,
} as const;

/** The origin of a text that is no address. */
export function unreadable(ip: string): Origin {
  return Object.freeze({ ...EMPTY, ip, facts: [] });
}

interface Found {
  own: readonly Network[];
  others: readonly Network[];
  records: readonly { record: RecordFacts; database: Sources["databases"][number] }[];
}

/** Puts the origin of an address together as of `atMs`. */
export function compose(sources: Sources, address: Address, atMs: number): Answer {
  const valid: Period = { ...ALWAYS };
  const held = (tables: readonly Networks[], find: (table: Networks) => readonly Network[]) =>
    tables.flatMap((table) =>
      find(table).filter((row) => {
        narrow(valid, row, atMs);
        return holds(row, atMs);
      }),
    );
  const ip = formatAddress(address);
  const own = held(sources.own, (table) => table.byAddress(address));
  if (own.length === 0) {
    const inner = embedded(address);
    if (inner !== null) return tunnelled(sources, ip, inner, atMs);
    const reserved = special(address);
    if (reserved !== null) {
      const fact: Fact = { fact: "network", value: reserved.name, source: SPECIAL_SOURCE };
      const origin = { ...EMPTY, ip, holder: reserved.name, kind: reserved.kind, facts: [fact] };
      return { ...valid, origin: Object.freeze(origin) };
    }
  }
  const others = held(sources.tables, (table) => table.byAddress(address));
  const records: Found["records"] = sources.databases.flatMap((database) => {
    const record = database.find(ip);
    return record === null ? [] : [{ record, database }];
  });
  const known = [...own, ...others, ...records.map(({ record }) => record)];
  const asn = known.find((row) => row.asn !== 0)?.asn;
  if (asn !== undefined) {
    own.push(...held(sources.own, (table) => table.byAsn(asn)));
    others.push(...held(sources.tables, (table) => table.byAsn(asn)));
  }
  return { origin: gather(sources.tiers, ip, { own, others, records }, atMs, valid), ...valid };
}

/** A field's value, who gives it and how far it is believed. */
interface Given<T> {
  value: T;
  source: string;
  confidence: number;
}

/** Takes each field from the first that has it, tables before databases, and notes where it was read. */
function gather(tiers: Tiers, ip: string, found: Found, atMs: number, valid: Period): Origin {
  const givers = [
    ...[...found.own, ...found.others].map((row) => ({ ...row, curated: true })),
    ...found.records.map(({ record, database: { source, confidence } }) => ({
      ...record,
      source,
      confidence,
      curated: false,
    })),
  ];
  const pick = <F extends "country" | "region" | "asn" | "holder" | "kind">(
    field: F,
    fits: (giver: (typeof givers)[number]) => boolean = (giver) => Boolean(giver[field]),
  ): Given<(typeof givers)[number][F]> | null => {
    const giver = givers.find(fits);
    return giver ? { value: giver[field], source: giver.source, confidence: giver.confidence } : null;
  };
  const place = pick("country");
  const country = place?.value ?? "ZZ";
  // A region counts only where it lies in the country settled on.
  const region = pick("region", (giver) => giver.region.startsWith(`${country}-`));
  const asn = pick("asn");
  const holder = pick("holder");
  const final = found.own.some((row) => row.kind !== "");
  const telling = TELLING.find((kind) => givers.some((giver) => giver.kind === kind));
  const use = final ? pick("kind") : pick("kind", (giver) => giver.kind !== "" && giver.kind === telling);
  const kind = use?.value || "unknown";
  const tier = tiers.of(country, region?.value ?? "", atMs, valid);
  const network = asn ?? holder;
  const name = [asn ? `AS${asn.value}` : "", holder?.value].filter(Boolean).join(" ");
  const facts: Fact[] = [];
  if (place) facts.push({ fact: "country", value: country, source: place.source });
  if (region) facts.push({ fact: "region", value: region.value, source: region.source });
  if (network) facts.push({ fact: "network", value: name, source: network.source });
  if (use) facts.push({ fact: "kind", value: kind, source: use.source });
  facts.push({ fact: "tier", value: tier.tier, source: tier.source });
  const disagreed =
    !givers.some((giver) => giver.curated && giver.country !== "") &&
    givers.some((giver) => giver.country !== "" && giver.country !== country);
  return Object.freeze({
    ip,
    country,
    region: region?.value ?? "",
    asn: asn?.value ?? 0,
    holder: holder?.value ?? "",
    kind,
    tier: tier.tier,
    confidence: (place?.confidence ?? 0) * (VEILED[kind] ?? 1) * (disagreed ? DISAGREED : 1),
    facts,
  });
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
