import type { Answered } from "#core/precision.ts";
import { LEARNED_TYPOLOGIES } from "#core/typologies.ts";

const named: ReadonlySet<string> = new Set(LEARNED_TYPOLOGIES);

/**
 * What verdicts on anomalies say is true of accounts, as lines of a recording's `truth.ndjson`; `answers` the newest first. An account
 * that was ever confirmed is a campaign's, of the most probable typology that a model learns; one whose last verdict is a
 * false positive is honest. Of others nothing is said: neither what was useful nor a screening hit tells which it is.
 */
export function truthOfAnswers(answers: readonly Answered[]): string {
  const truth = new Map<string, object>();
  const confirmed = new Set<string>();
  const said = new Set<string>();
  for (const { kind, pool, account, outcome, typologies } of answers) {
    if (kind !== "anomaly") continue;
    const key = JSON.stringify([pool, account]);
    const typology = typologies.find((name) => named.has(name));
    if (outcome === "confirm" && !confirmed.has(key)) {
      confirmed.add(key);
      truth.delete(key);
      if (typology) truth.set(key, { pool, account, campaign: account, typology, care: "middle" });
    } else if (outcome === "false-positive" && !said.has(key)) {
      if (!confirmed.has(key)) truth.set(key, { pool, account, campaign: null });
    }
    said.add(key);
  }
  return [...truth.values()].map((record) => `${JSON.stringify(record)}\n`).join("");
}
