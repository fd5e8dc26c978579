import { FEATURES } from "#core/features.ts";
import { FAMILIES } from "#core/flag.ts";
import { createRandom, type Random } from "./simulate/random.ts";

/**
 * What is hidden while a model learns: no two pools log the same, and a campaign elsewhere shows itself in other ways than
 * here. Of so many rows whole families and single features are hidden, each with its probability; of the others single ones.
 */
export interface Hiding {
  rows: number;
  families: number;
  features: number;
  otherwise: number;
}

/** Trees split on what is there: much is hidden from them. */
export const HIDE_FROM_TREES: Hiding = { rows: 0.5, families: 0.4, features: 0.2, otherwise: 0 };
export const HIDE_FROM_NETWORK: Hiding = { rows: 0.5, families: 0.3, features: 0.15, otherwise: 0.04 };

const FAMILY_OF = FEATURES.map(({ family }) => FAMILIES.indexOf(family));

/** Draws what is hidden of one row, after another: 1 for every column that is. The array is the same each time. */
export function hider({ rows, families, features, otherwise }: Hiding, random: Random): () => Uint8Array {
  const hidden = new Uint8Array(FEATURES.length);
  const hiddenFamily = new Uint8Array(FAMILIES.length);
  return () => {
    const much = random.chance(rows);
    for (let family = 0; family < hiddenFamily.length; family += 1)
      hiddenFamily[family] = much && random.chance(families) ? 1 : 0;
    const single = much ? features : otherwise;
    for (let column = 0; column < hidden.length; column += 1) {
      const gone = hiddenFamily[FAMILY_OF[column] as number] === 1;
      hidden[column] = gone || random.chance(single) ? 1 : 0;
    }
    return hidden;
  };
}

/** Vectors, row-major, with parts of them missing. The same seed hides the same. */
export function hideParts(rows: Float32Array, hiding: Hiding, seed: number): Float32Array {
  const left = rows.slice();
  const draw = hider(hiding, createRandom(seed, "hide"));
  for (let from = 0; from < rows.length; from += FEATURES.length) {
    const hidden = draw();
    for (let column = 0; column < hidden.length; column += 1)
      if (hidden[column] === 1) left[from + column] = Number.NaN;
  }
  return left;
}
