import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Sign } from "#core/typologies.ts";
import { sigmoid } from "./fusion.ts";
import { largestWith, rankOdds } from "./ranks.ts";
import { solve } from "./solve.ts";

/** Vectors of honest accounts, one each, row-major. */
export interface Honest {
  rows: Float32Array;
  count: number;
}

/** A sign that speaks for a pattern in an account, and its part of what the signs show. */
export interface Speaking extends Sign {
  /** Part of honest accounts that show less. */
  below: number;
  part: number;
}

/** However slight a sign is, it says no more against a pattern than one as slight as in a sixth of honest accounts: ln(1/5). */
const FLOOR = -1.6;
/** How much of what signs have in common with one another is believed: that of a sample is overstated. */
const BELIEVED = 0.5;

/**
 * One sign: where it stands in the vector, honest accounts' values ascending (falling signs negated), the largest that
 * stands at the floor, the log odds they have on average, and its weight.
 */
interface Weighed {
  sign: Sign;
  column: number;
  way: 1 | -1;
  sorted: Float64Array;
  slight: number;
  usual: number;
  weight: number;
}

/**
 * Signs of one pattern, each by its rank among honest accounts. Those that go together among these count less together (a
 * matched filter for signs that all rise by as much). Signs that say nothing are left out.
 */
export class Signs {
  readonly #signs: readonly Weighed[];

  constructor(signs: readonly Sign[], honest: Honest) {
    this.#signs = weigh(signs, honest);
  }

  /** Features of those that count: none where honest accounts do not differ in any. */
  get features(): string[] {
    return this.#signs.map(({ sign }) => sign.feature);
  }

  /** Whether any of them is known of row `at`. */
  known(rows: Float32Array, at: number): boolean {
    return this.#signs.some(({ column }) => !Number.isNaN(rows[at * FEATURES.length + column]));
  }

  /** What they show in row `at`, as log odds, weighed and added up. */
  shown(rows: Float32Array, at: number): number {
    let shown = 0;
    for (const each of this.#signs) shown += each.weight * oddsOf(each, rows, at);
    return shown;
  }

  /** Those that speak for the pattern in a row. */
  speaking(row: Float32Array): Speaking[] {
    return this.#signs
      .map((each) => {
        const odds = oddsOf(each, row, 0);
        return { ...each.sign, below: sigmoid(odds), part: each.weight * (odds - each.usual) };
      })
      .filter(({ part }) => part > 0);
  }
}

/**
 * Log odds of how far a sign goes in row `at`; what is usual where it is missing, which says nothing either way. Values are
 * taken in the digits that honest accounts are kept in: equal ones must stay equal.
 */
function oddsOf({ column, way, sorted, slight, usual }: Weighed, rows: Float32Array, at: number): number {
  const value = way * Math.f16round(rows[at * FEATURES.length + column] as number);
  if (Number.isNaN(value)) return usual;
  // Most accounts show nothing of most signs: their ranks need not be looked up.
  return value <= slight ? FLOOR : Math.max(FLOOR, rankOdds(sorted, value));
}

/**
 * The signs with their weights: C⁻¹·1, where C are their correlations among honest accounts, half believed. A sign that no
 * honest account has, or all alike, is left out; one that the others more than make up for as well.
 */
function weigh(signs: readonly Sign[], { rows, count }: Honest): Weighed[] {
  const all = signs.flatMap((sign): Weighed[] => {
    const column = FEATURE_INDEX.get(sign.feature) as number;
    const way = sign.side === "high" ? 1 : -1;
    const present: number[] = [];
    for (let row = 0; row < count; row += 1) {
      const value = rows[row * FEATURES.length + column] as number;
      if (!Number.isNaN(value)) present.push(way * Math.f16round(value));
    }
    const sorted = Float64Array.from(present).sort();
    if (sorted.length === 0 || sorted[0] === sorted.at(-1)) return [];
    const usual = mean(sorted.map((value) => Math.max(FLOOR, rankOdds(sorted, value))));
    return [{ sign, column, way, sorted, slight: largestWith(sorted, FLOOR), usual, weight: 0 }];
  });
  const varied = all
    .map((each) => {
      return { each, odds: Float64Array.from({ length: count }, (_, row) => oddsOf(each, rows, row)) };
    })
    .filter(({ odds }) => deviation(odds) > 0);
  const columns = varied.map(({ odds }) => odds);
  const matrix = columns.map((one) =>
    columns.map((other) => (one === other ? 1 : BELIEVED * correlation(one, other))),
  );
  const weights = solve(
    matrix,
    columns.map(() => 1),
  );
  return varied
    .map(({ each }, index) => ({ ...each, weight: weights[index] as number }))
    .filter(({ weight }) => weight > 0);
}

const mean = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;

function covariance(one: Float64Array, other: Float64Array): number {
  const [first, second] = [mean(one), mean(other)];
  return (
    one.reduce((sum, each, row) => sum + (each - first) * ((other[row] as number) - second), 0) / one.length
  );
}

const deviation = (values: Float64Array): number => Math.sqrt(Math.max(0, covariance(values, values)));

const correlation = (one: Float64Array, other: Float64Array): number =>
  covariance(one, other) / (deviation(one) * deviation(other));
