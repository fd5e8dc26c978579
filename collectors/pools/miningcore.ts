import type { Batch, Collector } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { connect, type Database, type Row } from "./miningcore-database.ts";
import { poll, type Sleep } from "./poll.ts";
import { type PoolContext, toShare } from "./share.ts";

/** How Miningcore's `shares` table is followed. Times in milliseconds. */
export interface MiningcoreOptions {
  name: string;
  /** PostgreSQL connection string of a role that may SELECT from `shares`. */
  url: string;
  /** Miningcore's own id of the pool (column `poolid`). */
  poolId: string;
  /** Name the pool's accounts are kept under. */
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  /** How long after its date a share may still be committed: a busy or remote relay writes late. */
  lookbackMs?: number;
  sleep?: Sleep;
}

/** Rows read at once, and so the size of a batch. */
const PAGE = 4096;

/**
 * A place in the table. All rows visible in the snapshot `before` were handed over; of those that `now` sees besides,
 * the ones up to `after`, in order of date and row address, were too; `newestMs` is the newest date among those. `lowMs` is
 * the newest date met before: nothing dated more than the lookback before it is looked at again.
 */
interface Place {
  before: string | null;
  now: string | null;
  after: [created: string, ctid: string] | null;
  newestMs: number | null;
  lowMs: number | null;
}

/**
 * Follows the shares Miningcore writes. The table has neither key nor serial, several shares carry the same date, and
 * rows are committed out of the order of their dates; so the cursor is PostgreSQL's own: a transaction snapshot. A row is
 * new when the snapshot before did not see the transaction that wrote it (`txid_visible_in_snapshot`), which neither
 * loses nor doubles a row whatever its date. Only rows dated within `lookbackMs` are asked for, by the table's index.
 * Throws with its name when the database cannot be reached or read.
 */
export function createMiningcore(options: MiningcoreOptions): Collector {
  const { name, url, poolId, pollMs, now, lookbackMs = 120_000, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    let place: Place = cursor === undefined ? { ...START } : (JSON.parse(cursor) as Place);
    let database: Database | undefined;
    try {
      yield* poll({ name, pollMs, signal, sleep }, async function* round() {
        database ??= await connect(url, signal);
        const seen = place.now ?? (await database.snapshot());
        place = { ...place, now: seen };
        let handedOver = false;
        for (let last = false; !last; ) {
          const { rows, after } = await database.page({
            ...place,
            now: seen,
            poolId,
            lookbackMs,
            limit: PAGE,
          });
          last = after === null;
          const context = { pool: options.pool, algorithm: options.algorithm, nowMs: now() };
          const newestMs = newest(rows, place.newestMs, context.nowMs);
          const lowMs = Math.max(place.lowMs ?? 0, newestMs ?? 0) || null;
          place = last ? { ...START, before: seen, lowMs } : { ...place, after, newestMs };
          if (rows.length > 0 || (last && handedOver)) {
            yield { ...decode(rows, context), cursor: JSON.stringify(place) };
          }
          handedOver ||= rows.length > 0;
        }
      });
    } finally {
      await database?.close();
    }
  }

  return { name, collect };
}

const START: Readonly<Place> = { before: null, now: null, after: null, newestMs: null, lowMs: null };

/** The newest date; one in the future must not push away what comes in the present. */
function newest(rows: readonly Row[], before: number | null, nowMs: number): number | null {
  let found = before;
  for (const [atMs] of rows) if (atMs <= nowMs && atMs > (found ?? 0)) found = atMs;
  return found;
}

function decode(rows: readonly Row[], context: PoolContext): Batch {
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  for (const [atMs, created, ctid, difficulty, account, worker, agent, ip] of rows) {
    // Miningcore stores only shares it accepted, their difficulty divided by the algorithm's multiplier already.
    const fields = {
      atMs: Math.floor(atMs),
      account,
      worker,
      agent,
      ip,
      difficulty,
      outcome: "accepted",
    } as const;
    const share = toShare(context, fields);
    if (typeof share === "string") refuse(refusals, share, `shares ${created} ${ctid}`);
    else observations.push(share);
  }
  return { observations, refusals };
}

/** Looks at the live database. Resolves to what was found, rejects with what is wrong. */
export async function checkMiningcore(
  options: Pick<MiningcoreOptions, "url" | "poolId">,
  signal: AbortSignal,
): Promise<string> {
  const database = await connect(options.url, signal);
  try {
    return await database.describe(options.poolId);
  } finally {
    await database.close();
  }
}
