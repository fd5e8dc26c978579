import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Flag } from "#core/flag.ts";
import { severityRank } from "#core/merge.ts";
import type { FlagQuery } from "#core/store.ts";

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 1_000;

/** One page of flags, the place after it (null: the last page), and how many match in all. */
export interface FlagPage {
  flags: Flag[];
  next: string | null;
  total: number;
}

/** Pages by key, so that a flag raised meanwhile neither repeats nor hides another. Throws when `after` is none of ours. */
export function queryFlags(db: DatabaseSync, query: FlagQuery): FlagPage {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const filter = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  filter("state = ?", query.state);
  filter("kind = ?", query.kind);
  filter("severity = ?", query.severity && severityRank(query.severity));
  // The plus keeps SQLite from indexes that hold no more than this one column: they would read every row they name.
  filter("+pool = ?", query.pool);
  filter("instr(lower(account), lower(?)) > 0", query.text || undefined);
  filter("+id IN (SELECT flag_id FROM flag_typologies WHERE typology = ?)", query.typology);
  const where = (all: string[]) => (all.length > 0 ? `WHERE ${all.join(" AND ")}` : "");
  const total = Number(
    db.prepare(`SELECT count(*) AS total FROM flags ${where(conditions)}`).get(...values)?.total,
  );

  const key = query.order === "score" ? "score" : "updated_ms";
  if (query.after !== undefined) {
    conditions.push(`(${key}, id) < (?, ?)`);
    values.push(...decodePlace(query.after));
  }
  const limit = Math.min(Math.max(1, Math.floor(query.limit ?? DEFAULT_PAGE)), LARGEST_PAGE);
  const rows = db
    .prepare(
      `SELECT body, id, ${key} AS key FROM flags ${where(conditions)} ORDER BY ${key} DESC, id DESC LIMIT ?`,
    )
    .all(...values, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    flags: page.map((row) => JSON.parse(String(row.body)) as Flag),
    next: rows.length > limit && last ? encodePlace(Number(last.key), String(last.id)) : null,
    total,
  };
}

const encodePlace = (key: number, id: string): string =>
  Buffer.from(JSON.stringify([key, id])).toString("base64url");

function decodePlace(after: string): [number, string] {
  try {
    const [key, id] = JSON.parse(Buffer.from(after, "base64url").toString()) as unknown[];
    if (typeof key === "number" && typeof id === "string") return [key, id];
  } catch {
    // Not even JSON: the same mistake of the caller's.
  }
  throw new Error("not a place to go on from: after");
}
