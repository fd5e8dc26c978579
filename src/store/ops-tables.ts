import type { DatabaseSync } from "node:sqlite";
import type { Flag } from "#core/flag.ts";
import { instantMs, severityRank, type Told } from "#core/merge.ts";
import type { FlagEvidence } from "#core/store.ts";

/** A flag with what the store knows beside it. */
export interface FlagRow {
  flag: Flag;
  /** Event time of the newest window the flag was raised for; a verdict does not move it. */
  seenMs: number;
  told: Told;
  /** Messages told so far: part of the next message's id. */
  revision: number;
}

/**
 * The table of flags: the public JSON in whole, and beside it the columns that filters and order need. The orders' indexes
 * hold the filters' columns too, so that a row of some kilobytes is read only where it matches and is shown: the first
 * page of open flags among 100,000 took 85 ms without them, 6 ms with.
 */
export function flagTable(db: DatabaseSync) {
  db.exec(`CREATE TABLE IF NOT EXISTS flags (
      id TEXT PRIMARY KEY, pool TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
      severity INTEGER NOT NULL, score REAL NOT NULL, updated_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
      revision INTEGER NOT NULL, told TEXT NOT NULL, body TEXT NOT NULL, evidence TEXT NOT NULL) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS flags_open ON flags (pool, account, kind) WHERE state <> 'closed';
    CREATE INDEX IF NOT EXISTS flags_account ON flags (pool, account, kind);
    DROP INDEX IF EXISTS flags_updated;
    DROP INDEX IF EXISTS flags_score;
    CREATE INDEX IF NOT EXISTS flags_by_updated ON flags (updated_ms, id, state, severity, kind, pool, account);
    CREATE INDEX IF NOT EXISTS flags_by_score ON flags (score, id, state, severity, kind, pool, account);
    CREATE TABLE IF NOT EXISTS flag_typologies (
      typology TEXT NOT NULL, flag_id TEXT NOT NULL, PRIMARY KEY (typology, flag_id)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS flag_typologies_flag ON flag_typologies (flag_id)`);
  const columns = "body, seen_ms, told, revision";
  const byId = db.prepare(`SELECT ${columns} FROM flags WHERE id = ?`);
  const open = db.prepare(
    `SELECT ${columns} FROM flags WHERE pool = ? AND account = ? AND kind = ? AND state <> 'closed'`,
  );
  const covered = db.prepare(
    "SELECT max(seen_ms) AS seen FROM flags WHERE pool = ? AND account = ? AND kind = ?",
  );
  // Verdicts stand in a table of their own, which is opened with the flags' life.
  const answered = () =>
    db.prepare(`SELECT ${columns} FROM flags AS f WHERE pool = ? AND account = ? AND kind = 'anomaly' AND state = 'closed'
      AND 'false-positive' = (SELECT outcome FROM verdicts WHERE flag_id = f.id ORDER BY id DESC LIMIT 1)
      ORDER BY updated_ms DESC LIMIT 1`);
  let findAnswered: ReturnType<typeof answered> | undefined;
  const put =
    db.prepare(`INSERT INTO flags (id, pool, account, kind, state, severity, score, updated_ms, seen_ms,
      revision, told, body, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, score = excluded.score,
      updated_ms = excluded.updated_ms, seen_ms = excluded.seen_ms, revision = excluded.revision,
      told = excluded.told, body = excluded.body, evidence = coalesce(nullif(excluded.evidence, ''), evidence)`);
  const evidence = db.prepare("SELECT evidence FROM flags WHERE id = ?");
  const dropTypologies = db.prepare("DELETE FROM flag_typologies WHERE flag_id = ?");
  const addTypology = db.prepare("INSERT OR IGNORE INTO flag_typologies (typology, flag_id) VALUES (?, ?)");

  return {
    find: (id: string): FlagRow | null => read(byId.get(id)),
    /** The flag of this account and kind that is not closed; there is at most one. */
    findOpen: ({ pool, account, kind }: Flag): FlagRow | null => read(open.get(pool, account, kind)),
    /** The anomaly flag of this account that was last called a false positive; null for screening hits. */
    findAnswered({ pool, account, kind }: Flag): FlagRow | null {
      if (kind !== "anomaly") return null;
      findAnswered ??= answered();
      return read(findAnswered.get(pool, account));
    },
    /** The newest event time any flag of this account and kind has covered. */
    seenMs({ pool, account, kind }: Flag): number {
      const seen = covered.get(pool, account, kind)?.seen;
      return typeof seen === "number" ? seen : Number.NEGATIVE_INFINITY;
    },
    /** Keeps a flag; without evidence, what it has stays. */
    put({ flag, seenMs, told, revision }: FlagRow, with_?: FlagEvidence): void {
      const { id, pool, account, kind, state, score } = flag;
      put.run(
        ...[id, pool, account, kind, state, severityRank(flag.severity), score, instantMs(flag.updatedAt)],
        ...[seenMs, revision, JSON.stringify(told), JSON.stringify(flag), with_ ? JSON.stringify(with_) : ""],
      );
      dropTypologies.run(id);
      for (const { name } of flag.typologies) addTypology.run(name, id);
    },
    evidence: (id: string): FlagEvidence => JSON.parse(String(evidence.get(id)?.evidence)) as FlagEvidence,
  };
}

/** The table of flags, opened. */
export type FlagTable = ReturnType<typeof flagTable>;

function read(row: Record<string, unknown> | undefined): FlagRow | null {
  if (!row) return null;
  return {
    flag: JSON.parse(String(row.body)) as Flag,
    seenMs: Number(row.seen_ms),
    told: JSON.parse(String(row.told)) as Told,
    revision: Number(row.revision),
  };
}
