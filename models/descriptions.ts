import { FEATURE_INDEX } from "#core/features.ts";
import type { Contribution, Scores } from "#core/model.ts";
import type { Description } from "#core/typologies.ts";
import { sigmoid } from "./fusion.ts";
import { Ranks } from "./ranks.ts";
import { type Honest, Signs } from "./signs.ts";

/** A description cannot be looked for with this model. The message says which and why. */
export class DescriptionRefused extends Error {
  override name = "DescriptionRefused";
}

/** A description says nothing of an account that shows no more of it than one honest account in a hundred: ln 99. */
const NOTABLE = 4.6;

/**
 * Looks for typologies that the model has not learned, by their signs alone. How far a sign goes is its rank among honest
 * accounts; signs that go together among these count less together (a matched filter for signs that all rise by as much).
 * What they show, alone or with what the model itself finds in the account, is ranked again, and stands as the value that
 * is as rare among honest accounts: a rank on the model's scale and no probability. The honest accounts are a sample, and
 * the tail beyond it is extrapolated: false flags are the model's own up to ten times over (docs/detection.md).
 */
export class Descriptions {
  /** Chosen signs that are left out: honest accounts do not differ in them, or the others tell all that they do. */
  readonly silent: readonly { typology: string; feature: string }[];
  readonly #all: Described[];
  readonly #model: Ranks;

  /** `logits` are what the model says of the honest accounts. Throws where a description says nothing here. */
  constructor(descriptions: readonly Description[], honest: Honest, logits: Float64Array) {
    this.#model = new Ranks(logits);
    this.#all = descriptions.map((each) => new Described(each, honest, logits, this.#model));
    this.silent = descriptions.flatMap(({ name: typology, signs }, index) =>
      signs
        .filter(({ feature }) => !this.#all[index]?.features.includes(feature))
        .map(({ feature }) => ({ typology, feature })),
    );
  }

  /** The value of row `at` with what its strongest description adds to the model's own, and which: -1 where none does. */
  raise(rows: Float32Array, at: number, own: number): { value: number; by: number } {
    const found = this.#model.of(logitOf(own));
    let by = -1;
    let rarest = NOTABLE;
    for (let index = 0; index < this.#all.length; index += 1) {
      const odds = (this.#all[index] as Described).odds(rows, at, found);
      if (odds <= rarest) continue;
      rarest = odds;
      by = index;
    }
    if (by < 0) return { value: own, by };
    const described = Math.fround(sigmoid(this.#model.at(rarest)));
    return described > own ? { value: described, by } : { value: own, by: -1 };
  }

  /** The model's scores with a column for each description: what it adds to the value. */
  widen(scores: Scores, rows: Float32Array, count: number): Scores {
    const before = scores.typologies.length / Math.max(1, count);
    const width = before + this.#all.length;
    const typologies = new Float32Array(count * width);
    const values = scores.value.slice();
    for (let row = 0; row < count; row += 1) {
      typologies.set(scores.typologies.subarray(row * before, (row + 1) * before), row * width);
      const own = scores.value[row] as number;
      const { value, by } = this.raise(rows, row, own);
      if (by < 0) continue;
      values[row] = value;
      typologies[row * width + before + by] = value - own;
    }
    return { value: values, typologies, novelty: scores.novelty };
  }

  /**
   * `contributions` of the model with what a description adds to the logit, divided among the signs that speak for it by
   * what they show. The strongest first; what they are where no description adds anything, or no sign speaks for it.
   */
  explain(row: Float32Array, own: number, contributions: readonly Contribution[]): Contribution[] {
    const { value, by } = this.raise(row, 0, own);
    if (by < 0) return [...contributions];
    const signs = (this.#all[by] as Described).speaking(row);
    const shown = signs.reduce((sum, { part }) => sum + part, 0);
    const raised = logitOf(value) - logitOf(own);
    const merged = new Map(contributions.map((each) => [each.feature, each]));
    for (const { feature, part, sign } of signs) {
      const contribution = (merged.get(feature)?.contribution ?? 0) + (raised * part) / shown;
      merged.set(feature, { feature, contribution, sign });
    }
    return [...merged.values()].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  }
}

/** Logit of a value in 32 bits: 0 and 1 have none. */
function logitOf(value: number): number {
  const inside = Math.min(Math.max(value, 1e-30), 1 - 1e-7);
  return Math.log(inside / (1 - inside));
}

/** A description held against honest accounts. */
class Described {
  readonly #description: Description;
  readonly #signs: Signs;
  /** Ranks of what the signs show, of that together with what the model finds, and of the stronger of both. */
  readonly #alone: Ranks;
  readonly #together: Ranks;
  readonly #either: Ranks;

  constructor(description: Description, honest: Honest, logits: Float64Array, model: Ranks) {
    const { name, signs } = description;
    for (const { feature } of signs)
      if (!FEATURE_INDEX.has(feature))
        throw new DescriptionRefused(`typology "${name}": there is no feature "${feature}"`);
    this.#description = description;
    this.#signs = new Signs(signs, honest);
    if (this.features.length === 0)
      throw new DescriptionRefused(`typology "${name}": honest accounts do not differ in any of its signs`);
    const shown = Float64Array.from(logits, (_, row) => this.#signs.shown(honest.rows, row));
    this.#alone = new Ranks(shown);
    const alone = shown.map((each) => this.#alone.of(each));
    const together = alone.map((each, row) => each + model.of(logits[row] as number));
    this.#together = new Ranks(together);
    this.#either = new Ranks(
      together.map((each, row) => Math.max(alone[row] as number, this.#together.of(each))),
    );
  }

  /**
   * Log odds of how rare row `at` is among honest accounts; `model` are those of what the model finds in it. Minus infinity
   * where none of the signs is known.
   */
  odds(rows: Float32Array, at: number, model: number): number {
    if (!this.#signs.known(rows, at)) return Number.NEGATIVE_INFINITY;
    const alone = this.#alone.of(this.#signs.shown(rows, at));
    return this.#either.of(Math.max(alone, this.#together.of(alone + model)));
  }

  get features(): string[] {
    return this.#signs.features;
  }

  /** The signs that speak for it in a row, each with its part of what they show. */
  speaking(row: Float32Array) {
    const { name: typology, about, source } = this.#description;
    return this.#signs.speaking(row).map(({ feature, side, below, part }) => {
      return { feature, part, sign: { typology, about, source, side, below } };
    });
  }
}
