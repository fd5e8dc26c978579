import type { DatabaseSync } from "node:sqlite";
import type { Flag, FlagState, Verdict } from "#core/flag.ts";
import { instantMs, merge, severityRank, summary, type Told } from "#core/merge.ts";
import { DAY_MS } from "#core/metrics.ts";
import type { AuditEntry, FlagChange, FlagEvent, FlagEvidence, Raised } from "#core/store.ts";
import type { auditTrail } from "./ops-audit.ts";
import { messageId, type outbox } from "./ops-outbox.ts";
import type { FlagRow, FlagTable } from "./ops-tables.ts";

/** Who writes the audit line where no person did. */
export const ASSAY = "assay";

/** What a call changed, for those who watch; and whether the outbox may hold something new. */
export interface Changed<T> {
  result: T;
  changes: FlagChange[];
}

/** What must happen and who must hear of it, as it goes through the calls. */
interface Telling {
  nowMs: number;
  destinations: readonly string[];
}

interface Parts {
  flags: FlagTable;
  audit: ReturnType<typeof auditTrail>;
  messages: ReturnType<typeof outbox>;
}

/** An answer holds for so long: an account that goes on as it did is not asked about again. */
const ANSWER_HOLDS_MS = 30 * DAY_MS;

/** Whether a flag says more than the one that a person called a false positive, or the answer has grown old. */
function isNews({ flag, told }: FlagRow, incoming: Flag): boolean {
  if (instantMs(incoming.updatedAt) - instantMs(flag.updatedAt) >= ANSWER_HOLDS_MS) return true;
  if (severityRank(incoming.severity) > severityRank(told.severity)) return true;
  return incoming.families.some((family) => !told.families.includes(family));
}

