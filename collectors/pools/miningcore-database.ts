import { Socket } from "node:net";
import pg from "pg";

/** Which rows are wanted: those that snapshot `now` sees and `before` did not, behind `after`, dated within the lookback. */
interface PageQuery {
  poolId: string;
  before: string | null;
  now: string;
  after: [created: string, ctid: string] | null;
  lowMs: number | null;
  lookbackMs: number;
  limit: number;
}

/** One row: date in milliseconds, date as text, row address, then the share. */
export type Row = [
  atMs: number,
  created: string,
  ctid: string,
  difficulty: number,
  miner: string,
  worker: string | null,
  agent: string | null,
  ip: string | null,
];

/** A connection that only reads. */
export interface Database {
  /** The transactions finished by now, as PostgreSQL writes it: "xmin:xmax:running,…". */
  snapshot(): Promise<string>;
  /** The next rows in order of date and row address, and where to go on; null when all were looked at. */
  page(query: PageQuery): Promise<{ rows: Row[]; after: [created: string, ctid: string] | null }>;
  /** What stands in the table, in a sentence; throws when it is not Miningcore's. */
  describe(poolId: string): Promise<string>;
  close(): Promise<void>;
}

const WANTED = ["poolid", "difficulty", "miner", "worker", "useragent", "ipaddress", "created"];

/** Connects and looks at the table's shape. When `signal` aborts, the connection is cut and what runs rejects. */
export async function connect(url: string, signal: AbortSignal): Promise<Database> {
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: url,
    stream: () => socket,
    application_name: "assay",
    connectionTimeoutMillis: 10_000,
    statement_timeout: 60_000,
  });
  // The failure of a connection reaches whoever waits for its query; the event alone would end the process.
  client.on("error", () => undefined);
  const cut = () => socket.destroy();
  signal.addEventListener("abort", cut);
  const close = async () => {
    signal.removeEventListener("abort", cut);
    if (socket.destroyed) return;
    await client.end();
  };
  const query = async (text: string, values: unknown[] = []): Promise<unknown[][]> =>
    (await client.query({ text, values, rowMode: "array" })).rows;
  try {
    await client.connect();
    await query("SET default_transaction_read_only = on");
    await query("SET TimeZone = 'UTC'");
    await query("SET DateStyle = 'ISO'");
    const columns = new Map(
      (await query(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'shares' AND table_schema = ANY (current_schemas(false))",
      )) as [string, string][],
    );
    const missing = WANTED.filter((column) => !columns.has(column));
    if (missing.length > 0) throw new Error(`table shares has no column ${missing.join(", ")}`);
    // Older versions keep UTC in a column without a zone, newer ones a zone with it.
    const type = columns.get("created") === "timestamp with time zone" ? "timestamptz" : "timestamp";
    return {
      snapshot: async () => String((await query("SELECT txid_current_snapshot()::text"))[0]![0]),
      page: async (wanted) => {
        const { poolId, now, before, after, lowMs, lookbackMs, limit } = wanted;
        const low = lowMs === null ? "-infinity" : new Date(lowMs - lookbackMs).toISOString();
        const from = after?.[0] ?? low;
        const isDone = after?.[1] === LAST_ADDRESS;
        const [edge] = await query(edgeSql(type, isDone ? ">" : ">="), [poolId, from, WINDOW]);
        const upTo = edge === undefined ? "infinity" : String(edge[0]);
        const values = [poolId, now, before, from, upTo, after?.[0] ?? null, after?.[1] ?? null, limit];
        const rows = (await query(pageSql(type), values)) as Row[];
        const last = rows.at(-1);
        if (rows.length === limit && last) return { rows, after: [last[1], last[2]] };
        return { rows, after: edge === undefined ? null : [upTo, LAST_ADDRESS] };
      },
      describe: async (poolId) => describe(await query(NEWEST, [poolId]), await query(POOLS), poolId),
      close,
    };
  } catch (cause) {
    await close().catch(() => undefined);
    throw cause;
  }
}

/** Rows looked at in one query. Without an edge the planner sorts all that is left for every page of a long backlog. */
const WINDOW = 4096;
const LAST_ADDRESS = "(4294967294,65535)";

/** The date of the row a window further on, by the index alone. (A bare `created` would sort by the text selected as that.) */
function edgeSql(type: string, than: ">" | ">="): string {
  return `SELECT created::text FROM shares WHERE poolid = $1 AND created ${than} $2::text::${type} ORDER BY shares.created OFFSET $3 LIMIT 1`;
}

/**
 * A row's `xmin` has 32 bits; the snapshot's own numbers have 64. A row the snapshot sees was written before its xmax, so
 * the missing high half is that of xmax, or one less where the low half would lie beyond it.
 */
function pageSql(type: string): string {
  return `
    WITH bound AS (SELECT txid_snapshot_xmax($2::txid_snapshot) AS xmax),
    base AS (SELECT xmax, xmax - xmax % 4294967296 AS epoch FROM bound)
    SELECT (extract(epoch FROM created) * 1000)::float8, created::text, shares.ctid::text, difficulty::float8, miner, worker, useragent, ipaddress
    FROM shares, base,
      LATERAL (SELECT epoch + shares.xmin::text::bigint AS low) AS guess,
      LATERAL (SELECT CASE WHEN low > base.xmax THEN low - 4294967296 ELSE low END AS txid) AS writer
    WHERE poolid = $1
      AND created >= $4::text::${type} AND created <= $5::text::${type}
      AND ($6::text IS NULL OR (created, shares.ctid) > ($6::text::${type}, $7::text::tid))
      AND txid_visible_in_snapshot(writer.txid, $2::txid_snapshot)
      AND ($3::text IS NULL OR NOT txid_visible_in_snapshot(writer.txid, $3::text::txid_snapshot))
    ORDER BY shares.created, shares.ctid
    LIMIT $8`;
}

const NEWEST = "SELECT created::text FROM shares WHERE poolid = $1 ORDER BY created DESC LIMIT 1";
const POOLS =
  "SELECT DISTINCT poolid FROM (SELECT poolid FROM shares LIMIT 100000) AS recent ORDER BY 1 LIMIT 20";

function describe(newest: unknown[][], pools: unknown[][], poolId: string): string {
  if (newest.length > 0) return `table shares, newest share of ${poolId} at ${newest[0]![0]} UTC`;
  const known = pools.map(([pool]) => pool).join(", ");
  if (known === "") return "table shares is empty";
  throw new Error(`table shares holds no pool ${poolId}, but ${known}`);
}
