import type { AccountState } from "#core/account-state.ts";
import { changesOf } from "#core/changes.ts";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
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
  const weightOf = (names: readonly string[]): number =>
    total > 0 ? names.reduce((sum, name) => sum + (carried.get(name) ?? 0), 0) / total : 1 / speaking.length;
  const reasons = speaking.map(({ code, family, features, text, evidence }) => {
    return { code, family, text: text(facts), weight: weightOf(features), evidence: evidence?.(facts) ?? [] };
  });
  for (const { code, family, signs } of signsByFamily(contributions)) {
    const text = `Described as ${signs[0]?.sign.typology}: ${signs.map(describe).join(", ")}.`;
    const evidence = signs.map(({ feature: name, sign }) => {
      return { type: "sign", feature: name, value: feature(name), ...sign };
    });
    reasons.push({ code, family, text, weight: weightOf(signs.map(({ feature: name }) => name)), evidence });
  }
  return reasons.sort((a, b) => b.weight - a.weight);
}

/** Code of what the signs of a described typology say, a reason for each family that has any. */
const SIGNS = "TYPOLOGY_SIGNS";
/** A sign is worth a word where so many honest accounts show less of it. */
const STRIKING = 0.95;

type SignOf = Contribution & Required<Pick<Contribution, "sign">>;

const isStriking = (each: Contribution): each is SignOf =>
  each.contribution > 0 && each.sign !== undefined && each.sign.below >= STRIKING;

function signsByFamily(contributions: readonly Contribution[]) {
  const familyOf = ({ feature }: Contribution) =>
    (FEATURES[FEATURE_INDEX.get(feature) as number] as (typeof FEATURES)[number]).family;
  const families = Map.groupBy(contributions.filter(isStriking), familyOf);
  return [...families].map(([family, signs]) => ({ code: SIGNS, family, signs }));
}

/** Rounded down: "100 %" would be more than a sample tells. */
const describe = ({ feature, sign: { side, below } }: SignOf): string =>
  `${feature} is ${side === "high" ? "higher" : "lower"} than in ${(Math.floor(below * 1000) / 10).toFixed(1)} % of honest accounts`;

/**
 * Families that agree independently: what linkage links counts as that family, not as a second one. A described sign that
 * is a link adds none: where there is a link, its own rule speaks.
 */
export function independentFamilies(reasons: readonly Reason[]): number {
  const families = new Set<Family>();
  for (const { code, family } of reasons) {
    if (family !== "linkage") families.add(family);
    else if (code !== SIGNS) families.add(RULES.find((rule) => rule.code === code)?.links ?? family);
  }
  return families.size;
}
