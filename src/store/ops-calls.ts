import type { DatabaseSync } from "node:sqlite";
import type { Flag, FlagState, Verdict } from "#core/flag.ts";
import type { Screening } from "#core/screening.ts";
import type { Standing } from "#core/sightings.ts";
import type { Delivery, Disabled, FlagEvidence, FlagQuery } from "#core/store.ts";
import { auditTrail, type ChainPlace } from "./ops-audit.ts";
import { ASSAY, flagLife } from "./ops-flags.ts";
import { outbox } from "./ops-outbox.ts";
import { queryFlags } from "./ops-query.ts";
import { screeningRecords } from "./ops-screenings.ts";
import { standingRecords } from "./ops-standings.ts";
import { flagTable } from "./ops-tables.ts";
import { verdictRecords } from "./ops-verdicts.ts";
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
  const verdicts = verdictRecords(db);
  const standings = standingRecords(db);

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
    answered: (sinceMs: number) => verdicts.answered(sinceMs),
    volume: () => verdicts.volume(),
    note: (atMs: number, actor: string, action: string, after: unknown) =>
      transaction(db, () => audit.append({ atMs, actor, action, flagId: null, before: null, after })),
    audit: (afterId?: number, limit?: number) => audit.page(afterId, limit),
    verifyAudit: (from: ChainPlace | null) => audit.verify(from),
    recordScreenings: (all: readonly Screening[], standing: readonly Standing[]) =>
      transaction(db, () => {
        screenings.record(all);
        standings.put(standing);
      }),
    screenings: (value: string) => screenings.of(value),
    lastScreenings: (subject: "name" | "region") => screenings.last(subject),
    standings: () => standings.all(),
    ground: () => standings.ground(),
    settleGround: (ground: string) => standings.settle(ground),
    enqueue: (message: Parameters<typeof messages.add>[0]) => transaction(db, () => messages.add(message)),
    due: (nowMs: number, limit: number, destination?: string) => messages.due(nowMs, limit, destination),
    nextDueMs: (destination: string) => messages.nextDueMs(destination),
    settle: (id: string, outcome: Pick<Delivery, "state" | "attempts" | "nextMs" | "lastError">) =>
      messages.settle(id, outcome),
    deliveries: (state?: Delivery["state"], limit?: number) => messages.deliveries(state, limit),
    resend: (id: string, nowMs: number, actor: string) =>
      transaction(db, () => {
        const sent = messages.resend(id, nowMs);
        if (!sent) return false;
        const { flagId, destination, event, lastError } = sent;
        const before = { state: "dead", lastError };
        const after = { state: "waiting", id, destination, event };
        audit.append({ atMs: nowMs, actor, action: "delivery.resent", flagId, before, after });
        return true;
      }),
    disable: (disabled: Disabled) =>
      transaction(db, () => {
        if (!messages.disable(disabled)) return;
        const { destination, reason, sinceMs: atMs } = disabled;
        const after = { destination, reason };
        audit.append({
          atMs,
          actor: ASSAY,
          action: "destination.disabled",
          flagId: null,
          before: null,
          after,
        });
      }),
    enable: (destination: string, atMs: number, actor: string) =>
      transaction(db, () => {
        if (!messages.enable(destination)) return;
        const after = { destination };
        audit.append({ atMs, actor, action: "destination.enabled", flagId: null, before: null, after });
      }),
    disabled: () => messages.disabled(),
    prune: (nowMs: number) => messages.prune(nowMs),
  };
}
