import { type Address, parsePrefix } from "#core/address.ts";
import type { NetworkKind } from "#core/origin.ts";
import { PrefixTable } from "#core/prefix-table.ts";

/** A range no machine on the public internet sends from, by its name in the registry. */
export interface Special {
  name: string;
  kind: Extract<NetworkKind, "private" | "reserved">;
}

/** Where the names come from. */
export const SPECIAL_SOURCE = "IANA special-purpose address registries, up to RFC 9637";

/**
 * IANA IPv4 and IPv6 Special-Purpose Address Registries, with the class D, E and multicast blocks. What a network may
 * use inside itself is `private`; what must not be on a wire towards a pool at all is `reserved`.
 */
const RANGES: readonly [prefix: string, kind: Special["kind"], name: string][] = [
  ["0.0.0.0/8", "reserved", "This network (RFC 791)"],
  ["10.0.0.0/8", "private", "Private use (RFC 1918)"],
  ["100.64.0.0/10", "private", "Shared address space, carrier-grade NAT (RFC 6598)"],
  ["127.0.0.0/8", "private", "Loopback (RFC 1122)"],
  ["169.254.0.0/16", "private", "Link local (RFC 3927)"],
  ["172.16.0.0/12", "private", "Private use (RFC 1918)"],
  ["192.0.0.0/24", "reserved", "IETF protocol assignments (RFC 6890)"],
  ["192.0.2.0/24", "reserved", "Documentation TEST-NET-1 (RFC 5737)"],
  ["192.88.99.0/24", "reserved", "6to4 relay anycast, deprecated (RFC 7526)"],
  ["192.168.0.0/16", "private", "Private use (RFC 1918)"],
  ["198.18.0.0/15", "reserved", "Benchmarking (RFC 2544)"],
  ["198.51.100.0/24", "reserved", "Documentation TEST-NET-2 (RFC 5737)"],
  ["203.0.113.0/24", "reserved", "Documentation TEST-NET-3 (RFC 5737)"],
  ["224.0.0.0/4", "reserved", "Multicast (RFC 5771)"],
  ["240.0.0.0/4", "reserved", "Reserved for future use (RFC 1112)"],
  ["255.255.255.255/32", "reserved", "Limited broadcast (RFC 919)"],
  // What IANA has not opened for global unicast; narrower entries below say more.
  ["::/3", "reserved", "Outside global unicast (RFC 4291)"],
  ["4000::/2", "reserved", "Outside global unicast (RFC 4291)"],
  ["8000::/1", "reserved", "Outside global unicast (RFC 4291)"],
  ["::/128", "reserved", "Unspecified address (RFC 4291)"],
  ["::1/128", "private", "Loopback (RFC 4291)"],
  ["::/96", "reserved", "IPv4-compatible, deprecated (RFC 4291)"],
  ["64:ff9b:1::/48", "private", "Local-use IPv4/IPv6 translation (RFC 8215)"],
  ["100::/64", "reserved", "Discard only (RFC 6666)"],
  ["2001::/23", "reserved", "IETF protocol assignments (RFC 2928)"],
  ["2001:2::/48", "reserved", "Benchmarking (RFC 5180)"],
  ["2001:10::/28", "reserved", "ORCHID, deprecated (RFC 4843)"],
  ["2001:20::/28", "reserved", "ORCHIDv2 (RFC 7343)"],
  ["2001:db8::/32", "reserved", "Documentation (RFC 3849)"],
  ["3fff::/20", "reserved", "Documentation (RFC 9637)"],
  ["5f00::/16", "reserved", "Segment routing SIDs (RFC 9602)"],
  ["fc00::/7", "private", "Unique local (RFC 4193)"],
  ["fe80::/10", "private", "Link local (RFC 4291)"],
  ["fec0::/10", "private", "Site local, deprecated (RFC 3879)"],
  ["ff00::/8", "reserved", "Multicast (RFC 4291)"],
];

const table = new PrefixTable<Special>(
  RANGES.map(([prefix, kind, name]) => {
    const block = parsePrefix(prefix);
    if (block === null) throw new Error(`src/origin/special.ts: ${prefix} is not a prefix`);
    return { block, item: { kind, name } };
  }),
);

/** The registry's name for an address, or null where it is ordinary. */
export function special(address: Address): Special | null {
  return table.find(address)[0] ?? null;
}

/** An IPv4 address carried inside an IPv6 one. */
export interface Embedded {
  address: Address;
  /** `mapped`: the IPv4 address itself, as a dual-stack socket spells it. The others are tunnels or translators. */
  how: "mapped" | "6to4" | "Teredo" | "NAT64";
  name: string;
}

const LOW_32 = 0xffff_ffffn;

/** Takes the IPv4 address out of IPv4-mapped, 6to4 (RFC 3056), Teredo (RFC 4380: inverted) and NAT64 (RFC 6052) addresses. */
export function embedded(address: Address): Embedded | null {
  if (address.bits === 32) return null;
  const { value } = address;
  const ipv4 = (inner: bigint): Address => ({ bits: 32, value: Number(inner & LOW_32) });
  if (value >> 32n === 0xffffn)
    return { address: ipv4(value), how: "mapped", name: "IPv4-mapped (RFC 4291)" };
  if (value >> 112n === 0x2002n)
    return { address: ipv4(value >> 80n), how: "6to4", name: "6to4 tunnel (RFC 3056)" };
  if (value >> 96n === 0x2001_0000n)
    return { address: ipv4(~value), how: "Teredo", name: "Teredo tunnel (RFC 4380)" };
  if (value >> 32n === 0x0064_ff9bn << 64n)
    return { address: ipv4(value), how: "NAT64", name: "NAT64 (RFC 6052)" };
  return null;
}
