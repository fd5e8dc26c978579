import type { NetworkKind } from "#core/origin.ts";

/** What one record of any of the usual databases says; "" and 0 where it says nothing. */
export interface RecordFacts {
  country: string;
  region: string;
  asn: number;
  holder: string;
  kind: NetworkKind | "";
}

const NOTHING: RecordFacts = { country: "", region: "", asn: 0, holder: "", kind: "" };

/**
 * Reads a record by the shapes in use: GeoLite2, GeoIP2 and DB-IP (`country.iso_code`, `subdivisions`,
 * `autonomous_system_number`, `is_anonymous_vpn`, `traits`), IPinfo (`country`, `region_code`, `asn: "AS64496"`,
 * `vpn: "true"`) and ip-location-db (`country_code`).
 */
export function readRecord(record: unknown): RecordFacts {
  if (!isObject(record)) return NOTHING;
  const stated = countryOf(record);
  const region = regionOf(record, stated);
  const country = region === "" ? stated : region.slice(0, 2);
  const traits = isObject(record.traits) ? record.traits : record;
  return {
    country,
    region,
    ...networkOf(record, traits),
    kind: kindOf(record, traits),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function countryOf(record: Record<string, unknown>): string {
  const nested = isObject(record.country) ? record.country.iso_code : undefined;
  const registered = isObject(record.registered_country) ? record.registered_country.iso_code : undefined;
  const found = [nested, record.country_code, record.country, registered].map(text).find(isCountry);
  return found ?? "";
}

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code);
}

/**
 * The regions of Ukraine under comprehensive sanctions by the names databases without codes give them (DB-IP, IPinfo),
 * and by the codes Russia uses. Only a region's name counts: a town called Sevastopol lies in Kaluga.
 */
const OCCUPIED = new Map([
  ["crimea", "UA-43"],
  ["republic of crimea", "UA-43"],
  ["autonomous republic of crimea", "UA-43"],
  ["krym", "UA-43"],
  ["respublika krym", "UA-43"],
  ["cr", "UA-43"],
  ["sevastopol", "UA-40"],
  ["sevastopol city", "UA-40"],
  ["gorod sevastopol", "UA-40"],
  ["sev", "UA-40"],
  ["donetsk", "UA-14"],
  ["donetsk oblast", "UA-14"],
  ["donetska oblast", "UA-14"],
  ["luhansk", "UA-09"],
  ["luhansk oblast", "UA-09"],
  ["luhanska oblast", "UA-09"],
]);

/** MaxMind gives the part behind the hyphen, widest subdivision first; others give it as `region_code`, or a name. */
function regionOf(record: Record<string, unknown>, country: string): string {
  const [widest] = Array.isArray(record.subdivisions) ? record.subdivisions : [];
  const code = text(isObject(widest) ? widest.iso_code : record.region_code).toUpperCase();
  const names = isObject(widest) && isObject(widest.names) ? widest.names.en : record.region;
  if (country === "UA" || country === "RU") {
    const occupied =
      (country === "RU" && OCCUPIED.get(code.toLowerCase())) || OCCUPIED.get(text(names).toLowerCase());
    if (occupied) return occupied;
  }
  if (/^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(code)) return code;
  return country !== "" && /^[A-Z0-9]{1,3}$/.test(code) ? `${country}-${code}` : "";
}

function networkOf(record: Record<string, unknown>, traits: Record<string, unknown>) {
  const number = record.autonomous_system_number ?? traits.autonomous_system_number ?? record.asn;
  const digits = typeof number === "number" ? number : Number(text(number).replace(/^AS/i, ""));
  const holder =
    text(record.autonomous_system_organization) ||
    text(traits.autonomous_system_organization) ||
    text(record.as_name) ||
    text(record.name);
  return { asn: Number.isSafeInteger(digits) && digits > 0 ? digits : 0, holder: holder.slice(0, 200) };
}

const truthy = (value: unknown) => value === true || value === "true";

/** What a line is used for, by GeoIP2 Enterprise's `user_type`, IPinfo's `as_type` and GeoIP2's `connection_type`. */
const USES: Record<string, NetworkKind> = {
  residential: "residential",
  cellular: "residential",
  isp: "residential",
  hosting: "hosting",
  content_delivery_network: "hosting",
  business: "business",
  government: "business",
  military: "business",
  school: "business",
  college: "business",
  library: "business",
  education: "business",
  Satellite: "satellite",
  "Cable/DSL": "residential",
  Cellular: "residential",
  Dialup: "residential",
  Corporate: "business",
};

/** The most telling property first. */
function kindOf(record: Record<string, unknown>, traits: Record<string, unknown>): NetworkKind | "" {
  const has = (...names: string[]) => names.some((name) => truthy(record[name]) || truthy(traits[name]));
  if (has("is_tor_exit_node", "tor")) return "tor";
  if (has("is_anonymous_vpn", "vpn")) return "vpn";
  if (has("is_public_proxy", "is_residential_proxy", "is_anonymous_proxy", "proxy", "relay")) return "relay";
  if (has("is_hosting_provider", "hosting")) return "hosting";
  if (has("is_satellite_provider", "satellite")) return "satellite";
  // GeoIP Residential Proxy says no more than who runs it; of the others `is_anonymous` alone names no kind either.
  if (has("is_anonymous") || typeof record.anonymizer_confidence === "number") return "relay";
  const connection = text(record.connection_type) || text(traits.connection_type);
  if (connection === "Satellite") return "satellite";
  return USES[text(traits.user_type)] ?? USES[text(record.as_type)] ?? USES[connection] ?? "";
}
