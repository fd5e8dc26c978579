import type { Random } from "./random.ts";

/** What kind of connection a place is reached by; the kinds a pool can tell apart from an address. */
export type Access = "residential" | "hosting" | "vpn" | "satellite";

/** Where a country's users sit: roughly the middle of its population, and its clock. */
export interface Country {
  code: string;
  latitude: number;
  longitude: number;
  /** Hours ahead of UTC, without summer time. */
  utcOffset: number;
  /** Prefixes of its access networks, each wholly in the country by the bundled database. */
  residential: readonly string[];
  /** Part of the honest miners that sit here: a rough reading of the Cambridge mining map of January 2022. */
  weight: number;
}

const country = (
  code: string,
  latitude: number,
  longitude: number,
  utcOffset: number,
  weight: number,
  residential: string,
): Country => ({ code, latitude, longitude, utcOffset, weight, residential: residential.split(" ") });

/** Allocations of access providers as the registries publish them; a test holds them against the bundled database. */
export const COUNTRIES: readonly Country[] = [
  country("US", 39, -95, -6, 240, "73.0.0.0/9 68.32.0.0/12 98.192.0.0/12 71.160.0.0/13 107.192.0.0/12"),
  country("CA", 45, -76, -5, 60, "99.224.0.0/12 70.24.0.0/14 24.64.0.0/14 142.112.0.0/14"),
  country("DE", 50, 9, 1, 60, "84.128.0.0/11 91.0.0.0/11 79.192.0.0/11 87.128.0.0/12"),
  country("GB", 52, -1, 0, 30, "86.128.0.0/12 81.128.0.0/13 82.0.0.0/13 90.192.0.0/12"),
  country("FR", 48, 2, 1, 30, "90.0.0.0/11 86.192.0.0/11 82.64.0.0/15 78.192.0.0/12"),
  country("NL", 52, 5, 1, 20, "86.80.0.0/13 77.160.0.0/13"),
  country("NO", 60, 10, 1, 25, "84.208.0.0/14 88.88.0.0/14 85.164.0.0/14"),
  country("SE", 59, 17, 1, 25, "90.224.0.0/13 78.64.0.0/13 81.224.0.0/14"),
  country("CH", 47, 8, 1, 10, "85.0.0.0/13 178.192.0.0/13"),
  country("IS", 64, -21, 0, 10, "194.144.0.0/16 157.157.0.0/16"),
  country("FI", 61, 25, 2, 10, "88.112.0.0/14 91.152.0.0/14 84.248.0.0/14"),
  country("PL", 52, 20, 1, 20, "83.0.0.0/13 79.184.0.0/14"),
  country("ES", 40, -4, 1, 15, "80.24.0.0/13 83.32.0.0/13 88.0.0.0/12"),
  country("IT", 43, 12, 1, 15, "79.0.0.0/11 87.0.0.0/13 95.224.0.0/13"),
  country("UA", 50, 31, 2, 15, "37.52.0.0/15 46.200.0.0/15"),
  country("RU", 56, 60, 5, 60, "95.24.0.0/14 46.0.0.0/16 176.192.0.0/14 2.92.0.0/14 188.16.0.0/14"),
  country("KZ", 50, 70, 5, 50, "2.132.0.0/15 92.46.0.0/16 95.56.0.0/14 178.88.0.0/14"),
  country("GE", 42, 44, 4, 8, "31.146.0.0/16 178.134.0.0/16 188.169.0.0/16"),
  country("KG", 42, 75, 6, 6, "212.112.96.0/19 158.181.128.0/17 92.245.96.0/19"),
  country("IR", 34, 52, 3.5, 0, "2.176.0.0/13 151.232.0.0/15 78.38.0.0/15 5.232.0.0/14"),
  country("AE", 25, 55, 4, 12, "94.200.0.0/15 83.110.0.0/16 2.48.0.0/14"),
  country("TR", 40, 32, 3, 12, "78.160.0.0/11 85.96.0.0/12 88.224.0.0/11"),
  country(
    "CN",
    33,
    112,
    8,
    90,
    "1.80.0.0/13 114.80.0.0/12 223.64.0.0/11 39.64.0.0/11 175.160.0.0/12 60.16.0.0/13",
  ),
  country("HK", 22, 114, 8, 15, "42.2.0.0/16 112.118.0.0/15 219.76.0.0/14"),
  country("TW", 24, 121, 8, 12, "1.160.0.0/12 36.224.0.0/12 114.32.0.0/12"),
  country("KR", 37, 127, 9, 15, "175.192.0.0/11 211.104.0.0/13 121.128.0.0/12"),
  country("JP", 35, 138, 9, 12, "126.0.0.0/9 60.32.0.0/12 153.128.0.0/11"),
  country("IN", 22, 78, 5.5, 25, "49.32.0.0/12 117.192.0.0/11 59.88.0.0/13 122.160.0.0/12 157.32.0.0/12"),
  country("MY", 3, 102, 8, 35, "175.136.0.0/13 60.48.0.0/14 115.132.0.0/14"),
  country("PH", 14, 121, 8, 15, "112.198.0.0/16 49.144.0.0/13 119.92.0.0/14"),
  country("ID", -6, 107, 7, 20, "36.64.0.0/13 125.160.0.0/13 114.120.0.0/13"),
  country("VN", 16, 107, 7, 20, "14.160.0.0/12 113.160.0.0/12 27.64.0.0/13 171.224.0.0/12"),
  country("TH", 14, 101, 7, 20, "171.96.0.0/14 49.228.0.0/15 58.8.0.0/14"),
  country("KH", 11.5, 105, 7, 6, "36.37.128.0/17 175.100.0.0/18 203.144.64.0/19"),
  country("LA", 18, 103, 7, 8, "115.84.64.0/18 202.137.128.0/19 183.182.96.0/19"),
  country("MM", 17, 96, 6.5, 4, "203.81.64.0/19 37.111.0.0/17 136.228.160.0/20"),
  country("SG", 1.3, 104, 8, 15, "116.86.0.0/16 42.60.0.0/15 219.74.0.0/16"),
  country("NP", 28, 85, 5.75, 4, "27.34.0.0/17 110.44.112.0/20 36.252.0.0/16"),
  country("KE", -1, 37, 3, 4, "105.160.0.0/13 41.80.0.0/15 197.176.0.0/13"),
  country("MZ", -26, 33, 2, 2, "197.218.0.0/15 41.94.0.0/16 197.249.0.0/16"),
  country("ET", 9, 39, 3, 20, "196.188.0.0/14 197.156.64.0/18"),
  country("ZA", -27, 28, 2, 10, "41.0.0.0/11 196.208.0.0/14"),
  country("BR", -22, -46, -3, 15, "179.208.0.0/12"),
  country("PY", -25, -57, -3, 20, "181.120.0.0/14 186.16.0.0/15"),
  country("AR", -34, -60, -3, 10, "181.0.0.0/12 190.16.0.0/14 186.128.0.0/12"),
  country("VE", 10, -67, -4, 8, "186.88.0.0/14 190.200.0.0/14 190.36.0.0/14"),
  country("AU", -34, 150, 10, 15, "1.120.0.0/13 101.160.0.0/12 120.144.0.0/12"),
  country("MN", 48, 107, 8, 3, "202.131.224.0/19 202.9.40.0/21"),
  country("BT", 27.5, 89.6, 6, 4, "119.2.96.0/19 202.144.128.0/19"),
  country("PK", 31, 72, 5, 8, "39.32.0.0/11 182.176.0.0/12"),
  country("OM", 23.6, 58, 4, 8, "5.36.0.0/15 188.140.128.0/17"),
  country("KP", 39, 125.7, 9, 0, "175.45.176.0/22"),
];

