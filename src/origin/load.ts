import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Sources } from "./compose.ts";
import { type Database, openDatabase } from "./database.ts";
import { type ListKind, type Networks, noNetworks, readNetworkList, readNetworks } from "./networks.ts";
import { readTiers, type Tiers } from "./tiers.ts";

/** A list of networks that are all used alike: data centres, VPNs, Tor exits. One network or address a line. */
interface NetworkListFile {
  name: string;
  /** A name that ends in `.gz` is decompressed. Absent: the list is fetched, and not known here yet. */
  file?: string | undefined;
  kind: ListKind;
  /** A fetched list may have no file yet: it is empty until it has one. */
  fetched?: boolean | undefined;
}

/** Files origins are read from; every path absolute. */
export interface OriginFiles {
  /** A country or city MMDB of the operator's. Absent: the bundled one. */
  country?: string | undefined;
  /** A city MMDB for regions; where it knows an address it goes before the country one. */
  region?: string | undefined;
  /** An ASN MMDB: network and holder. */
  asn?: string | undefined;
  /** An anonymous-IP, privacy or connection-type MMDB: kind of network. */
  anonymous?: string | undefined;
  /** A JSON table of networks that goes before everything else. */
  networks?: string | undefined;
  /** A JSON table of sanction tiers in place of the bundled one. */
  tiers?: string | undefined;
  lists?: readonly NetworkListFile[] | undefined;
  /** Of the databases above those that are fetched: there may be no file yet, and nothing is asked of them until there is. */
  fetched?: ReadonlySet<string> | undefined;
}

/** One source in use, as the console, `assay check` and the documentation show it. */
export interface Notice {
  name: string;
  /** File, or package. */
  source: string;
  /** RFC 3339; of a table the day of its version, "" when the version is no day. */
  builtAt: string;
  /** NaN when the day is not known. */
  ageDays: number;
  attribution: string;
  /** Lines of a list that were no networks. */
  skipped: number;
}

/** One file: how it is read, and where its content goes. */
export interface Part {
  /** What `watch` looks at; "" for what is part of Assay. */
  file: string;
  load(): Promise<Loaded>;
}

/** What a file holds. */
export type Loaded =
  | { what: "database"; database: Database; confidence: number; attribution: string }
  | { what: "own" | "table"; table: Networks }
  | { what: "nothing"; file: string }
  | { what: "tiers"; table: Tiers };

const BUNDLED_PACKAGE = "@ip-location-db/geo-whois-asn-country-mmdb";
const BUNDLED_ATTRIBUTION =
  "geo-whois-asn-country by ip-location-db (CC0 by its package, CC BY 4.0 by its README); whois data by the NRO";
/** Confidence in a country: an operator's database, and the bundled one whose README warns of wrong entries. */
const OWN_CONFIDENCE = 0.8;
const BUNDLED_CONFIDENCE = 0.6;

/** Where the bundled country database lies. */
export function bundledDatabase(): string {
  const manifest = createRequire(import.meta.url).resolve(`${BUNDLED_PACKAGE}/package.json`);
  return join(dirname(manifest), "geo-whois-asn-country.mmdb");
}

/** Every file in the order in which it is asked: the most specific database first. */
export function partsOf(files: OriginFiles): Part[] {
  const parts: Part[] = [files.region, files.country, files.asn, files.anonymous]
    .filter((file) => file !== undefined)
    .map((file) => ({ file, load: () => loadDatabase(file, files) }));
  if (files.country === undefined) parts.push({ file: "", load: loadBundled });
  if (files.networks)
    parts.push(tablePart(files.networks, (text, file) => ({ what: "own", table: readNetworks(file, text) })));
  parts.push(
    tablePart(dataFile("networks.json"), (text, file) => ({
      what: "table",
      table: readNetworks(file, text),
    })),
  );
  for (const { name, file, kind, fetched } of files.lists ?? []) {
    if (file === undefined) continue;
    const part = tablePart(file, (text) => ({
      what: "table",
      table: readNetworkList(name, file, text, kind),
    }));
    const empty: Loaded = { what: "table", table: noNetworks(name) };
    parts.push(
      fetched ? { file, load: () => (existsSync(file) ? part.load() : Promise.resolve(empty)) } : part,
    );
  }
  parts.push(
    tablePart(files.tiers ?? dataFile("tiers.json"), (text, file) => ({
      what: "tiers",
      table: readTiers(file, text),
    })),
  );
  return parts;
}

/** A fetched country database stands in for the bundled one as soon as it is there. */
async function loadDatabase(file: string, { country, fetched }: OriginFiles): Promise<Loaded> {
  if (fetched?.has(file) && !existsSync(file))
    return file === country ? loadBundled() : { what: "nothing", file };
  const database = await openDatabase(file);
  return { what: "database", database, confidence: OWN_CONFIDENCE, attribution: "" };
}

async function loadBundled(): Promise<Loaded> {
  const database = await openDatabase(bundledDatabase(), "geo-whois-asn-country");
  return { what: "database", database, confidence: BUNDLED_CONFIDENCE, attribution: BUNDLED_ATTRIBUTION };
}

function dataFile(name: string): string {
  return fileURLToPath(new URL(`data/${name}`, import.meta.url));
}

function tablePart(file: string, read: (text: string, file: string) => Loaded): Part {
  return {
    file,
    async load() {
      let bytes: Buffer;
      try {
        bytes = await readFile(file);
        if (file.endsWith(".gz")) bytes = await promisify(gunzip)(bytes);
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        throw new Error(`${file}: cannot be read (${code ?? "unknown"})`, { cause });
      }
      return read(bytes.toString("utf8"), file);
    },
  };
}

/** Sorts what was loaded into what `compose` asks. */
export function sourcesOf(loaded: readonly Loaded[]): Sources {
  const tables = (what: "own" | "table") =>
    loaded.flatMap((part) => (part.what === what ? [part.table as Networks] : []));
  const tiers = loaded.find((part) => part.what === "tiers");
  if (tiers === undefined) throw new Error("no table of tiers was loaded");
  return {
    own: tables("own"),
    tables: tables("table"),
    databases: loaded.flatMap((part) =>
      part.what === "database" ? [{ ...part.database, confidence: part.confidence }] : [],
    ),
    tiers: tiers.table as Tiers,
  };
}

const DAY_MS = 86_400_000;

/** What a part is called, how old it is and whose it is. */
export function noticeOf(part: Loaded, nowMs: number): Notice {
  if (part.what === "database") {
    const { source, file, builtAtMs } = part.database;
    return {
      name: source,
      source: part.attribution === "" ? file : `bundled: ${BUNDLED_PACKAGE}`,
      builtAt: new Date(builtAtMs).toISOString(),
      ageDays: Math.floor((nowMs - builtAtMs) / DAY_MS),
      attribution: part.attribution,
      skipped: 0,
    };
  }
  if (part.what === "nothing")
    return {
      name: "not fetched yet",
      source: part.file,
      ...{ builtAt: "", ageDays: Number.NaN },
      ...{ attribution: "", skipped: 0 },
    };
  const { name, version } = part.table;
  const builtAtMs = /^\d{4}-\d\d-\d\d/.test(version) ? Date.parse(version.slice(0, 10)) : Number.NaN;
  return {
    name: `${name} ${version}`,
    source: name,
    builtAt: Number.isNaN(builtAtMs) ? "" : new Date(builtAtMs).toISOString(),
    ageDays: Math.floor((nowMs - builtAtMs) / DAY_MS),
    attribution: "",
    skipped: part.what === "tiers" ? 0 : (part.table as Networks).skipped,
  };
}
