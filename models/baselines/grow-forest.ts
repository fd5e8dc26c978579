import { randomFrom } from "#core/random.ts";
import { BINS, type Bins, binned, type Labelled } from "./bins.ts";
import { type Forest, nodesOf } from "./forest.ts";

/** How the trees are grown. */
export interface GrowOptions {
  trees: number;
  depth: number;
  learningRate: number;
  /** Pull of a leaf's value towards 0, in units of its curvature. */
  ridge: number;
  /** Least sum of curvature p·(1 − p) a leaf stands on. */
  leastCurvature: number;
  /** Whether, and how, dull rows are left early: after so many trees, all but this part of the honest rows by weight. */
  exit?: { after: number; part: number };
  /** Parts of the rows and of the columns that each tree sees; 1 for all. */
  rowPart?: number;
  columnPart?: number;
  /** What is drawn is drawn from this; without parts nothing is. */
  seed?: number;
  onProgress?: (part: number) => void;
}

/**
 * Gradient-boosted trees for the logistic loss, second order, on histograms (Friedman 2001; Chen & Guestrin, KDD 2016;
 * Ke et al., NeurIPS 2017): a bin of its own for what is missing and 63 quantile bins a feature. The same rows and
 * options give the same trees, bit for bit.
 */
export function growForest(labelled: Labelled, options: GrowOptions): Forest {
  const { count, width, labels, weights } = labelled;
  const { trees, depth, learningRate, rowPart = 1, columnPart = 1, seed = 0, onProgress } = options;
  const random = randomFrom(seed);
  const bins = binned(labelled);
  const weight = Float64Array.from({ length: count }, (_, row) => weights?.[row] ?? 1);
  let [positive, whole] = [0, 0];
  for (let row = 0; row < count; row += 1) {
    whole += weight[row]!;
    if (labels[row] === 1) positive += weight[row]!;
  }
  if (!(positive > 0 && positive < whole)) throw new RangeError("boosted trees: both classes are needed");
  const base = Math.log(positive / (whole - positive));
  const logits = new Float64Array(count).fill(base);
  const slope = new Float64Array(count);
  const curvature = new Float64Array(count);
  const nodes = nodesOf(depth);
  const forest: Forest = {
    trees,
    depth,
    base,
    feature: new Int16Array(trees * nodes).fill(-1),
    split: new Float32Array(trees * nodes),
    value: new Float32Array(trees * nodes),
    exit: null,
  };
  let early: Float64Array | undefined;
  const all = Uint32Array.from({ length: count }, (_, row) => row);
  for (let tree = 0; tree < trees; tree += 1) {
    for (let row = 0; row < count; row += 1) {
      const probability = 1 / (1 + Math.exp(-logits[row]!));
      slope[row] = weight[row]! * (probability - (labels[row] === 1 ? 1 : 0));
      curvature[row] = weight[row]! * probability * (1 - probability);
    }
    const grown = growTree(bins, {
      ...options,
      rows: rowPart < 1 ? all.filter(() => random() < rowPart) : all,
      columns: columnPart < 1 ? drawColumns(random, width, columnPart) : all.subarray(0, width),
      count,
      slope,
      curvature,
    });
    for (let node = 0; node < nodes; node += 1) {
      forest.feature[tree * nodes + node] = grown.feature[node]!;
      const column = grown.feature[node]!;
      forest.split[tree * nodes + node] = column < 0 ? 0 : bins.edge[column * BINS + grown.bin[node]!]!;
      forest.value[tree * nodes + node] = learningRate * grown.value[node]!;
    }
    for (let row = 0; row < count; row += 1)
      logits[row]! += learningRate * grown.value[leafOf(grown, bins, row, count)]!;
    if (tree + 1 === options.exit?.after && tree + 1 < trees) early = logits.slice();
    onProgress?.((tree + 1) / trees);
  }
  if (early && options.exit) {
    const { after, part } = options.exit;
    forest.exit = { after, ...fitExit({ early, last: logits, labels, weight }, part) };
  }
  return forest;
}

/** The logit that `part` of the honest rows reach early, and what was added later to those below, on average. */
function fitExit(
  {
    early,
    last,
    labels,
    weight,
  }: Record<"early" | "last" | "weight", Float64Array> & Pick<Labelled, "labels">,
  part: number,
): { below: number; rest: number } {
  const honest = Array.from(early.keys()).filter((row) => labels[row] !== 1);
  honest.sort((a, b) => early[b]! - early[a]!);
  let most = part * honest.reduce((sum, row) => sum + weight[row]!, 0);
  let below = Number.POSITIVE_INFINITY;
  for (const row of honest) {
    most -= weight[row]!;
    if (most < 0) break;
    below = early[row]!;
  }
  let [sum, whole] = [0, 0];
  for (const row of honest) {
    if (early[row]! >= below) continue;
    sum += weight[row]! * (last[row]! - early[row]!);
    whole += weight[row]!;
  }
  return { below, rest: whole > 0 ? sum / whole : 0 };
}

