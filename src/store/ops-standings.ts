import type { DatabaseSync } from "node:sqlite";
import type { Match } from "#core/screening.ts";
import type { Standing } from "#core/sightings.ts";

/** What accounts' flags rest on, and the ground it was last held against as a whole. Misses take no room. */
export function standingRecords(db: DatabaseSync) {
  db.exec(`CREATE TABLE IF NOT EXISTS standings (
      pool TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, matches TEXT NOT NULL,
      PRIMARY KEY (pool, account, kind, value)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ground (id INTEGER PRIMARY KEY CHECK (id = 1), versions TEXT NOT NULL) STRICT`);
  const put = db.prepare(`INSERT INTO standings (pool, account, kind, value, matches) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET matches = excluded.matches`);
  const remove = db.prepare(
    "DELETE FROM standings WHERE pool = ? AND account = ? AND kind = ? AND value = ?",
  );
  const all = db.prepare("SELECT * FROM standings");
  const ground = db.prepare("SELECT versions FROM ground");
  const settle = db.prepare(`INSERT INTO ground (id, versions) VALUES (1, ?)
    ON CONFLICT DO UPDATE SET versions = excluded.versions`);

  return {
    put(standings: readonly Standing[]): void {
      for (const { pool, account, kind, value, matches } of standings) {
        if (matches.length > 0) put.run(pool, account, kind, value, JSON.stringify(matches));
        else remove.run(pool, account, kind, value);
      }
    },
    all: (): Standing[] =>
      all.all().map((row) => ({
        pool: String(row.pool),
        account: String(row.account),
        kind: row.kind as Standing["kind"],
        value: String(row.value),
        matches: JSON.parse(String(row.matches)) as Match[],
      })),
    ground: (): string => String(ground.get()?.versions ?? ""),
    settle: (versions: string): void => void settle.run(versions),
  };
}
