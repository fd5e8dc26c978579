import { DatabaseSync } from "node:sqlite";
import type { Batch, Collector } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { poll, type Sleep } from "./poll.ts";
import { spread } from "./spread.ts";

/** How public-pool's SQLite database is followed. Times in milliseconds. */
export interface PublicPoolOptions {
  name: string;
  /** The database file, such as DB/public-pool.sqlite. Opened for reading only. */
  file: string;
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  sleep?: Sleep;
}

/** Rows read at once; each stands for a session's shares of ten minutes, some sixty where the pool's vardiff works. */
const PAGE = 50;
/** The pool deletes its statistics after a day; a row older than that changes no more. */
const DAY_MS = 24 * 3_600_000;

/** A row that may still grow: what was counted of it, and when last. */
interface Counted {
  shares: number;
  count: number;
  atMs: number;
}

/** Rows up to `id` were read; of those, the ones in `open` may still grow. */
interface Place {
  id: number;
  open: Record<number, Counted>;
}

interface Row {
  id: number;
  address: string;
  clientName: string;
  sessionId: string;
  time: number;
  shares: number;
  acceptedCount: number;
  createdAt: string;
  updatedAt: string;
  userAgent: string | null;
  isLast: number;
}

/**
 * Follows public-pool's `client_statistics_entity`: the shares of each session in ten minutes, counted up as they come
 * (saved once a minute). A session's row is final once it has a newer one. The agent comes from `client_entity`. Throws with
 * its name when the file cannot be read. Reads are short but block: the database holds a day at most.
 */
export function createPublicPool(options: PublicPoolOptions): Collector {
  const { name, file, pollMs, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    const place: Place = cursor === undefined ? { id: 0, open: {} } : (JSON.parse(cursor) as Place);
    let database: DatabaseSync | undefined;
    try {
      yield* poll({ name, pollMs, signal, sleep }, async function* round() {
        database ??= openReadOnly(file);
        const ids = Object.keys(place.open).map(Number);
        for (let at = 0; at < ids.length; at += PAGE) {
          const batch = take(rowsOf(database, ids.slice(at, at + PAGE)), place, options);
          forgetGone(place, options.now());
          if (batch.observations.length > 0 || batch.refusals!.length > 0) {
            yield { ...batch, cursor: JSON.stringify(place) };
          }
        }
        for (let full = true; full; ) {
          const rows = rowsAfter(database, place.id);
          full = rows.length === PAGE;
          if (rows.length > 0) yield { ...take(rows, place, options), cursor: JSON.stringify(place) };
        }
      });
    } finally {
      database?.close();
    }
  }

  return { name, collect };
}

function openReadOnly(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: 5000 });
}

const ROWS = `
  SELECT s.id, s.address, s.clientName, s.sessionId, s.time, s.shares, s.acceptedCount, s.createdAt, s.updatedAt, c.userAgent,
    NOT EXISTS (
      SELECT 1 FROM client_statistics_entity AS n
      WHERE n.address = s.address AND n.clientName = s.clientName AND n.sessionId = s.sessionId AND n.time > s.time
    ) AS isLast
  FROM client_statistics_entity AS s
  LEFT JOIN client_entity AS c ON c.address = s.address AND c.clientName = s.clientName AND c.sessionId = s.sessionId`;

function rowsOf(database: DatabaseSync, ids: readonly number[]): Row[] {
  const wanted = database.prepare(`${ROWS} WHERE s.id IN (SELECT value FROM json_each(?)) ORDER BY s.id`);
  return wanted.all(JSON.stringify(ids)) as unknown as Row[];
}

function rowsAfter(database: DatabaseSync, id: number): Row[] {
  const wanted = database.prepare(`${ROWS} WHERE s.id > ? ORDER BY s.id LIMIT ?`);
  return wanted.all(id, PAGE) as unknown as Row[];
}

/** What the rows gained since they were last counted. */
function take(rows: readonly Row[], place: Place, options: PublicPoolOptions): Batch {
  const context = { pool: options.pool, algorithm: options.algorithm, nowMs: options.now() };
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  for (const row of rows) {
    const createdMs = readDate(row.createdAt);
    const updatedMs = readDate(row.updatedAt);
    const before = place.open[row.id] ?? { shares: 0, count: 0, atMs: createdMs };
    const gain = {
      account: row.address,
      worker: row.clientName,
      session: row.sessionId,
      agent: row.userAgent,
      outcome: "accepted" as const,
      count: row.acceptedCount - before.count,
      difficulty: row.shares - before.shares,
      fromMs: before.atMs,
      toMs: updatedMs,
    };
    place.id = Math.max(place.id, row.id);
    if (row.isLast === 1)
      place.open[row.id] = { shares: row.shares, count: row.acceptedCount, atMs: updatedMs };
    else delete place.open[row.id];
    if (gain.count <= 0) continue;
    const shares = spread(context, gain);
    if (typeof shares === "string")
      refuse(refusals, shares, `client_statistics_entity ${row.id}`, gain.count);
    else for (const share of shares) observations.push(share);
  }
  return { observations, refusals };
}

function forgetGone(place: Place, nowMs: number): void {
  for (const [id, { atMs }] of Object.entries(place.open)) {
    if (nowMs - atMs > DAY_MS) delete place.open[Number(id)];
  }
}

/** SQLite's and TypeORM's dates are UTC without saying so. */
function readDate(text: string): number {
  return Date.parse(`${text.replace(" ", "T")}Z`);
}

/** Looks at the live database. Resolves to what was found, rejects with what is wrong. */
export async function checkPublicPool({ file }: Pick<PublicPoolOptions, "file">): Promise<string> {
  const database = openReadOnly(file);
  try {
    const newest = database.prepare(`${ROWS} ORDER BY s.id DESC LIMIT 1`).get() as unknown as Row | undefined;
    if (newest === undefined) return "public-pool's database, no shares yet";
    return `public-pool's database, newest shares at ${new Date(readDate(newest.updatedAt)).toISOString()}`;
  } finally {
    database.close();
  }
}
