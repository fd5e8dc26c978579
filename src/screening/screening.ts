import { fileURLToPath } from "node:url";
import type { LookUpOrigin, Origin, Tier } from "#core/origin.ts";
import type { ListVersion, Match, Screen, Screening, Subject } from "#core/screening.ts";
import { looksLikeAddress } from "./keys.ts";
import { createMatcher, joined, type Matcher } from "./matcher.ts";
import { type ListFile, readListFile } from "./read-file.ts";
import type { WatchList } from "./watch-list.ts";

/** What screening needs to know of places: `createOrigin` gives all of it. */
interface Places {
  lookUp: LookUpOrigin;
  place(code: string, atMs: number): { tier: Tier; place: string; source: string; note: string };
  system(asn: number, atMs: number): readonly PlaceOfNetwork[];
  versions(): readonly ListVersion[];
}

/** A network's place, as a table of networks has it. */
interface PlaceOfNetwork {
  country: string;
  region: string;
  holder: string;
  source: string;
}

/** What `createScreening` is told. */
export interface ScreeningOptions {
  /** Those with a file are read at once; those that are fetched come with `replace`. */
  lists: readonly (Omit<ListFile, "file"> & { file?: string | undefined })[];
  places: Places;
  /** Likeness of spelling from which a name is a match, 0..1; 0.9 unless said. Addresses always match exactly. */
  nameThreshold?: number;
}

/** A list in use, as the console and `assay lists status` show it. */
interface ListStatus {
  name: string;
  version: string;
  source: string;
  publishedAt: string;
  hash: string;
  entries: number;
  /** Addresses that look like none of a known coin: kept and matched all the same. */
  oddities: number;
}

/** Screening against the lists of the moment. */
export interface ScreeningService {
  screen: Screen;
  lists(): ListStatus[];
  /** Puts lists in place of those of the same name, or beside the others; from then on `screen` uses them. */
  replace(changed: readonly WatchList[]): void;
}

const NOTHING: readonly Match[] = Object.freeze([]);

/** Reads the bundled facts and the operator's lists. Rejects, naming the file, when one cannot be read. */
export async function createScreening(options: ScreeningOptions): Promise<ScreeningService> {
  const lists = new Map<string, WatchList>();
  const files = options.lists.flatMap(({ file, ...list }) => (file === undefined ? [] : [{ ...list, file }]));
  for (const list of await Promise.all([FACTS, ...files].map(readListFile))) lists.set(list.name, list);
  const { places, nameThreshold = 0.9 } = options;
  let current = screenBy(createMatcher([...lists.values()], nameThreshold), places);
  return {
    screen: (subject, value, atMs) => current(subject, value, atMs),
    lists: () => [...lists.values()].map(statusOf),
    replace(changed) {
      for (const list of changed) lists.set(list.name, list);
      current = screenBy(createMatcher([...lists.values()], nameThreshold), places);
    },
  };
}

/** Screens by one state of the lists. */
function screenBy(matcher: Matcher, places: Places): Screen {
  const versions = matcher.versions;
  let tables = places.versions();
  let placed = [...tables, ...versions];
  return (subject: Subject, value: string, atMs: number): Screening => {
    if (subject === "address" || subject === "name")
      return { subject, value, atMs, lists: versions, matches: matcher.find(subject, value) };
    // Tables that were read again are recorded under their new version.
    if (tables !== places.versions()) {
      tables = places.versions();
      placed = [...tables, ...versions];
    }
    if (subject === "region") {
      const matches = joined(region(places, value, atMs), matcher.find("region", value));
      return { subject, value, atMs, lists: placed, matches };
    }
    const asn = SYSTEM.exec(value)?.[1];
    if (asn !== undefined) {
      const rows = places.system(Number(asn), atMs);
      const codes = new Set(rows.map(codeOf).filter(isPlace));
      const listed = [...codes].flatMap((code) => matcher.find("region", code));
      const matches = joined(joined(system(places, rows, atMs), matcher.find("network", value)), listed);
      return { subject, value, atMs, lists: placed, matches };
    }
    const origin = places.lookUp(value.trim(), atMs);
    const code = codeOf(origin);
    // A network also meets what the lists have against the place it lies in.
    const listed = isPlace(code) ? matcher.find("region", code) : NOTHING;
    // The origin's spelling, so that an IPv4-mapped address meets lists of IPv4 networks.
    const matches = joined(joined(network(places, origin, atMs), matcher.find("network", origin.ip)), listed);
    return { subject, value, atMs, lists: placed, matches };
  };
}

/** A handful of dated facts, so that a first run shows what a hit looks like. Never a list to rely on. */
const FACTS: ListFile = {
  name: "OFAC facts, not a current list",
  file: fileURLToPath(new URL("data/facts.json", import.meta.url)),
  format: "json",
  source: "bundled facts, each with its own source and date",
};

function statusOf({ name, version, source, publishedAt, hash, entries }: WatchList): ListStatus {
  const oddities = entries.filter(({ subject, value }) => subject === "address" && !looksLikeAddress(value));
  return { name, version, source, publishedAt, hash, entries: entries.length, oddities: oddities.length };
}

/** An AS number, perhaps with AS before it or a space in it. */
const SYSTEM = /^\s*AS\s*(\d{1,10})\s*$/i;

/** The code of the place something lies in: the region's where there is one. */
const codeOf = ({ region, country }: { region: string; country: string }) => region || country;

const isPlace = (code: string) => code !== "" && code !== "ZZ";

/** A place under comprehensive sanctions is a match with the table of tiers. */
function region(places: Places, code: string, atMs: number): readonly Match[] {
  const { tier, place, source, note } = places.place(code.trim().toUpperCase(), atMs);
  return tier === "comprehensive" ? [{ list: tiersOf(places), entry: place, note, source }] : NOTHING;
}

/** An AS number through its rows in the table of networks. */
function system(places: Places, rows: readonly PlaceOfNetwork[], atMs: number): readonly Match[] {
  return rows.flatMap((row) => {
    const found = region(places, codeOf(row), atMs);
    return found.map((match) => ({ ...match, note: [row.holder, match.note].filter(Boolean).join(": ") }));
  });
}

/** An IP address through its origin. */
function network(places: Places, origin: Origin, atMs: number): readonly Match[] {
  if (origin.tier !== "comprehensive") return NOTHING;
  const found = region(places, codeOf(origin), atMs);
  const country = origin.facts.find(({ fact }) => fact === "country")?.source ?? "";
  return found.map((match) => ({ ...match, note: [origin.holder, country].filter(Boolean).join("; ") }));
}

/** The table of tiers is the last of the place tables. */
function tiersOf(places: Places): ListVersion {
  return places.versions().at(-1) ?? { name: "tiers", version: "" };
}
