import { z } from "zod";

/**
 * Boosted trees, all of one depth at most, laid flat: tree t has its nodes from t · nodesOf(depth) on, and node n of a
 * tree has the children 2n + 1 (value at most the split, or missing) and 2n + 2.
 */
export interface Forest {
  trees: number;
  depth: number;
  /** Logit before any tree has spoken. */
  base: number;
  /** −1: not split. */
  feature: Int16Array;
  split: Float32Array;
  /** Logit a leaf adds; inner nodes hold the mean of what lies below, by training weight: explanations walk over them. */
  value: Float32Array;
  /** Where a row is left that its first trees find nothing in; null: nowhere. */
  exit: Exit | null;
}

/**
 * A row whose logit lies below `below` when its first `after` trees have spoken is asked no more: `rest` is added, what
 * the other trees add to such rows on average. Nine accounts in ten are as dull as that, and none that anybody would flag.
 */
export interface Exit {
  after: number;
  below: number;
  rest: number;
}

/** Stands for minus infinity in a split: everything that is present lies above it. */
export const BELOW_ALL = -1e30;

/** Nodes of a complete binary tree. */
export const nodesOf = (depth: number): number => 2 ** (depth + 1) - 1;

/** What a forest says of a row, and whether the row was left early. */
export interface ForestAnswer {
  logit: number;
  left: boolean;
}

/** Asks a forest about the row that starts at `at`. Missing values (NaN) go left everywhere. */
export function askForest(forest: Forest, rows: ArrayLike<number>, at: number): ForestAnswer {
  const { trees, depth, base, feature, split, value, exit } = forest;
  const nodes = nodesOf(depth);
  const asked = exit ? exit.after * nodes : -1;
  let logit = base;
  for (let first = 0; first < trees * nodes; first += nodes) {
    if (exit && first === asked && logit < exit.below) return { logit: logit + exit.rest, left: true };
    let node = 0;
    let column = feature[first] as number;
    while (column >= 0) {
      node = (rows[at + column] as number) > (split[first + node] as number) ? 2 * node + 2 : 2 * node + 1;
      column = feature[first + node] as number;
    }
    logit += value[first + node] as number;
  }
  return { logit, left: false };
}

/** Logit of the row that starts at `at`. */
export const forestLogit = (forest: Forest, rows: ArrayLike<number>, at: number): number =>
  askForest(forest, rows, at).logit;

/**
 * What each feature adds to a row's logit: along each tree's path, the change of the node's mean is the split feature's
 * (Saabas 2014). Together with the mean of all they add up to the logit of all trees, exactly: nothing is left early here.
 * Adds to `into`, scaled by `factor`.
 */
export function addForestContributions(
  forest: Forest,
  row: ArrayLike<number>,
  factor: number,
  into: Float64Array,
): void {
  const { trees, depth, feature, split, value } = forest;
  const nodes = nodesOf(depth);
  for (let first = 0; first < trees * nodes; first += nodes) {
    let node = 0;
    for (;;) {
      const column = feature[first + node] as number;
      if (column < 0) break;
      const next = (row[column] as number) > (split[first + node] as number) ? 2 * node + 2 : 2 * node + 1;
      (into[column] as number) +=
        factor * ((value[first + next] as number) - (value[first + node] as number));
      node = next;
    }
  }
}

/** Mean logit of the training rows, by weight: where contributions start from. */
export function forestMean({ trees, depth, base, value }: Forest): number {
  let mean = base;
  for (let tree = 0; tree < trees; tree += 1) mean += value[tree * nodesOf(depth)] as number;
  return mean;
}

/** How a forest stands in a file. */
export const forestSchema = z.strictObject({
  trees: z.number().int().min(0),
  depth: z.number().int().min(1).max(7),
  base: z.number(),
  feature: z.array(z.number().int()),
  split: z.array(z.number()),
  value: z.array(z.number()),
  exit: z.strictObject({ after: z.number().int().min(1), below: z.number(), rest: z.number() }).nullable(),
});

/** A forest as it is written. Numbers of 32 bits in eight digits: within a hundred-millionth of what they were. */
export function writeForest(forest: Forest): z.infer<typeof forestSchema> {
  const short = (value: number): number => Number(value.toPrecision(8));
  return {
    trees: forest.trees,
    depth: forest.depth,
    base: forest.base,
    feature: [...forest.feature],
    split: Array.from(forest.split, short),
    value: Array.from(forest.value, short),
    exit: forest.exit,
  };
}

/** Reads `writeForest`'s form. Throws RangeError where the parts do not fit together or a split names no column of `width`. */
export function readForest(written: z.infer<typeof forestSchema>, width: number): Forest {
  const { trees, depth, base, exit } = written;
  const length = trees * nodesOf(depth);
  const forest: Forest = {
    trees,
    depth,
    base,
    feature: Int16Array.from(written.feature),
    split: Float32Array.from(written.split),
    value: Float32Array.from(written.value),
    exit,
  };
  if (exit && exit.after >= trees) throw new RangeError(`an exit after ${exit.after} of ${trees} trees`);
  for (const part of [forest.feature, forest.split, forest.value])
    if (part.length !== length) throw new RangeError(`${trees} trees of depth ${depth} have ${length} nodes`);
  const leaves = 2 ** depth - 1;
  for (let node = 0; node < length; node += 1) {
    const column = forest.feature[node] as number;
    // A split in the lowest row would send a row out of its tree.
    const inner = node % nodesOf(depth) < leaves;
    if (column >= width || column < -1 || (column >= 0 && !inner))
      throw new RangeError(`a tree splits on column ${column}`);
  }
  return forest;
}
