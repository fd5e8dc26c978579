import type { Flag, Verdict } from "#core/flag.ts";
import type { Screening } from "#core/screening.ts";
import type { AuditEntry, Delivery, FlagEvidence, FlagQuery, OpsStore } from "#core/store.ts";

interface Kept {
  flag: Flag;
  evidence: FlagEvidence;
  verdicts: Verdict[];
}

function matches(flag: Flag, query: FlagQuery): boolean {
  const { state, kind, severity, typology, pool, text } = query;
  return (
    (!state || flag.state === state) &&
    (!kind || flag.kind === kind) &&
    (!severity || flag.severity === severity) &&
    (!typology || flag.typologies.some((each) => each.name === typology)) &&
    (!pool || flag.pool === pool) &&
    (!text || flag.account.toLowerCase().includes(text.toLowerCase()))
  );
}

/** An OpsStore of maps, for tests of what stands on top of one. */
export function memoryOps(): OpsStore & { deliveriesKept: Delivery[] } {
  const flags = new Map<string, Kept>();
  const trail: AuditEntry[] = [];
  const screened: Screening[] = [];
  const deliveriesKept: Delivery[] = [];
  const write = (entry: Omit<AuditEntry, "id">) => trail.push({ id: trail.length + 1, ...entry });

  const change = (id: string, state: Flag["state"], actor: string, atMs: number, action: string) => {
    const kept = flags.get(id);
    if (!kept) return null;
    const before = { state: kept.flag.state };
    kept.flag = { ...kept.flag, state, updatedAt: new Date(atMs).toISOString() };
    write({ atMs, actor, action, flagId: id, before, after: { state } });
    return kept.flag;
  };

  return {
    deliveriesKept,
    async raise(flag, evidence) {
      const known = flags.has(flag.id);
      flags.set(flag.id, { flag, evidence, verdicts: flags.get(flag.id)?.verdicts ?? [] });
      const action = known ? "flag.updated" : "flag.opened";
      const after = { severity: flag.severity, score: flag.score };
      write({
        atMs: Date.parse(flag.updatedAt),
        actor: "assay",
        action,
        flagId: flag.id,
        before: null,
        after,
      });
      return known ? "updated" : "opened";
    },
    async flags(query) {
      const key = (flag: Flag) =>
        (query.order === "score" ? String(flag.score.toFixed(9)) : flag.updatedAt) + flag.id;
      const all = [...flags.values()].map((kept) => kept.flag).filter((flag) => matches(flag, query));
      all.sort((a, b) => (key(a) < key(b) ? 1 : -1));
      const rest = query.after ? all.filter((flag) => key(flag) < query.after!) : all;
      const page = rest.slice(0, query.limit ?? 50);
      const last = page.at(-1);
      return { flags: page, next: last && rest.length > page.length ? key(last) : null, total: all.length };
    },
    async flag(id) {
      const kept = flags.get(id);
      return kept ? { ...kept, audit: trail.filter((entry) => entry.flagId === id) } : null;
    },
    async decide(verdict) {
      const kept = flags.get(verdict.flagId);
      if (!kept) return null;
      kept.verdicts.push(verdict);
      const { outcome, comment } = verdict;
      const flag = change(verdict.flagId, "closed", verdict.actor, verdict.atMs, "verdict");
      trail.at(-1)!.after = { state: "closed", outcome, comment };
      return flag;
    },
    setState: async (id, state, actor, atMs) => change(id, state, actor, atMs, "state"),
    async audit({ afterId = 0, limit = 100 }) {
      return trail.filter((entry) => entry.id > afterId).slice(0, limit);
    },
    async recordScreenings(screenings) {
      screened.push(...screenings);
    },
    screenings: async (value) => screened.filter((each) => each.value === value).reverse(),
    due: async () => [],
    async settle() {},
    async deliveries({ state, limit = 100 }) {
      return deliveriesKept.filter((each) => !state || each.state === state).slice(0, limit);
    },
    async enqueue() {},
    async resend(id, nowMs) {
      const dead = deliveriesKept.find((each) => each.id === id && each.state === "dead");
      if (!dead) return false;
      Object.assign(dead, { state: "waiting", attempts: 0, nextMs: nowMs, lastError: null });
      return true;
    },
    async close() {},
  };
}
