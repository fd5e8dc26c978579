import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LookUpOrigin, Origin, Tier } from "#core/origin.ts";
import type { ListVersion } from "#core/screening.ts";
import { parseAddress } from "./address.ts";
import { type Answer, compose, type Sources, unreadable } from "./compose.ts";
import { type Database, openDatabase } from "./database.ts";
import { ALWAYS, holds } from "./dated.ts";
import { Generations } from "./generations.ts";
import { type Network, type Networks, readNetworks } from "./networks.ts";
import { readTiers, type Tiers } from "./tiers.ts";

/** What the origin is told about; every path absolute. */
export interface OriginOptions {
  /** A country or city MMDB of the operator's. Absent: the bundled one. */
  country?: string | undefined;
  /** A JSON table of networks that goes before the bundled one. */
  networks?: string | undefined;
  /** A JSON table of sanction tiers in place of the bundled one. */
  tiers?: string | undefined;
  /** Addresses kept in memory at most, about 600 bytes each. */
  cacheBound?: number;
}

/** One source in use, as the console, `assay check` and the documentation show it. */
export interface Notice {
  name: string;
  /** File, or package and file. */
  source: string;
  /** RFC 3339; for tables the day of their version, "" when the version is not a day. */
  builtAt: string;
  /** NaN when the day is not known. */
  ageDays: number;
  attribution: string;
}

/** What a place or network is under, for screening. */
export interface PlaceAnswer {
  tier: Tier;
  place: string;
  source: string;
  note: string;
}

/** Countries, networks and tiers of addresses. */
export interface OriginService {
  /** Never throws. The same address gives the same object while it is cached and nothing about it changes. */
  lookUp: LookUpOrigin;
  /** The tier of an ISO 3166-1 or 3166-2 code such as KP or UA-43. */
  place(code: string, atMs: number): PlaceAnswer;
  /** Rows of the tables that name an autonomous system and hold at the instant. */
  system(asn: number, atMs: number): readonly Network[];
  /** The tables in use, as screenings record them, tiers last; the same array until one of them changes. */
  versions(): readonly ListVersion[];
  notices(nowMs: number): Notice[];
}

/** 2 × 65,536 addresses, about 80 MB when full. */
const CACHE_BOUND = 131_072;
/** Confidence in a country: an operator's database, and the bundled one whose README warns of wrong entries. */
const OWN_CONFIDENCE = 0.8;
const BUNDLED_CONFIDENCE = 0.6;

const BUNDLED_PACKAGE = "@ip-location-db/geo-whois-asn-country-mmdb";
const BUNDLED_ATTRIBUTION =
  "geo-whois-asn-country by ip-location-db (CC0 by its package, CC BY 4.0 by its README); whois data by the NRO";

/** Where the bundled country database lies. */
export function bundledDatabase(): string {
  const manifest = createRequire(import.meta.url).resolve(`${BUNDLED_PACKAGE}/package.json`);
  return join(dirname(manifest), "geo-whois-asn-country.mmdb");
}

/** Opens the databases and tables. Rejects, naming the file and every mistake, when one does not hold. */
export async function createOrigin(options: OriginOptions = {}): Promise<OriginService> {
  const own = options.country !== undefined;
  const database = options.country
    ? await openDatabase(options.country)
    : await openDatabase(bundledDatabase(), "geo-whois-asn-country");
  const bundled = await readBundled("networks.json", readNetworks);
  const networks = options.networks ? [await readOwn(options.networks, readNetworks), bundled] : [bundled];
  const tiers = options.tiers
    ? await readOwn(options.tiers, readTiers)
    : await readBundled("tiers.json", readTiers);
  const sources: Sources = {
    tables: networks,
    databases: [{ ...database, confidence: own ? OWN_CONFIDENCE : BUNDLED_CONFIDENCE }],
    tiers,
  };
  const versions = [...networks, tiers].map(({ name, version }) => ({ name, version }));
  return {
    lookUp: cached(sources, options.cacheBound ?? CACHE_BOUND),
    place(code, atMs) {
      const [country = ""] = code.split("-", 1);
      return tiers.of(country, code === country ? "" : code, atMs);
    },
    system: (asn, atMs) =>
      networks.flatMap((table) => table.naming(asn)).filter((network) => holds(network, atMs)),
    versions: () => versions,
    notices: (nowMs) => [
      databaseNotice(database, own, nowMs),
      ...[...networks, tiers].map((table) => tableNotice(table, nowMs)),
    ],
  };
}

/**
 * Keeps answers with the stretch of time over which they hold. The hot path, once per share: one Map look-up and two
 * comparisons (bench/origin.ts).
 */
function cached(sources: Sources, bound: number): LookUpOrigin {
  const answers = new Generations<string, Answer>(bound);
  return function lookUp(ip: string, atMs: number): Origin {
    const known = answers.get(ip);
    if (known !== undefined && known.fromMs <= atMs && atMs < known.untilMs) return known.origin;
    const address = parseAddress(ip);
    if (address === null) {
      const origin = unreadable(ip);
      // A name of any length must not stay in memory.
      if (ip.length <= 64) answers.set(ip, { origin, ...ALWAYS });
      return origin;
    }
    const answer = compose(sources, address, atMs);
    const canonical = answer.origin.ip;
    if (canonical === ip) {
      answers.set(ip, answer);
      return answer.origin;
    }
    // Other spellings, and IPv4-mapped ones, share the canonical spelling's object.
    const shared = lookUp(canonical, atMs);
    answers.set(ip, { ...answer, origin: shared });
    return shared;
  };
}

async function readOwn<T>(file: string, read: (file: string, text: string) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`, {
      cause,
    });
  }
  return read(file, text);
}

function readBundled<T>(name: string, read: (file: string, text: string) => T): Promise<T> {
  return readOwn(fileURLToPath(new URL(`data/${name}`, import.meta.url)), read);
}

const DAY_MS = 86_400_000;

function databaseNotice(database: Database, own: boolean, nowMs: number): Notice {
  return {
    name: database.source,
    source: own ? database.file : `bundled: ${BUNDLED_PACKAGE}`,
    builtAt: new Date(database.builtAtMs).toISOString(),
    ageDays: Math.floor((nowMs - database.builtAtMs) / DAY_MS),
    attribution: own ? "" : BUNDLED_ATTRIBUTION,
  };
}

function tableNotice({ name, version }: Networks | Tiers, nowMs: number): Notice {
  const builtAtMs = Date.parse(version);
  const dated = Number.isFinite(builtAtMs);
  return {
    name: `${name} ${version}`,
    source: name,
    builtAt: dated ? new Date(builtAtMs).toISOString() : "",
    ageDays: dated ? Math.floor((nowMs - builtAtMs) / DAY_MS) : Number.NaN,
    attribution: "",
  };
}
