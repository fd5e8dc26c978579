import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Reader, type Response } from "maxmind";
import { Generations } from "./generations.ts";
import { type RecordFacts, readRecord } from "./record.ts";
import { walkTree } from "./walk.ts";

/** An MMDB that was read whole and found sound. */
export interface Database {
  file: string;
  /** Its own name for what it is, such as "GeoLite2-Country". */
  type: string;
  /** As facts name it: "GeoLite2-Country 2026-11-03". */
  source: string;
  builtAtMs: number;
  /** SHA-256 of the file, hexadecimal. */
  hash: string;
  /** Of its search tree: how large it is. */
  nodes: number;
  /** Facts that at least one of its records has. */
  tells: ReadonlySet<keyof RecordFacts>;
  /** Facts of the record that covers an address; null when none does. `ip` is canonical. */
  find(ip: string): RecordFacts | null;
}

/** Decoded records kept, by their place in the file: a city database has some hundred thousand. */
const RECORDS_KEPT = 65_536;
/** Records read between two turns of the event loop: some ten milliseconds. */
const RECORDS_A_TURN = 5_000;
const METADATA_MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/**
 * Opens an MMDB and reads all of it once: every node of the tree must be reached and every record must decode. The
 * format has no checksum, so damage shows by its structure; what leaves a sound file behind (one country's code in
 * place of another's) cannot be told. `name` replaces the type its metadata give. Throws an Error with the file's name and what is wrong with it.
 */
export async function openDatabase(file: string, name?: string): Promise<Database> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new Error(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`, {
      cause,
    });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new Error(`${file}: is compressed; unpack it first`);
  try {
    return await readDatabase(file, bytes, name);
  } catch (cause) {
    throw new Error(`${file}: not a sound MMDB: ${(cause as Error).message}`, { cause });
  }
}

async function readDatabase(file: string, bytes: Buffer, name?: string): Promise<Database> {
  const dataEnd = bytes.lastIndexOf(METADATA_MARKER);
  if (dataEnd < 0) throw new Error("no metadata; is the file cut short?");
  const reader = new Reader<Response>(bytes, {
    cache: new Generations<string | number, object>(RECORDS_KEPT),
  });
  const { databaseType, buildEpoch, nodeCount, recordSize, ipVersion, searchTreeSize } = reader.metadata;
  if (typeof databaseType !== "string") throw new Error("its metadata name no type");
  if (!Number.isFinite(buildEpoch.getTime())) throw new Error("its metadata give no build time");
  if (ipVersion !== 4 && ipVersion !== 6) throw new Error("its metadata give no IP version");
  const dataBytes = dataEnd - searchTreeSize - 16;
  if (!Number.isSafeInteger(nodeCount) || nodeCount < 1 || dataBytes < 0)
    throw new Error("the tree its metadata describe does not fit into the file");
  const tells = new Set<keyof RecordFacts>();
  let read = 0;
  for (const address of (await walkTree({ bytes, nodeCount, recordSize, ipVersion, dataBytes })).values()) {
    const record: unknown = reader.get(address);
    if (record === null || typeof record !== "object")
      throw new Error(`the record of ${address} is not a map`);
    for (const [fact, value] of Object.entries(readRecord(record)))
      if (value) tells.add(fact as keyof RecordFacts);
    read += 1;
    // A city database has millions of records, and others must run meanwhile.
    if (read % RECORDS_A_TURN === 0) await new Promise(setImmediate);
  }
  const facts = new WeakMap<object, RecordFacts>();
  return {
    file,
    type: name ?? databaseType,
    source: `${name ?? databaseType} ${buildEpoch.toISOString().slice(0, 10)}`,
    builtAtMs: buildEpoch.getTime(),
    hash: createHash("sha256").update(bytes).digest("hex"),
    nodes: nodeCount,
    tells,
    find(ip) {
      // In a tree of IPv4 addresses the first bits of an IPv6 one would lead somewhere.
      if (ipVersion === 4 && ip.includes(":")) return null;
      const record = reader.get(ip);
      if (record === null || typeof record !== "object") return null;
      let found = facts.get(record);
      if (found === undefined) {
        found = readRecord(record);
        facts.set(record, found);
      }
      return found;
    },
  };
}
