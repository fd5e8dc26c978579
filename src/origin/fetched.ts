import { open, readFile, rename, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type Database, openDatabase } from "./database.ts";
import type { RecordFacts } from "./record.ts";
import { unpackDatabase } from "./unpack.ts";

/** What a database is asked for. */
type Role = "country" | "region" | "asn" | "anonymous";

/** A database and where it comes from, as far as it matters here. */
export interface DatabaseSource {
  name: string;
  role: Role;
  maxAgeDays: number;
}

/** A database that was fetched and found sound, as its versions are kept. */
export interface Fetched {
  version: string;
  hash: string;
  publishedAt: string;
  source: string;
  type: string;
  builtAtMs: number;
  nodes: number;
}

/** A version in the history, of one whose content was damaged on disk. */
interface Past {
  publishedAt: string;
  entries: number;
}

/** The fact that a database of each role must have for somebody. */
const FACT: Record<Role, keyof RecordFacts> = {
  country: "country",
  region: "region",
  asn: "asn",
  anonymous: "kind",
};
/**
 * Addresses that every database of the whole world knows: two resolvers, the servers of three registries and one IPv6.
 * Lists of anonymous networks have none of them.
 */
const KNOWN = ["8.8.8.8", "1.1.1.1", "193.0.6.139", "199.212.0.160", "202.12.29.142", "2001:4860:4860::8888"];
/** So many of them may be missing. */
const MISSING = 3;

/**
 * How fetched databases are kept, read and compared: whole and sound (`openDatabase`), with the facts their role asks
 * for, an answer for a few well-known addresses, and no fewer nodes, no other type and no older day than the one in use.
 */
export const databaseKind = {
  unit: "nodes",
  contentsKept: 2,
  suffix: () => "mmdb",

  async unpack(file: string): Promise<void> {
    const database = await unpackDatabase(await promisify(gunzip)(await readFile(file)));
    const unpacked = `${file}.unpacked`;
    try {
      const handle = await open(unpacked, "w");
      try {
        await handle.writeFile(database);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unpacked, file);
    } finally {
      await rm(unpacked, { force: true });
    }
  },

  async read(file: string, { role }: DatabaseSource, from: string): Promise<Fetched> {
    const database = await openDatabase(file);
    const reason = unfit(database, role);
    if (reason !== null) throw new Error(`${file}: ${reason}`);
    const { hash, type, builtAtMs, nodes } = database;
    const publishedAt = new Date(builtAtMs).toISOString().slice(0, 10);
    return {
      version: `${publishedAt} ${hash.slice(0, 12)}`,
      hash,
      publishedAt,
      source: from,
      type,
      builtAtMs,
      nodes,
    };
  },

  sizeOf: ({ nodes }: Fetched) => nodes,

  refusal(before: Fetched | Past, after: Fetched, maxShrinkPercent: number): string | null {
    if ("type" in before && before.type !== after.type)
      return `is a ${after.type}, the one in use a ${before.type}`;
    if (after.publishedAt < before.publishedAt)
      return `is of ${after.publishedAt}, older than the one in use, of ${before.publishedAt}`;
    const had = "nodes" in before ? before.nodes : before.entries;
    if (after.nodes >= had * (1 - maxShrinkPercent / 100)) return null;
    const percent = ((1 - after.nodes / had) * 100).toFixed(1);
    return `has ${after.nodes} nodes where the one in use has ${had}: ${percent} % fewer, more than ${maxShrinkPercent} %`;
  },

  /** By the number of nodes: which networks they are for is not compared. */
  difference(before: Fetched | null, after: Fetched) {
    const more = after.nodes - (before?.nodes ?? 0);
    return { added: Math.max(0, more), removed: Math.max(0, -more), removedValues: [] };
  },
};

/** Why a database cannot be meant for a role, or null. */
function unfit({ type, tells, find }: Database, role: Role): string | null {
  const fact = FACT[role];
  if (!tells.has(fact)) return `is a ${type} and tells no ${fact} of any address`;
  if (role === "anonymous") return null;
  const silent = KNOWN.filter((ip) => !find(ip)?.[role === "asn" ? "asn" : "country"]);
  return silent.length > MISSING ? `says nothing of ${silent.join(", ")}` : null;
}
