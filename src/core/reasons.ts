import type { AccountState } from "#core/account-state.ts";
import { changesOf } from "#core/changes.ts";
import { FEATURE_INDEX } from "#core/features.ts";
import type { Family, Reason } from "#core/flag.ts";
import type { Links } from "#core/linkage.ts";
import type { Contribution } from "#core/model.ts";
import type { Facts } from "#core/rule.ts";
import { RULES } from "#core/rules.ts";

/** The reasons that speak for an account's window, heaviest first. `contributions` may be empty: weights are then equal. */
export function reasonsFor(
  state: AccountState,
  row: Float32Array,
  links: Links,
  contributions: readonly Contribution[],
): Reason[] {
  const feature = (name: string): number => row[FEATURE_INDEX.get(name) as number] as number;
  const facts: Facts = { feature, state, links, changes: changesOf(state) };
  const carried = new Map(
    contributions.map(({ feature: name, contribution }) => [name, Math.max(0, contribution)]),
  );
  const total = [...carried.values()].reduce((sum, value) => sum + value, 0);
  const speaking = RULES.filter((rule) => rule.speaks(facts));
  return speaking
    .map(({ code, family, features, text, evidence }) => {
      const weight =
        total > 0
          ? features.reduce((sum, name) => sum + (carried.get(name) ?? 0), 0) / total
          : 1 / speaking.length;
      return { code, family, text: text(facts), weight, evidence: evidence?.(facts) ?? [] };
    })
    .sort((a, b) => b.weight - a.weight);
}

/** Families that agree independently: what linkage links counts as that family, not as a second one. */
export function independentFamilies(reasons: readonly Reason[]): number {
  const families = new Set<Family>();
  for (const { code, family } of reasons) {
    families.add(family === "linkage" ? (RULES.find((rule) => rule.code === code)?.links ?? family) : family);
  }
  return families.size;
}
