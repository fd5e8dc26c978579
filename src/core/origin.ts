/** What an address is used for, as far as anybody says. `unknown` is an answer. */
export type NetworkKind =
  | "residential"
  | "business"
  | "hosting"
  | "vpn"
  | "tor"
  | "satellite"
  | "relay"
  | "private"
  | "reserved"
  | "unknown";

/**
 * Sanction tier of a place, by dated configuration. `comprehensive`: a screening hit. `watch`: known for hosting
 * operations of a sanctioned state, evidence of the `origin` family but never a hit. `none`: neither.
 */
export type Tier = "comprehensive" | "watch" | "none" | "unknown";

/** One fact and where it was read: "GeoLite2 2026-11-03", "assay networks 2026-11-01". */
export interface Fact {
  fact: "country" | "region" | "network" | "kind" | "tier";
  value: string;
  source: string;
}

/** Where an address is and what network it stands in, with the source of each fact. Immutable and shared: compare by identity. */
export interface Origin {
  ip: string;
  /** ISO 3166-1 alpha-2; "ZZ" when unknown. */
  country: string;
  /** ISO 3166-2 subdivision (such as UA-43), or "" when unknown. */
  region: string;
  /** Autonomous system number, 0 when unknown. */
  asn: number;
  holder: string;
  kind: NetworkKind;
  tier: Tier;
  /** 0..1: how far the country can be believed. */
  confidence: number;
  facts: readonly Fact[];
}

/** Looks an address up as of an instant (networks change hands). Never throws; an address it cannot read is "ZZ", "unknown". */
export type LookUpOrigin = (ip: string, atMs: number) => Origin;