const BY_CODE: ReadonlyMap<string, Country> = new Map(COUNTRIES.map((one) => [one.code, one]));

/** A country of the table. Throws for a code it does not have: that is a mistake in a scenario. */
export function countryOf(code: string): Country {
  const found = BY_CODE.get(code);
  if (!found) throw new Error(`simulate: no networks are known for country "${code}"`);
  return found;
}

/** Places where operations of the DPRK abroad have been reported (TYPOLOGIES: Recorded Future 2017, 2018 and 2020). */
export const OVERSEAS_BASES: readonly string[] = [
  "CN",
  "IN",
  "MY",
  "PH",
  "NP",
  "KE",
  "MZ",
  "ID",
  "KH",
  "LA",
  "SG",
  "TH",
  "VN",
];

/** Address space of hosting providers by country, as the registries publish it. */
export const HOSTING: Readonly<Record<string, readonly string[]>> = {
  DE: ["88.198.0.0/16", "5.9.0.0/16", "116.202.0.0/15"],
  FI: ["135.181.0.0/17"],
  FR: ["51.15.0.0/16", "163.172.0.0/16", "195.154.0.0/16"],
  NL: ["95.211.0.0/16", "85.17.0.0/16"],
  US: ["45.33.0.0/17", "52.0.0.0/13", "50.116.0.0/18"],
  CA: ["51.79.0.0/17", "51.161.0.0/17", "192.99.0.0/16"],
  SG: ["13.212.0.0/14", "128.199.128.0/17", "161.117.0.0/16"],
  JP: ["13.112.0.0/14"],
  IN: ["13.232.0.0/14", "139.59.0.0/18"],
  CN: ["47.92.0.0/14", "39.96.0.0/13", "81.68.0.0/14"],
  TW: ["34.80.0.0/15"],
  RU: ["95.213.128.0/17", "92.53.96.0/19"],
  MY: ["124.217.224.0/19", "110.4.40.0/21"],
};

