import type { Job } from "#core/observation.ts";
import { isRecord } from "./message.ts";

/** Says which pool made a job, or null. */
export type IdentifyPool = (job: Pick<Job, "coinbaseTag" | "outputs">) => string | null;

/**
 * Reads a table of pools, in the form of mempool/mining-pools (`pools-v2.json`: an array of `{ name, addresses, tags }`) or of
 * bitcoin-data/mining-pools (`pools.json`: `{ coinbase_tags, payout_addresses }` by text). A payout address tells more
 * than a tag, which anybody can write; of several tags the longest one tells. Throws when the table is neither.
 */
export function readPoolTable(table: unknown): IdentifyPool {
  const byAddress = new Map<string, string>();
  const tags: [tag: string, name: string][] = [];
  if (Array.isArray(table)) {
    for (const pool of table) {
      if (!isRecord(pool) || typeof pool.name !== "string") throw new Error("a pool without a name");
      for (const address of texts(pool.addresses)) byAddress.set(address, pool.name);
      for (const tag of texts(pool.tags)) tags.push([tag, pool.name]);
    }
  } else if (isRecord(table) && (isRecord(table.coinbase_tags) || isRecord(table.payout_addresses))) {
    for (const [address, name] of named(table.payout_addresses)) byAddress.set(address, name);
    tags.push(...named(table.coinbase_tags));
  } else throw new Error("neither an array of pools nor coinbase_tags and payout_addresses");
  tags.sort(([one], [other]) => other.length - one.length);
  return ({ coinbaseTag, outputs }) => {
    const paid = outputs?.find(({ address, value }) => value > 0 && byAddress.has(address));
    if (paid) return byAddress.get(paid.address)!;
    return tags.find(([tag]) => coinbaseTag?.includes(tag))?.[1] ?? null;
  };
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string" && text !== "") : [];
}

function named(value: unknown): [string, string][] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([text, pool]): [string, string][] =>
    text !== "" && isRecord(pool) && typeof pool.name === "string" ? [[text, pool.name]] : [],
  );
}
