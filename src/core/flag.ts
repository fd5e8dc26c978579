import { z } from "zod";

/** Kinds of evidence that can agree independently. `linkage` and what it links count as one. See docs/typologies.md. */
export const FAMILIES = [
  "origin",
  "latency",
  "hashrate",
  "fleet",
  "operator",
  "payout",
  "linkage",
  "route",
] as const;
export type Family = (typeof FAMILIES)[number];

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Where a flag stands with its reviewers. A closed flag can be opened again. */
export const FLAG_STATES = ["open", "investigating", "closed"] as const;
export type FlagState = (typeof FLAG_STATES)[number];

/** What a reason stands on: each entry names its `type` and carries the numbers a reviewer would check. */
export const evidence = z.looseObject({ type: z.string() });
export type Evidence = z.infer<typeof evidence>;

/** One reason: a stable code, the family it belongs to, a sentence with its numbers, and the observations behind it. */
export const reason = z.object({
  code: z.string(),
  family: z.enum(FAMILIES),
  text: z.string(),
  /** Part of the score this reason carries, 0..1. */
  weight: z.number(),
  evidence: z.array(evidence),
});
export type Reason = z.infer<typeof reason>;

/** A feature that no longer looks as it used to, with its population stability index. */
export const drifted = z.object({ feature: z.string(), psi: z.number() });
export type Drifted = z.infer<typeof drifted>;

const named = z.object({ name: z.string(), version: z.string() });

/** The public flag, as the API, webhooks, `assay replay` and evidence bundles carry it. Instants are RFC 3339 UTC. */
export const flag = z.object({
  id: z.string(),
  kind: z.enum(["anomaly", "screening"]),
  pool: z.string(),
  account: z.string(),
  openedAt: z.string(),
  updatedAt: z.string(),
  state: z.enum(FLAG_STATES),
  typologies: z.array(z.object({ name: z.string(), probability: z.number() })),
  /** Calibrated likelihood, 0..1; where a described typology raised it, a rank on that scale (docs/detection.md). */
  score: z.number(),
  severity: z.enum(SEVERITIES),
  families: z.array(z.enum(FAMILIES)),
  reasons: z.array(reason),
  /**
   * Features of the pool that had drifted too far for the score's thresholds to hold; absent where none had. The
   * severity then stands on the agreeing families alone.
   */
  drift: z.array(drifted).optional(),
  model: named,
  lists: z.array(named),
});
export type Flag = z.infer<typeof flag>;

export const OUTCOMES = ["confirm", "useful", "false-positive"] as const;
/** The operator's answer to a flag. */
export const verdict = z.object({
  outcome: z.enum(OUTCOMES),
  comment: z.string().max(10_000).default(""),
});
export type Verdict = z.infer<typeof verdict> & { flagId: string; actor: string; atMs: number };
