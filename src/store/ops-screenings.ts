import type { DatabaseSync } from "node:sqlite";
import { DAY_MS } from "#core/metrics.ts";
import type { ListVersion, Match, Screening, Subject } from "#core/screening.ts";

/** What is kept of all screenings of one value against the same lists on one day (UTC). `atMs` is the last one's. */
export interface KeptScreening extends Screening {
  firstMs: number;
  lastMs: number;
  count: number;
}

/** Screenings, misses too: one row a value, day and set of list versions. */
export function screeningRecords(db: DatabaseSync) {
  db.exec(`CREATE TABLE IF NOT EXISTS screening_lists (
      id INTEGER PRIMARY KEY, lists TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE IF NOT EXISTS screenings (
      value TEXT NOT NULL, subject TEXT NOT NULL, day INTEGER NOT NULL, lists INTEGER NOT NULL, first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL, count INTEGER NOT NULL, matches TEXT NOT NULL,
      PRIMARY KEY (value, subject, day, lists)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS screenings_few ON screenings (subject, value) WHERE subject IN ('name', 'region')`);
  const findLists = db.prepare("SELECT id FROM screening_lists WHERE lists = ?");
  const addLists = db.prepare("INSERT INTO screening_lists (lists) VALUES (?)");
  const record = db.prepare(`INSERT INTO screenings
    (value, subject, day, lists, first_ms, last_ms, count, matches) VALUES (?, ?, ?, ?, ?5, ?5, 1, ?6)
    ON CONFLICT DO UPDATE SET first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms),
    count = count + 1, matches = excluded.matches`);
  const find =
    db.prepare(`SELECT s.*, l.lists AS versions FROM screenings s JOIN screening_lists l ON l.id = s.lists
    WHERE s.value = ? ORDER BY s.last_ms`);

  const last =
    db.prepare(`SELECT s.*, l.lists AS versions FROM screenings s JOIN screening_lists l ON l.id = s.lists
    WHERE s.subject = ? AND s.subject IN ('name', 'region') AND s.last_ms = (SELECT max(last_ms) FROM screenings WHERE value = s.value AND subject = s.subject)
    GROUP BY s.value`);

  return {
    record(screenings: readonly Screening[]): void {
      const known = new Map<string, number>();
      for (const { subject, value, atMs, lists, matches } of screenings) {
        const versions = JSON.stringify(lists.map(({ name, version }) => ({ name, version })));
        let id = known.get(versions);
        if (id === undefined) {
          id = Number(findLists.get(versions)?.id ?? addLists.run(versions).lastInsertRowid);
          known.set(versions, id);
        }
        record.run(value, subject, Math.floor(atMs / DAY_MS), id, atMs, JSON.stringify(matches));
      }
    },
    of: (value: string): KeptScreening[] => find.all(value).map(kept),
    /** The newest of every value that was screened as this. */
    last: (subject: Subject): KeptScreening[] => last.all(subject).map(kept),
  };
}

function kept(row: Record<string, unknown>): KeptScreening {
  return {
    subject: row.subject as Subject,
    value: String(row.value),
    atMs: Number(row.last_ms),
    firstMs: Number(row.first_ms),
    lastMs: Number(row.last_ms),
    count: Number(row.count),
    lists: JSON.parse(String(row.versions)) as ListVersion[],
    matches: JSON.parse(String(row.matches)) as Match[],
  };
}
