import type { DatabaseSync } from "node:sqlite";
import type { Flag, FlagState, Verdict } from "#core/flag.ts";
import type { Screening } from "#core/screening.ts";
import type { Delivery, Disabled, FlagEvidence, FlagQuery } from "#core/store.ts";
import { auditTrail, type ChainPlace } from "./ops-audit.ts";
import { flagLife } from "./ops-flags.ts";
import { outbox } from "./ops-outbox.ts";
import { queryFlags } from "./ops-query.ts";
import { screeningRecords } from "./ops-screenings.ts";
import { flagTable } from "./ops-tables.ts";
import { transaction } from "./transaction.ts";

/** The calls of the operations thread. */
export type OpsCalls = ReturnType<typeof opsCalls>;

/** Opens the operations tables in `db` and serves them. What a call has answered survives power loss. */
export function opsCalls(db: DatabaseSync) {
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  const audit = auditTrail(db);
  const messages = outbox(db);
  const flags = flagTable(db);
  const life = flagLife(db, { flags, audit, messages });
  const screenings = screeningRecords(db);

  return {
    raise: (flag: Flag, evidence: FlagEvidence, nowMs: number, to: Record<"opened" | "updated", string[]>) =>
      transaction(db, () =>
        life.raise(flag, evidence, {
          opened: { nowMs, destinations: to.opened },
          updated: { nowMs, destinations: to.updated },
        }),
      ),
    decide: (verdict: Verdict, destinations: string[]) =>
      transaction(db, () => life.decide(verdict, destinations)),
    setState: (id: string, state: FlagState, by: { actor: string; atMs: number }, destinations: string[]) =>
      transaction(db, () => life.setState(id, state, by, destinations)),
    flags: (query: FlagQuery) => queryFlags(db, query),
    flag: (id: string) => life.page(id),
    audit: (afterId?: number, limit?: number) => audit.page(afterId, limit),
    verifyAudit: (from: ChainPlace | null) => audit.verify(from),
    recordScreenings: (all: readonly Screening[]) => transaction(db, () => screenings.record(all)),
    screenings: (value: string) => screenings.of(value),
    enqueue: (message: Parameters<typeof messages.add>[0]) => transaction(db, () => messages.add(message)),
    due: (nowMs: number, limit: number, destination?: string) => messages.due(nowMs, limit, destination),
    nextDueMs: (destination: string) => messages.nextDueMs(destination),
    settle: (id: string, outcome: Pick<Delivery, "state" | "attempts" | "nextMs" | "lastError">) =>
      messages.settle(id, outcome),
    deliveries: (state?: Delivery["state"], limit?: number) => messages.deliveries(state, limit),
    resend: (id: string, nowMs: number) => messages.resend(id, nowMs),
    disable: (disabled: Disabled) => transaction(db, () => messages.disable(disabled)),
    enable: (destination: string) => messages.enable(destination),
    disabled: () => messages.disabled(),
    prune: (nowMs: number) => messages.prune(nowMs),
  };
}