function drawColumns(random: () => number, width: number, part: number): Uint32Array {
  const columns = Uint32Array.from({ length: width }, (_, column) => column);
  const wanted = Math.max(1, Math.round(part * width));
  for (let at = 0; at < wanted; at += 1) {
    const other = at + Math.floor((width - at) * random());
    [columns[at], columns[other]] = [columns[other]!, columns[at]!];
  }
  return columns.slice(0, wanted).sort();
}

interface Grown {
  feature: Int16Array;
  /** Rows of this bin and below go left. */
  bin: Uint8Array;
  value: Float64Array;
}

interface Growth {
  count: number;
  rows: Uint32Array;
  columns: Uint32Array;
  slope: Float64Array;
  curvature: Float64Array;
  depth: number;
  ridge: number;
  leastCurvature: number;
}

/** Grows level by level: one pass over the rows fills the histograms of a whole level. */
function growTree(bins: Bins, growth: Growth): Grown {
  const { count, rows, slope, curvature, depth, ridge } = growth;
  const nodes = nodesOf(depth);
  const feature = new Int16Array(nodes).fill(-1);
  const bin = new Uint8Array(nodes);
  const slopes = new Float64Array(nodes);
  const curvatures = new Float64Array(nodes);
  const place = new Uint8Array(rows.length);
  for (let at = 0; at < rows.length; at += 1) {
    slopes[0]! += slope[rows[at]!]!;
    curvatures[0]! += curvature[rows[at]!]!;
  }
  for (let level = 0; level < depth; level += 1) {
    const first = 2 ** level - 1;
    const best = bestSplits(bins, place, { first, size: 2 ** level, slopes, curvatures }, growth);
    let parted = false;
    for (const [index, { feature: chosen, bin: at }] of best.entries()) {
      feature[first + index] = chosen;
      bin[first + index] = at;
      parted ||= chosen >= 0;
    }
    if (!parted) break;
    for (let at = 0; at < rows.length; at += 1) {
      const node = place[at]!;
      const chosen = node >= first ? feature[node]! : -1;
      if (chosen < 0) continue;
      const row = rows[at]!;
      const child = 2 * node + (bins.bin[chosen * count + row]! <= bin[node]! ? 1 : 2);
      place[at] = child;
      slopes[child]! += slope[row]!;
      curvatures[child]! += curvature[row]!;
    }
  }
  const value = new Float64Array(nodes);
  for (let node = 0; node < nodes; node += 1) value[node] = -slopes[node]! / (curvatures[node]! + ridge);
  // An inner node's value is the mean of its children's, by curvature: contributions along a path then add up.
  for (let node = nodes - 1; node >= 0; node -= 1) {
    if (feature[node]! < 0) continue;
    const [left, right] = [2 * node + 1, 2 * node + 2];
    const [a, b] = [curvatures[left]!, curvatures[right]!];
    value[node] = a + b > 0 ? (a * value[left]! + b * value[right]!) / (a + b) : 0;
  }
  return { feature, bin, value };
}

function leafOf({ feature, bin }: Grown, bins: Bins, row: number, count: number): number {
  let node = 0;
  for (let chosen = feature[0]!; chosen >= 0; chosen = feature[node]!)
    node = 2 * node + (bins.bin[chosen * count + row]! <= bin[node]! ? 1 : 2);
  return node;
}

/** The split with the largest gain for every node of a level, feature −1 where none gains. */
function bestSplits(
  { bin }: Bins,
  place: Uint8Array,
  level: { first: number; size: number; slopes: Float64Array; curvatures: Float64Array },
  { count, rows, columns, slope, curvature, ridge, leastCurvature }: Growth,
): { feature: number; bin: number; gain: number }[] {
  const { first, size } = level;
  const best = Array.from({ length: size }, () => ({ feature: -1, bin: 0, gain: 1e-9 }));
  const sums = new Float64Array(2 * size * BINS);
  for (const feature of columns) {
    sums.fill(0);
    const column = feature * count;
    for (let at = 0; at < rows.length; at += 1) {
      const node = place[at]! - first;
      if (node < 0) continue;
      const row = rows[at]!;
      const cell = 2 * (node * BINS + bin[column + row]!);
      sums[cell]! += slope[row]!;
      sums[cell + 1]! += curvature[row]!;
    }
    for (let node = 0; node < size; node += 1) {
      const allSlope = level.slopes[first + node]!;
      const allCurvature = level.curvatures[first + node]!;
      if (allCurvature < 2 * leastCurvature) continue;
      const whole = allSlope ** 2 / (allCurvature + ridge);
      let leftSlope = 0;
      let leftCurvature = 0;
      for (let at = 0; at < BINS - 1; at += 1) {
        leftSlope += sums[2 * (node * BINS + at)]!;
        leftCurvature += sums[2 * (node * BINS + at) + 1]!;
        const rightCurvature = allCurvature - leftCurvature;
        if (leftCurvature < leastCurvature) continue;
        if (rightCurvature < leastCurvature) break;
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
