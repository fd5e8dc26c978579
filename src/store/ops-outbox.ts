import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { DAY_MS } from "#core/metrics.ts";
import type { Delivery, Disabled } from "#core/store.ts";

const DEFAULT_PAGE = 100;
/** Delivered messages are kept so long for those who ask what was sent. Dead letters stay. */
const DELIVERED_DAYS = 90;

/** The outbox: what must be delivered, and what became of it. */
export function outbox(db: DatabaseSync) {
  db.exec(`CREATE TABLE IF NOT EXISTS outbox (
      id TEXT PRIMARY KEY, destination TEXT NOT NULL, event TEXT NOT NULL, flag_id TEXT, body TEXT NOT NULL,
      state TEXT NOT NULL, attempts INTEGER NOT NULL, created_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL,
      last_error TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS outbox_due ON outbox (destination, next_ms) WHERE state = 'waiting';
    CREATE INDEX IF NOT EXISTS outbox_state ON outbox (state, created_ms);
    CREATE TABLE IF NOT EXISTS disabled (
      destination TEXT PRIMARY KEY, reason TEXT NOT NULL, since_ms INTEGER NOT NULL) STRICT`);
  const insert = db.prepare(`INSERT INTO outbox
    (id, destination, event, flag_id, body, attempts, created_ms, next_ms, state, last_error)
    SELECT ?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, iif(reason IS NULL, 'waiting', 'dead'), reason
    FROM (SELECT (SELECT reason FROM disabled WHERE destination = ?2) AS reason) WHERE true
    ON CONFLICT (id) DO NOTHING`);
  const due = db.prepare(`SELECT * FROM outbox WHERE state = 'waiting' AND next_ms <= ?
    ORDER BY next_ms, created_ms, rowid LIMIT ?`);
  const dueOf = db.prepare(`SELECT * FROM outbox WHERE state = 'waiting' AND next_ms <= ? AND destination = ?
    ORDER BY next_ms, created_ms, rowid LIMIT ?`);
  const next = db.prepare(
    "SELECT min(next_ms) AS next FROM outbox WHERE state = 'waiting' AND destination = ?",
  );
  const settle = db.prepare(`UPDATE outbox SET state = ?1, attempts = ?2, next_ms = ?3, last_error = ?4
    WHERE id = ?5 AND (state = 'waiting' OR ?1 = 'delivered')`);
  const all = db.prepare("SELECT * FROM outbox ORDER BY created_ms DESC, rowid DESC LIMIT ?");
  const inState = db.prepare(
    "SELECT * FROM outbox WHERE state = ? ORDER BY created_ms DESC, rowid DESC LIMIT ?",
  );
  const resend = db.prepare(`UPDATE outbox SET state = 'waiting', attempts = 0, next_ms = ?
    WHERE id = ? AND state = 'dead'`);
  const kill = db.prepare(`UPDATE outbox SET state = 'dead', last_error = ?
    WHERE destination = ? AND state = 'waiting'`);
  const byId = db.prepare("SELECT * FROM outbox WHERE id = ?");
  const disable = db.prepare(`INSERT INTO disabled (destination, reason, since_ms) VALUES (?, ?, ?)
    ON CONFLICT DO NOTHING`);
  const enable = db.prepare("DELETE FROM disabled WHERE destination = ?");
  const disabled = db.prepare("SELECT * FROM disabled ORDER BY destination");
  const forget = db.prepare("DELETE FROM outbox WHERE state = 'delivered' AND created_ms < ?");

  return {
    add(message: Pick<Delivery, "id" | "destination" | "event" | "flagId" | "body" | "createdMs">): void {
      const { id, destination, event, flagId, body, createdMs } = message;
      insert.run(id, destination, event, flagId, body, createdMs);
    },
    due: (nowMs: number, limit: number, destination?: string): Delivery[] =>
      (destination === undefined ? due.all(nowMs, limit) : dueOf.all(nowMs, destination, limit)).map(
        delivery,
      ),
    nextDueMs(destination: string): number | null {
      const found = next.get(destination)?.next;
      return typeof found === "number" ? found : null;
    },
    settle(id: string, outcome: Pick<Delivery, "state" | "attempts" | "nextMs" | "lastError">): void {
      settle.run(outcome.state, outcome.attempts, outcome.nextMs, outcome.lastError, id);
    },
    deliveries: (state: Delivery["state"] | undefined, limit = DEFAULT_PAGE): Delivery[] =>
      (state === undefined ? all.all(limit) : inState.all(state, limit)).map(delivery),
    /** The message that is sent again; null: it is no dead letter. */
    resend(id: string, nowMs: number): Delivery | null {
      if (resend.run(nowMs, id).changes === 0) return null;
      const row = byId.get(id);
      return row ? delivery(row) : null;
    },
    /** False: it was disabled already. What waits is dead in either case. */
    disable({ destination, reason, sinceMs }: Disabled): boolean {
      kill.run(reason, destination);
      return disable.run(destination, reason, sinceMs).changes > 0;
    },
    /** False: it was not disabled. */
    enable: (destination: string): boolean => enable.run(destination).changes > 0,
    disabled: (): Disabled[] =>
      disabled.all().map((row) => ({
        destination: String(row.destination),
        reason: String(row.reason),
        sinceMs: Number(row.since_ms),
      })),
    prune: (nowMs: number): void => void forget.run(nowMs - DELIVERED_DAYS * DAY_MS),
  };
}

/** A message's id follows from what it tells and to whom: telling the same twice is one message. */
export function messageId(flagId: string, event: string, revision: number, destination: string): string {
  const told = JSON.stringify([flagId, event, revision, destination]);
  return `msg_${createHash("sha256").update(told).digest("hex").slice(0, 32)}`;
}

function delivery(row: Record<string, unknown>): Delivery {
  return {
    id: String(row.id),
    destination: String(row.destination),
    event: String(row.event),
    flagId: row.flag_id === null ? null : String(row.flag_id),
    body: String(row.body),
    state: row.state as Delivery["state"],
    attempts: Number(row.attempts),
    createdMs: Number(row.created_ms),
    nextMs: Number(row.next_ms),
    lastError: row.last_error === null ? null : String(row.last_error),
  };
}
