import { type Random, randomFrom } from "#core/random.ts";
import { type OutlierBaseline, type Rows, requireRows } from "./baseline.ts";

/** How the forest is grown; the defaults are those of the paper and of scikit-learn. */
export interface IsolationForestOptions {
  seed?: number;
  trees?: number;
  /** Rows a tree is grown on. */
  sample?: number;
}

/** One tree in flat arrays: a leaf has feature −1 and its path length as `split`. */
interface Tree {
  feature: Int32Array;
  split: Float64Array;
  /** The left child; the right one follows it. */
  child: Int32Array;
}

const EULER = 0.5772156649015329;

/** Mean path of an unsuccessful search among `count` rows in a binary tree: what a leaf of so many rows stands for. */
function meanPath(count: number): number {
  if (count <= 1) return 0;
  if (count === 2) return 1;
  return 2 * (Math.log(count - 1) + EULER) - (2 * (count - 1)) / count;
}

/**
 * Isolation forest (Liu, Ting & Zhou, ICDM 2008): what random splits part from the rest early is strange. Scores are
 * 2^(−mean path/c), 0..1, about .5 for the ordinary.
 */
export function isolationForest(options: IsolationForestOptions = {}): OutlierBaseline {
  const { seed = 1, trees = 100, sample = 256 } = options;
  return {
    name: "isolation forest",
    fit(rows, count, width) {
      requireRows("isolation forest", rows, count, width);
      const random = randomFrom(seed);
      const size = Math.min(sample, count);
      const forest = Array.from({ length: trees }, () =>
        grow(rows, drawn(count, size, random), width, random),
      );
      const normal = meanPath(size) || 1;
      return (asked, askedCount) => {
        requireRows("isolation forest", asked, askedCount, width);
        return Float64Array.from({ length: askedCount }, (_, row) => {
          let sum = 0;
          for (const tree of forest) sum += pathLength(tree, asked, row * width);
          return 2 ** (-sum / trees / normal);
        });
      };
    },
  };
}

/** `size` different rows of `count`, by a partial shuffle. */
function drawn(count: number, size: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = 0; index < size; index += 1) {
    const other = index + Math.floor(random() * (count - index));
    const kept = order[index]!;
    order[index] = order[other]!;
    order[other] = kept;
  }
  return order.slice(0, size);
}

function grow(rows: Rows, members: Uint32Array, width: number, random: Random): Tree {
  const limit = Math.ceil(Math.log2(Math.max(2, members.length)));
  const feature: number[] = [-1];
  const split: number[] = [0];
  const child: number[] = [0];
  const pending = [{ node: 0, from: 0, to: members.length, depth: 0 }];
  for (let task = pending.pop(); task; task = pending.pop()) {
    const { node, from, to, depth } = task;
    const chosen =
      depth < limit && to - from > 1 ? drawSplit(rows, members, { from, to, width }, random) : undefined;
    if (!chosen) {
      split[node] = depth + meanPath(to - from);
      continue;
    }
    let middle = from;
    for (let index = from; index < to; index += 1) {
      const row = members[index]!;
      if (rows[row * width + chosen.feature]! > chosen.split) continue;
      members[index] = members[middle]!;
      members[middle] = row;
      middle += 1;
    }
    const left = feature.length;
    feature.push(-1, -1);
    split.push(0, 0);
    child.push(0, 0);
    feature[node] = chosen.feature;
    split[node] = chosen.split;
    child[node] = left;
    pending.push({ node: left, from, to: middle, depth: depth + 1 });
    pending.push({ node: left + 1, from: middle, to, depth: depth + 1 });
  }
  return {
    feature: Int32Array.from(feature),
    split: Float64Array.from(split),
    child: Int32Array.from(child),
  };
}

/** A random feature that is not constant among the members, and a random place between its ends. */
function drawSplit(
  rows: Rows,
  members: Uint32Array,
  { from, to, width }: { from: number; to: number; width: number },
  random: Random,
): { feature: number; split: number } | undefined {
  const features = Int32Array.from({ length: width }, (_, index) => index);
  for (let left = width; left > 0; left -= 1) {
    const at = Math.floor(random() * left);
    const feature = features[at]!;
    features[at] = features[left - 1]!;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let index = from; index < to; index += 1) {
      const value = rows[members[index]! * width + feature]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const split = low + random() * (high - low);
    if (low < high && split < high) return { feature, split };
  }
  return undefined;
}

function pathLength(tree: Tree, rows: Rows, at: number): number {
  let node = 0;
  for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[node]!) {
    const left = tree.child[node]!;
    node = rows[at + feature]! <= tree.split[node]! ? left : left + 1;
  }
  return tree.split[node]!;
}
