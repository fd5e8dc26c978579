import { type LabelledBaseline, type Rows, requireRows } from "./baseline.ts";

/** How the trees are grown. */
export interface BoostingOptions {
  trees?: number;
  depth?: number;
  learningRate?: number;
  /** Pull of a leaf's value towards 0, in units of its curvature. */
  ridge?: number;
  /** Least sum of curvature p·(1 − p) a leaf stands on. */
  leastCurvature?: number;
}

/** A complete binary tree: node n has the children 2n + 1 and 2n + 2. */
interface Tree {
  /** −1: not split. */
  feature: Int32Array;
  /** A row goes left when its value is at most this. */
  split: Float64Array;
  value: Float64Array;
}

const BINS = 64;

/**
 * Gradient-boosted trees for the logistic loss, second order, on histograms of 64 quantile bins a feature (Friedman
 * 2001; Chen & Guestrin, KDD 2016; Ke et al., NeurIPS 2017). No randomness: the same rows give the same trees. Scores
 * are probabilities at the base rate of the training rows.
 */
export function gradientBoosting(options: BoostingOptions = {}): LabelledBaseline {
  const { trees = 200, depth = 5, learningRate = 0.1, ridge = 1, leastCurvature = 1 } = options;
  return {
    name: "gradient-boosted trees",
    fit(rows, count, width, labels) {
      requireRows("gradient-boosted trees", rows, count, width);
      const bins = binned(rows, count, width);
      const target = Float64Array.from({ length: count }, (_, row) => (labels[row] === 1 ? 1 : 0));
      const rate = target.reduce((sum, one) => sum + one, 0) / count;
      if (!(rate > 0 && rate < 1)) throw new RangeError("gradient-boosted trees: both classes are needed");
      const base = Math.log(rate / (1 - rate));
      const logits = new Float64Array(count).fill(base);
      const slope = new Float64Array(count);
      const curvature = new Float64Array(count);
      const grown: Tree[] = [];
      for (let tree = 0; tree < trees; tree += 1) {
        for (let row = 0; row < count; row += 1) {
          const probability = 1 / (1 + Math.exp(-logits[row]!));
          slope[row] = probability - target[row]!;
          curvature[row] = probability * (1 - probability);
        }
        const next = growTree(bins, { count, width, slope, curvature, depth, ridge, leastCurvature });
        for (let node = 0; node < next.value.length; node += 1) next.value[node]! *= learningRate;
        for (let row = 0; row < count; row += 1) logits[row]! += treeValue(next, rows, row * width);
        grown.push(next);
      }
      return (asked, askedCount) => {
        requireRows("gradient-boosted trees", asked, askedCount, width);
        return Float64Array.from({ length: askedCount }, (_, row) => {
          const logit = grown.reduce((sum, tree) => sum + treeValue(tree, asked, row * width), base);
          return 1 / (1 + Math.exp(-logit));
        });
      };
    },
  };
}

/** Bin of every value, column by column, and the upper edge of every bin. */
interface Bins {
  bin: Uint8Array;
  /** `BINS` a feature; the edges of unused bins are infinite. */
  edge: Float64Array;
}

function binned(rows: Rows, count: number, width: number): Bins {
  const bin = new Uint8Array(count * width);
  const edge = new Float64Array(width * BINS).fill(Number.POSITIVE_INFINITY);
  for (let feature = 0; feature < width; feature += 1) {
    const column = Float64Array.from({ length: count }, (_, row) => rows[row * width + feature]!);
    const sorted = column.slice().sort();
    let used = 0;
    for (let part = 1; part < BINS; part += 1) {
      const value = sorted[Math.floor((part * count) / BINS)]!;
      // The largest value's edge would part nothing.
      if (value < sorted[count - 1]! && (used === 0 || value > edge[feature * BINS + used - 1]!)) {
        edge[feature * BINS + used] = value;
        used += 1;
      }
    }
    for (let row = 0; row < count; row += 1) {
      let low = 0;
      let high = used;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (edge[feature * BINS + middle]! < column[row]!) low = middle + 1;
        else high = middle;
      }
      bin[feature * count + row] = low;
    }
  }
  return { bin, edge };
}

