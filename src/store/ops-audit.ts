import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { AuditEntry } from "#core/store.ts";

/** A line of the audit trail before it has its number. */
export type AuditLine = Omit<AuditEntry, "id">;

/** The chain's hash before its first line. */
const GENESIS = "0".repeat(64);
const VERIFIED_A_CALL = 10_000;
const DEFAULT_PAGE = 100;

/** How far a verification of the chain has come. */
export interface ChainPlace {
  entries: number;
  lastId: number;
  head: string;
  brokenAtId: number | null;
  done: boolean;
}

/** The append-only trail: each line carries the SHA-256 of the line before it and of its own content. */
export function auditTrail(db: DatabaseSync) {
  db.exec(`CREATE TABLE IF NOT EXISTS audit (
      id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, flag_id TEXT,
      before TEXT NOT NULL, after TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS audit_flag ON audit (flag_id);
    CREATE TRIGGER IF NOT EXISTS audit_update BEFORE UPDATE ON audit BEGIN
      SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_delete BEFORE DELETE ON audit BEGIN
      SELECT RAISE(ABORT, 'the audit trail is append-only'); END`);
  const newest = db.prepare("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
  const insert = db.prepare(
    "INSERT INTO audit (id, at_ms, actor, action, flag_id, before, after, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const page = db.prepare("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?");
  const ofFlag = db.prepare("SELECT * FROM audit WHERE flag_id = ? ORDER BY id");

  return {
    append({ atMs, actor, action, flagId, before, after }: AuditLine): void {
      const last = newest.get();
      const id = Number(last?.id ?? 0) + 1;
      const row = [id, atMs, actor, action, flagId, JSON.stringify(before), JSON.stringify(after)] as const;
      insert.run(...row, chain(String(last?.hash ?? GENESIS), row));
    },
    page: (afterId = 0, limit = DEFAULT_PAGE): AuditEntry[] => page.all(afterId, limit).map(entry),
    ofFlag: (flagId: string): AuditEntry[] => ofFlag.all(flagId).map(entry),
    /** Verifies the next lines, so that a long trail does not keep the thread from its other work. */
    verify(from: ChainPlace | null): ChainPlace {
      const place = from ?? { entries: 0, lastId: 0, head: GENESIS, brokenAtId: null, done: false };
      const rows = page.all(place.lastId, VERIFIED_A_CALL);
      for (const row of rows) {
        const { id, at_ms, actor, action, flag_id, before, after } = row;
        place.head = chain(place.head, [id, at_ms, actor, action, flag_id, before, after]);
        // A gap in the numbers is a deleted line, even where its successors were rewritten to fit.
        if (place.head !== row.hash || Number(id) !== place.lastId + 1) {
          return { ...place, brokenAtId: Number(id), done: true };
        }
        place.lastId = Number(id);
        place.entries += 1;
      }
      return { ...place, done: rows.length < VERIFIED_A_CALL };
    },
  };
}

const chain = (previous: string, row: readonly unknown[]): string =>
  createHash("sha256").update(previous).update(JSON.stringify(row)).digest("hex");

function entry(row: Record<string, unknown>): AuditEntry {
  return {
    id: Number(row.id),
    atMs: Number(row.at_ms),
    actor: String(row.actor),
    action: String(row.action),
    flagId: row.flag_id === null ? null : String(row.flag_id),
    before: JSON.parse(String(row.before)),
    after: JSON.parse(String(row.after)),
  };
}
