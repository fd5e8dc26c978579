import type { Feature } from "#core/define-feature.ts";
import { LINKS_FEATURES } from "#core/features-links.ts";
import { ORIGIN_FEATURES } from "#core/features-origin.ts";
import { PEOPLE_FEATURES } from "#core/features-people.ts";
import { WORK_FEATURES } from "#core/features-work.ts";

/**
 * The feature vector, in order. "Day", "week", "month" and "quarter" are exponentially weighted with time constants of
 * 24, 168, 720 and 2160 hours; everything is computed from the past alone. A feature that cannot be computed is missing (NaN), never 0.
 * docs/features.md is made from it.
 */
export const FEATURES: readonly Feature[] = [
  ...ORIGIN_FEATURES,
  ...WORK_FEATURES,
  ...PEOPLE_FEATURES,
  ...LINKS_FEATURES,
];

/** Position of each feature in the vector. */
export const FEATURE_INDEX: ReadonlyMap<string, number> = new Map(
  FEATURES.map((feature, index) => [feature.name, index]),
);

/** Names the vector's layout: models trained on another are refused. FNV-1a over names, units and ranges. */
export const FEATURE_SCHEMA: string = (() => {
  let hash = 0x811c9dc5;
  for (const { name, unit, range } of FEATURES) {
    for (const character of `${name}|${unit}|${range.join("..")};`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    }
  }
  return `${FEATURES.length}-${hash.toString(16).padStart(8, "0")}`;
})();

/** Name → value, null where missing: for evidence and explanations. */
export function featureRecord(row: Float32Array): Record<string, number | null> {
  return Object.fromEntries(
    FEATURES.map(({ name }, index) => {
      const value = row[index] as number;
      return [name, Number.isNaN(value) ? null : value];
    }),
  );
}