interface Growth {
  count: number;
  width: number;
  slope: Float64Array;
  curvature: Float64Array;
  depth: number;
  ridge: number;
  leastCurvature: number;
}

/** Grows level by level: one pass over the rows fills the histograms of a whole level. */
function growTree({ bin, edge }: Bins, growth: Growth): Tree {
  const { count, slope, curvature, depth, ridge } = growth;
  const nodes = 2 ** (depth + 1) - 1;
  const feature = new Int32Array(nodes).fill(-1);
  const split = new Float64Array(nodes);
  const value = new Float64Array(nodes);
  const place = new Int32Array(count);
  for (let level = 0; level < depth; level += 1) {
    const first = 2 ** level - 1;
    const size = 2 ** level;
    const best = bestSplits(bin, place, first, size, growth);
    let parted = false;
    for (let node = 0; node < size; node += 1) {
      const { feature: chosen, bin: at } = best[node]!;
      feature[first + node] = chosen;
      if (chosen < 0) continue;
      split[first + node] = edge[chosen * BINS + at]!;
      parted = true;
    }
    if (!parted) break;
    for (let row = 0; row < count; row += 1) {
      const node = place[row]!;
      const chosen = node >= first ? feature[node]! : -1;
      if (chosen >= 0)
        place[row] = 2 * node + (bin[chosen * count + row]! <= best[node - first]!.bin ? 1 : 2);
    }
  }
  const slopes = new Float64Array(nodes);
  const curvatures = new Float64Array(nodes);
  for (let row = 0; row < count; row += 1) {
    slopes[place[row]!]! += slope[row]!;
    curvatures[place[row]!]! += curvature[row]!;
  }
  for (let node = 0; node < nodes; node += 1) value[node] = -slopes[node]! / (curvatures[node]! + ridge);
  return { feature, split, value };
}

/** The split with the largest gain for every node of a level, feature −1 where none gains. */
function bestSplits(
  bin: Uint8Array,
  place: Int32Array,
  first: number,
  size: number,
  { count, width, slope, curvature, ridge, leastCurvature }: Growth,
): { feature: number; bin: number; gain: number }[] {
  const best = Array.from({ length: size }, () => ({ feature: -1, bin: 0, gain: 1e-9 }));
  const slopes = new Float64Array(size * BINS);
  const curvatures = new Float64Array(size * BINS);
  for (let feature = 0; feature < width; feature += 1) {
    slopes.fill(0);
    curvatures.fill(0);
    for (let row = 0; row < count; row += 1) {
      const node = place[row]! - first;
      if (node < 0) continue;
      const cell = node * BINS + bin[feature * count + row]!;
      slopes[cell]! += slope[row]!;
      curvatures[cell]! += curvature[row]!;
    }
    for (let node = 0; node < size; node += 1) {
      const from = node * BINS;
      let allSlope = 0;
      let allCurvature = 0;
      for (let cell = from; cell < from + BINS; cell += 1) {
        allSlope += slopes[cell]!;
        allCurvature += curvatures[cell]!;
      }
      const whole = allSlope ** 2 / (allCurvature + ridge);
      let leftSlope = 0;
      let leftCurvature = 0;
      for (let at = 0; at < BINS - 1; at += 1) {
        leftSlope += slopes[from + at]!;
        leftCurvature += curvatures[from + at]!;
        const rightCurvature = allCurvature - leftCurvature;
        if (leftCurvature < leastCurvature || rightCurvature < leastCurvature) continue;
        const right = (allSlope - leftSlope) ** 2 / (rightCurvature + ridge);
        const gain = leftSlope ** 2 / (leftCurvature + ridge) + right - whole;
        const found = best[node]!;
        if (gain > found.gain) {
          found.gain = gain;
          found.feature = feature;
          found.bin = at;
        }
      }
    }
  }
  return best;
}

function treeValue(tree: Tree, rows: Rows, at: number): number {
  let node = 0;
  for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[node]!) {
    node = 2 * node + (rows[at + feature]! <= tree.split[node]! ? 1 : 2);
  }
  return tree.value[node]!;
}
