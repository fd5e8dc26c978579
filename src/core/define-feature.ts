import type { Family } from "#core/flag.ts";

/** One column of the feature vector. */
export interface Feature {
  /** Stable; `family.thing`. */
  name: string;
  family: Family;
  unit: "fraction" | "log10" | "log2" | "ratio" | "ms" | "hours" | "count" | "nats";
  /** Values are clamped to this range. */
  range: readonly [number, number];
  about: string;
  /** True where more of it never lowers the risk: the monotone head may use it. */
  risk: boolean;
}

/** A feature by its name, unit, range, risk and description; the family is the first part of its name. */
export const define = (
  name: string,
  unit: Feature["unit"],
  range: readonly [number, number],
  risk: boolean,
  about: string,
): Feature => ({ name, family: name.slice(0, name.indexOf(".")) as Family, unit, range, about, risk });

/** Range of a part of a whole. */
export const FRACTION = [0, 1] as const;
/** Range of the logarithm of a count. */
export const COUNT = [0, 6] as const;
