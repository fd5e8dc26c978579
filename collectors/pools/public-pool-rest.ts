import { z } from "zod";
import type { Batch, Collector } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { dictionary } from "./dictionary.ts";
import { getJson, under } from "./get-json.ts";
import { poll, type Sleep } from "./poll.ts";
import { toShare } from "./share.ts";

/** How the HTTP interface of somebody's public-pool is asked about some addresses. Times in milliseconds. */
export interface PublicPoolRestOptions {
  name: string;
  /** Address of the pool's interface, such as https://public-pool.io:40557. */
  url: string;
  /** Payout addresses to ask for; the interface lists none. */
  addresses: readonly string[];
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  sleep?: Sleep;
}

/** The charts' step, and what public-pool multiplies a difficulty by (hashes of a share of difficulty 1). */
const SLOT_MS = 600_000;
const HASHES = 2 ** 32;
/** Slots remembered of each worker: a slot still grows while its session sends nothing newer. */
const SLOTS = 12;
/** Workers asked for of one address. */
const MAX_WORKERS = 1000;

const client = z.object({ workers: z.array(z.object({ name: z.string() })) });
const worker = z.object({
  chartData: z.array(z.object({ label: z.iso.datetime(), data: z.number().min(0) })),
});

/** By address, worker and slot: the hashrate already counted. */
type Place = Record<string, Record<string, Record<string, number>>>;

function readPlace(cursor: string): Place {
  const place = dictionary(JSON.parse(cursor) as Place);
  for (const [address, workers] of Object.entries(place)) place[address] = dictionary(workers);
  return place;
}

/**
 * Follows chosen addresses by public-pool's charts: the hashrate of each worker in each finished ten minutes, taken back
 * to the difficulty it was made of. How many shares that was is not told, so each is one. Throws with its name when the pool does not answer.
 */
export function createPublicPoolRest(options: PublicPoolRestOptions): Collector {
  const { name, url, addresses, pollMs, now, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    const place: Place = cursor === undefined ? dictionary() : readPlace(cursor);
    yield* poll({ name, pollMs, signal, sleep }, async function* round() {
      for (const address of addresses) {
        const batch = await askAddress(address);
        yield { ...batch, cursor: JSON.stringify(place) };
      }
    });

    async function askAddress(address: string): Promise<Batch> {
      const path = `/api/client/${encodeURIComponent(address)}`;
      const { workers } = client.parse(await getJson(under(url, path), { signal }));
      const observations: Observation[] = [];
      const refusals: Refusal[] = [];
      place[address] ??= dictionary();
      const names = [...new Set(workers.map((one) => one.name))];
      if (names.length > MAX_WORKERS) {
        refuse(refusals, `more than ${MAX_WORKERS} workers`, path, names.length - MAX_WORKERS);
      }
      for (const workerName of names.slice(0, MAX_WORKERS)) {
        const { chartData } = worker.parse(
          await getJson(under(url, `${path}/${encodeURIComponent(workerName)}`), { signal }),
        );
        place[address][workerName] ??= dictionary();
        const counted = place[address][workerName];
        const context = { pool: options.pool, algorithm: options.algorithm, nowMs: now() };
        const oldest = Object.keys(counted).sort()[0] ?? "";
        for (const { label, data } of chartData) {
          const gained = data - (counted[label] ?? 0);
          // What is older than the oldest slot remembered was counted long ago.
          if (gained <= 0 || label < oldest) continue;
          const difficulty = (gained * SLOT_MS) / 1000 / HASHES;
          const fields = {
            atMs: Date.parse(label) + SLOT_MS / 2,
            account: address,
            worker: workerName,
            difficulty,
          };
          const share = toShare(context, { ...fields, outcome: "accepted" });
          if (typeof share === "string") refuse(refusals, share, `${path} ${label}`);
          else observations.push(share);
          counted[label] = data;
        }
        for (const label of Object.keys(counted).sort().slice(0, -SLOTS)) delete counted[label];
      }
      return { observations, refusals };
    }
  }

  return { name, collect };
}

/** Looks at the live pool. Resolves to what was found, rejects with what is wrong. */
export async function checkPublicPoolRest(
  { url, addresses }: Pick<PublicPoolRestOptions, "url" | "addresses">,
  signal: AbortSignal,
): Promise<string> {
  const found: string[] = [];
  for (const address of addresses) {
    const answer = await getJson(under(url, `/api/client/${encodeURIComponent(address)}`), { signal });
    const read = client.safeParse(answer);
    if (!read.success) throw new Error(`${url}: not public-pool's answer`);
    found.push(`${address}: ${read.data.workers.length} workers`);
  }
  return `public-pool, ${found.join(", ")}`;
}
