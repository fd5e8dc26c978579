import type { DatabaseSync } from "node:sqlite";
import type { Flag, FlagState, Verdict } from "#core/flag.ts";
import type { Answered } from "#core/precision.ts";
import type { FlagVolume } from "#core/store.ts";

/** Answers read at most, the newest: more than a team gives in years. */
const MOST_ANSWERS = 100_000;

/** What verdicts say of the flags they answered. Opened after the tables of flags and verdicts. */
export function verdictRecords(db: DatabaseSync) {
  const answered = db.prepare(`SELECT f.pool, f.account, f.kind, f.score, f.body ->> '$.openedAt' AS opened,
      f.body -> '$.typologies' AS typologies, f.body -> '$.model' AS model, v.outcome, v.at_ms
    FROM verdicts v JOIN flags f ON f.id = v.flag_id
    WHERE v.at_ms >= ? AND v.id = (SELECT max(w.id) FROM verdicts w WHERE w.flag_id = v.flag_id)
    ORDER BY v.id DESC LIMIT ${MOST_ANSWERS}`);
  const volume = db.prepare(`SELECT kind, state, count(*) AS flags,
      min(body ->> '$.openedAt') AS first, max(body ->> '$.openedAt') AS last FROM flags GROUP BY kind, state`);
  return {
    /** Flags with their last verdict, given since an instant; the newest first. */
    answered: (sinceMs: number): Answered[] =>
      answered.all(sinceMs).map((row) => ({
        pool: String(row.pool),
        account: String(row.account),
        kind: row.kind as Flag["kind"],
        score: Number(row.score),
        typologies: (JSON.parse(String(row.typologies)) as Flag["typologies"]).map(({ name }) => name),
        model: JSON.parse(String(row.model)) as Flag["model"],
        outcome: row.outcome as Verdict["outcome"],
        openedMs: Date.parse(String(row.opened)),
        answeredMs: Number(row.at_ms),
      })),
    volume: (): FlagVolume[] =>
      volume.all().map((row) => ({
        kind: row.kind as Flag["kind"],
        state: row.state as FlagState,
        flags: Number(row.flags),
        firstMs: Date.parse(String(row.first)),
        lastMs: Date.parse(String(row.last)),
      })),
  };
}