/** Exits of VPN services by country, as the services name them (Mullvad, Proton). */
export const VPN_EXITS: Readonly<Record<string, readonly string[]>> = {
  SE: ["193.138.218.0/24", "185.65.132.0/24", "185.65.135.0/24", "185.159.156.0/24"],
  CH: ["185.159.157.0/24", "185.159.159.0/24"],
  NL: ["185.65.134.0/24"],
  FI: ["185.65.133.0/24"],
  IS: ["185.159.158.0/24"],
};

/** Rural subscribers of satellite services. */
export const SATELLITE: Readonly<Record<string, readonly string[]>> = { US: ["98.97.0.0/23"] };

/** Prefixes of a country by access; empty where none is known. */
export function prefixesOf(code: string, access: Access): readonly string[] {
  if (access === "residential") return countryOf(code).residential;
  const table = access === "hosting" ? HOSTING : access === "vpn" ? VPN_EXITS : SATELLITE;
  return table[code] ?? [];
}

/** An address inside a prefix, never its first or last. */
export function drawAddress(random: Random, prefix: string): string {
  const [base = "", length = "32"] = prefix.split("/");
  const start = base.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  return formatAddress(start + 1 + Math.floor((size - 2) * random.next()));
}

/** Dotted form of a 32-bit address. */
export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Another address in the same /24: a farm's own block. */
export function neighbour(random: Random, ip: string): string {
  return `${ip.slice(0, ip.lastIndexOf("."))}.${random.integer(1, 254)}`;
}

/** Great-circle distance in kilometres. */
export function distanceKm(
  from: { latitude: number; longitude: number },
  to: { latitude: number; longitude: number },
): number {
  const radians = Math.PI / 180;
  const half = Math.sin(((to.latitude - from.latitude) * radians) / 2);
  const halfLong = Math.sin(((to.longitude - from.longitude) * radians) / 2);
  const h =
    half * half + Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * halfLong * halfLong;
  return 12_742 * Math.atan2(Math.sqrt(h), Math.sqrt(1 - h));
}

/**
 * A path's least round trip in ms: light in fibre goes 200 km a ms, both ways, and paths are 1.3 to 2.2 times longer
 * than the great circle (Landa et al., "The large-scale geography of Internet round trip times", 2013).
 */
export function pathRttMs(random: Random, fromCode: string, toCode: string): number {
  const km = distanceKm(countryOf(fromCode), countryOf(toCode)) + random.between(20, 400);
  return (km / 100) * random.between(1.3, 2.2);
}