/** The life of a flag: raised, brought up to date, decided. Each call runs inside one transaction of the caller's. */
export function flagLife(db: DatabaseSync, { flags, audit, messages }: Parts) {
  db.exec(`CREATE TABLE IF NOT EXISTS verdicts (
      id INTEGER PRIMARY KEY, flag_id TEXT NOT NULL, outcome TEXT NOT NULL, comment TEXT NOT NULL, actor TEXT NOT NULL,
      at_ms INTEGER NOT NULL, UNIQUE (flag_id, actor, at_ms, outcome, comment)) STRICT`);
  const addVerdict = db.prepare(`INSERT INTO verdicts (flag_id, outcome, comment, actor, at_ms)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const verdictsOf = db.prepare("SELECT * FROM verdicts WHERE flag_id = ? ORDER BY id");

  /** One message a destination; answers the flag's revision after it. */
  function tell(event: FlagEvent, flag: Flag, revision: number, { nowMs, destinations }: Telling): number {
    const body = JSON.stringify({ type: event, timestamp: flag.updatedAt, data: flag });
    for (const destination of destinations) {
      const id = messageId(flag.id, event, revision, destination);
      messages.add({ id, destination, event, flagId: flag.id, body, createdMs: nowMs });
    }
    return revision + 1;
  }

  function open(
    flag: Flag,
    evidence: FlagEvidence,
    telling: Telling,
    closed: FlagRow | null,
  ): Changed<Raised> {
    const opened: Flag = { ...flag, state: "open", openedAt: closed?.flag.openedAt ?? flag.openedAt };
    const told: Told = { severity: flag.severity, families: flag.families };
    const revision = tell("flag.opened", opened, closed?.revision ?? 1, telling);
    flags.put({ flag: opened, seenMs: instantMs(flag.updatedAt), told, revision }, evidence);
    audit.append({
      atMs: telling.nowMs,
      actor: ASSAY,
      action: closed ? "flag.reopened" : "flag.opened",
      flagId: flag.id,
      before: closed && summary(closed.flag),
      after: summary(opened),
    });
    return { result: "opened", changes: [{ event: "flag.opened", flag: opened }] };
  }

  function update(row: FlagRow, incoming: Flag, evidence: FlagEvidence, telling: Telling): Changed<Raised> {
    const merged = merge(row.flag, row.seenMs, row.told, incoming);
    if (!merged) return { result: "unchanged", changes: [] };
    const { flag, told } = merged;
    const seenMs = Math.max(row.seenMs, instantMs(incoming.updatedAt));
    const revision = merged.tell ? tell("flag.updated", flag, row.revision, telling) : row.revision;
    flags.put({ flag, seenMs, told, revision }, evidence);
    const [before, after] = [summary(row.flag), summary(flag)];
    // An account that goes on hitting the same list says nothing new to an auditor.
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      audit.append({
        atMs: telling.nowMs,
        actor: ASSAY,
        action: "flag.updated",
        flagId: flag.id,
        before,
        after,
      });
    }
    return { result: "updated", changes: [{ event: "flag.updated", flag }] };
  }

  /** A person's change of state: the later of both times, so that whoever polls by it sees the change. */
  function change(
    row: FlagRow,
    state: FlagState,
    line: { actor: string; action: string; atMs: number; note?: object },
    destinations: readonly string[],
  ): Changed<Flag> {
    const { actor, action, atMs, note } = line;
    const laterMs = Math.max(atMs, instantMs(row.flag.updatedAt));
    const flag: Flag = { ...row.flag, state, updatedAt: new Date(laterMs).toISOString() };
    const closes = state === "closed" && row.flag.state !== "closed";
    const telling = { nowMs: atMs, destinations: closes ? destinations : [] };
    const revision = closes ? tell("flag.closed", flag, row.revision, telling) : row.revision;
    flags.put({ ...row, flag, revision });
    const before = { state: row.flag.state };
    audit.append({ atMs, actor, action, flagId: flag.id, before, after: { state, ...note } });
    return { result: flag, changes: [{ event: closes ? "flag.closed" : "flag.updated", flag }] };
  }

  return {
    raise(
      flag: Flag,
      evidence: FlagEvidence,
      telling: Record<"opened" | "updated", Telling>,
    ): Changed<Raised> {
      const same = flags.find(flag.id);
      if (same && (same.flag.pool !== flag.pool || same.flag.account !== flag.account)) {
        throw new Error(`flag ${flag.id} is another account's`);
      }
      const standing = flags.findOpen(flag);
      if (standing) return update(standing, flag, evidence, telling.updated);
      // What closed flags have covered was decided with them: going over it again raises nothing.
      if (instantMs(flag.updatedAt) <= flags.seenMs(flag)) return { result: "unchanged", changes: [] };
      const answered = flags.findAnswered(flag);
      if (answered && !isNews(answered, flag)) {
        flags.put({ ...answered, seenMs: instantMs(flag.updatedAt) });
        return { result: "unchanged", changes: [] };
      }
      return open(flag, evidence, telling.opened, same);
    },

    decide(verdict: Verdict, destinations: readonly string[]): Changed<Flag | null> {
      const row = flags.find(verdict.flagId);
      if (!row) return { result: null, changes: [] };
      const { flagId, outcome, comment, actor, atMs } = verdict;
      const isNew = addVerdict.run(flagId, outcome, comment, actor, atMs).changes > 0;
      if (!isNew) return { result: row.flag, changes: [] };
      const line = { actor, action: `verdict.${outcome}`, atMs, note: { outcome, comment } };
      return change(row, "closed", line, destinations);
    },

    setState(
      flagId: string,
      state: FlagState,
      by: { actor: string; atMs: number },
      destinations: readonly string[],
    ): Changed<Flag | null> {
      const row = flags.find(flagId);
      if (!row) return { result: null, changes: [] };
      if (row.flag.state === state) return { result: row.flag, changes: [] };
      const other = flags.findOpen(row.flag);
      if (other && other.flag.id !== flagId)
        throw new Error(`flag ${other.flag.id} of the same account is open already`);
      return change(row, state, { ...by, action: "flag.state" }, destinations);
    },

    page(
      id: string,
    ): { flag: Flag; evidence: FlagEvidence; verdicts: Verdict[]; audit: AuditEntry[] } | null {
      const row = flags.find(id);
      if (!row) return null;
      const verdicts = verdictsOf.all(id).map((found) => ({
        flagId: id,
        outcome: found.outcome as Verdict["outcome"],
        comment: String(found.comment),
        actor: String(found.actor),
        atMs: Number(found.at_ms),
      }));
      return { flag: row.flag, evidence: flags.evidence(id), verdicts, audit: audit.ofFlag(id) };
    },
  };
}
