import { type Address, formatAddress } from "#core/address.ts";
import type { Fact, NetworkKind, Origin } from "#core/origin.ts";
import { type Answer, Answers } from "./answers.ts";
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

/** What the tables and databases have for an address; each array and record is the same object wherever it is the same. */
interface Found {
  own: readonly (readonly Network[])[];
  others: readonly (readonly Network[])[];
  records: readonly (RecordFacts | null)[];
}

/** Puts origins together from one state of tables and databases. */
export function createComposer(sources: Sources): (address: Address, atMs: number) => Answer {
  const known = new Answers();

  function compose(address: Address, atMs: number): Answer {
    const own = sources.own.map((table) => table.byAddress(address));
    if (!own.some((rows) => rows.some((row) => holds(row, atMs)))) {
      const standard = byStandard(address, atMs, own);
      if (standard !== null) return standard;
    }
    const ip = formatAddress(address);
    const others = sources.tables.map((table) => table.byAddress(address));
    const records = sources.databases.map((database) => database.find(ip));
    const parts = [...own, ...others, ...records];
    let answer = known.get(parts, atMs);
    if (answer === undefined) {
      answer = gather(sources, { own, others, records }, atMs);
      known.set(parts, answer);
    }
    return { origin: at(ip, answer.origin), fromMs: answer.fromMs, untilMs: answer.untilMs };
  }

  /** Private, reserved and tunnelled addresses; null for ordinary ones. Rows of the operator's may come or go with time. */
  function byStandard(address: Address, atMs: number, own: Found["own"]): Answer | null {
    const inner = embedded(address);
    const reserved = inner === null ? special(address) : null;
    if (inner === null && reserved === null) return null;
    const valid = { ...ALWAYS };
    for (const row of own.flat()) narrow(valid, row, atMs);
    const ip = formatAddress(address);
    if (reserved !== null) {
      const fact: Fact = { fact: "network", value: reserved.name, source: SPECIAL_SOURCE };
      const origin = { ...EMPTY, ip, holder: reserved.name, kind: reserved.kind, facts: [fact] };
      return { ...valid, origin: Object.freeze(origin) };
    }
    if (inner === null) return null;
    const answer = compose(inner.address, atMs);
    narrow(valid, answer, atMs);
    return { ...valid, origin: inner.how === "mapped" ? answer.origin : tunnelled(ip, inner, answer.origin) };
  }

  return compose;
}

/** The same answer for another address; written out because spreading is slower. */
function at(ip: string, origin: Origin): Origin {
  const { country, region, asn, holder, kind, tier, confidence, facts } = origin;
  return Object.freeze({ ip, country, region, asn, holder, kind, tier, confidence, facts });
}

/** A field's value, who gives it and how far it is believed. */
interface Given<T> {
  value: T;
  source: string;
  confidence: number;
}

/** Takes each field from the first that has it, tables before databases, and notes where it was read. */
function gather(sources: Sources, found: Found, atMs: number): Answer {
  const valid: Period = { ...ALWAYS };
  const held = (rows: readonly Network[]) => {
    for (const row of rows) narrow(valid, row, atMs);
    return rows.filter((row) => holds(row, atMs));
  };
  const own = found.own.flatMap(held);
  const others = found.others.flatMap(held);
  const records = found.records.flatMap((record, index) => {
    const database = sources.databases[index];
    return record && database ? [{ record, database }] : [];
  });
  const number = [...own, ...others, ...records.map(({ record }) => record)].find(
    (row) => row.asn !== 0,
  )?.asn;
  if (number !== undefined) {
    own.push(...sources.own.flatMap((table) => held(table.byAsn(number))));
    others.push(...sources.tables.flatMap((table) => held(table.byAsn(number))));
  }
  const givers = [
    ...[...own, ...others].map((row) => ({ ...row, curated: true })),
    ...records.map(({ record, database: { source, confidence } }) => ({
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
  const final = own.some((row) => row.kind !== "");
  const telling = TELLING.find((kind) => givers.some((giver) => giver.kind === kind));
  const use = final ? pick("kind") : pick("kind", (giver) => giver.kind !== "" && giver.kind === telling);
  const kind = use?.value || "unknown";
  const tier = sources.tiers.of(country, region?.value ?? "", atMs, valid);
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
  const confidence = (place?.confidence ?? 0) * (VEILED[kind] ?? 1) * (disagreed ? DISAGREED : 1);
  return {
    ...valid,
    origin: {
      ip: "",
      country,
      region: region?.value ?? "",
      asn: asn?.value ?? 0,
      holder: holder?.value ?? "",
      kind,
      tier: tier.tier,
      confidence,
      facts: Object.freeze(facts),
    },
  };
}

/** A tunnel's or translator's address stands for the IPv4 address inside. */
function tunnelled(ip: string, inner: Embedded, origin: Origin): Origin {
  const value = `${inner.name} of ${origin.ip}`;
  return Object.freeze({
    ...origin,
    ip,
    // What carries a private or reserved address should not be on the wire at all.
    kind: origin.kind === "private" || origin.kind === "reserved" ? "reserved" : "relay",
    confidence: origin.confidence * TUNNELLED,
    facts: [...origin.facts, { fact: "network", value, source: SPECIAL_SOURCE } satisfies Fact],
  });
}
