import { FEATURES } from "#core/features.ts";

/** What is true of one simulated account, as far as judging needs it. */
export interface Truth {
  pool: string;
  account: string;
  kind: string;
  typology: string | null;
  care: string | null;
  campaign: string | null;
  machines: number;
  hiddenLegMs: number;
}

/** Feature vectors of simulated accounts joined with what is true of them. */
export interface Dataset {
  /** Row-major, FEATURES.length wide; missing values NaN. */
  rows: Float32Array;
  count: number;
  /** End of each row's window, ms. */
  atMs: Float64Array;
  /** Index into `truth` of each row's account. */
  owner: Uint32Array;
  truth: Truth[];
  /** Number of the world of each record of `truth`. */
  worldOf: number[];
}

/** Puts data sets one after another. */
export function concatenate(sets: readonly Dataset[]): Dataset {
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const all: Dataset = {
    rows: new Float32Array(count * FEATURES.length),
    count,
    atMs: new Float64Array(count),
    owner: new Uint32Array(count),
    truth: [],
    worldOf: [],
  };
  let at = 0;
  for (const [world, set] of sets.entries()) {
    all.rows.set(set.rows, at * FEATURES.length);
    all.atMs.set(set.atMs, at);
    for (let row = 0; row < set.count; row += 1)
      all.owner[at + row] = (set.owner[row] as number) + all.truth.length;
    at += set.count;
    for (const record of set.truth) {
      all.truth.push(record);
      all.worldOf.push(world);
    }
  }
  return all;
}

/** A data set without the rows of some accounts; what is true of them stays. */
export function leaveOut(set: Dataset, isOut: (owner: number) => boolean): Dataset {
  const width = set.rows.length / set.count;
  const kept: number[] = [];
  for (let row = 0; row < set.count; row += 1) if (!isOut(set.owner[row] as number)) kept.push(row);
  const rows = new Float32Array(kept.length * width);
  for (const [at, row] of kept.entries())
    rows.set(set.rows.subarray(row * width, (row + 1) * width), at * width);
  return {
    ...set,
    rows,
    count: kept.length,
    atMs: Float64Array.from(kept, (row) => set.atMs[row] as number),
    owner: Uint32Array.from(kept, (row) => set.owner[row] as number),
  };
}
