import type { Flag } from "../../src/core/flag.ts";
import type { FlagEvidence } from "../../src/core/store.ts";

/** A flag for tests: an anomaly of account `a`, seen at noon, unless said otherwise. */
export function aFlag(changes: Partial<Flag> = {}): Flag {
  return {
    id: "flag-1",
    kind: "anomaly",
    pool: "p",
    account: "a",
    openedAt: "2026-01-05T12:00:00.000Z",
    updatedAt: "2026-01-05T12:00:00.000Z",
    state: "open",
    typologies: [{ name: "proxy", probability: 0.7 }],
    score: 0.7,
    severity: "medium",
    families: ["origin", "latency"],
    reasons: [
      { code: "rtt", family: "latency", text: "412 ms", weight: 0.4, evidence: [{ type: "rtt", ms: 412 }] },
    ],
    model: { name: "m", version: "1.0.0" },
    lists: [],
    ...changes,
  };
}

export const EVIDENCE: FlagEvidence = {
  fromMs: 0,
  workPerHour: [1, 2],
  sharesPerHour: [3, 4],
  changes: [],
  sources: [],
  features: { rtt: 412, gap: null },
};
