import { FEATURES } from "#core/features.ts";
import type { Forest } from "./baselines/forest.ts";
import { createForestBatch } from "./baselines/forest-batch.ts";
import { type GrowOptions, growForest } from "./baselines/grow-forest.ts";
import { ENCODED, fitScaler, RISK_FEATURES, type Scaler } from "./encode.ts";
import type { Dataset } from "./evaluate/dataset.ts";
import { fitFusion } from "./fit-fusion.ts";
import { encodeAll } from "./load-model.ts";
import { weightsOf } from "./model-files.ts";
import { CLASSES, runNetwork, type Sizes } from "./network.ts";
import { boundNovelty, campaignLogit, type Fusion, Oracle, rebuildingError } from "./oracle.ts";
import { makeReference, type Reference } from "./reference.ts";
import { ownerWeights } from "./simulate/owners.ts";
import { type Schedule, trainNetwork } from "./train-network.ts";

/** Campaigns per account that values are calibrated for (DETECTION.md: how it is judged). */
export const BASE_RATE = 1e-4;

/** The trees of a model: enough of them to hold the interplay of a dozen typologies, shallow enough to score a pool. */
export const TREES: GrowOptions = {
  trees: 300,
  depth: 5,
  learningRate: 0.08,
  ridge: 1,
  leastCurvature: 2,
  rowPart: 0.7,
  columnPart: 0.5,
};

/** A trained network with what is needed to score by it. The caller disposes of `network`. */
export interface Fitted {
  network: Awaited<ReturnType<typeof trainNetwork>>;
  forest: Forest;
  scaler: Scaler;
  fusion: Fusion;
  oracle: Oracle;
  /** Honest accounts of the worlds it was fused on. */
  reference: Reference;
}

/** Trains on one data set and fuses on another, which is asked for only when the network stands. */
export async function fitModel(
  learning: Dataset,
  fittingSet: () => Promise<Dataset>,
  options: {
    seed: number;
    sizes: Sizes;
    schedule: Schedule;
    trees: GrowOptions;
    onProgress?: (part: number) => void;
  },
): Promise<Fitted> {
  const { seed, sizes, schedule, trees, onProgress } = options;
  const scaler = fitScaler(learning.rows, learning.count);
  const classes = classesOf(learning);
  const weights = learningWeights(learning);
  const network = await trainNetwork(
    { rows: learning.rows, count: learning.count, classes, weights },
    { scaler, sizes, schedule, seed, onProgress: (part) => onProgress?.(part / 2) },
  );
  const forest = growForest(
    {
      rows: learning.rows,
      count: learning.count,
      width: FEATURES.length,
      labels: classes.map((one) => (one === 0 ? 0 : 1)),
      weights,
    },
    { ...trees, seed, onProgress: (part) => onProgress?.(0.5 + part / 2) },
  );
  const fitting = await fittingSet();
  const heads = await runHeads(network, scaler, fitting);
  const byTrees = createForestBatch(forest)(fitting.rows, fitting.count, FEATURES.length);
  const positive = Uint8Array.from(fitting.owner, (owner) => (fitting.truth[owner]?.campaign ? 1 : 0));
  const weight = accountWeights(fitting);
  const noveltyUnit = median(heads.error.filter((_, row) => positive[row] === 0));
  const novelty = heads.error.map((error) => Math.log(boundNovelty(error / noveltyUnit)));
  const fusion: Fusion = {
    ...fitFusion(
      { campaign: heads.campaign, risk: heads.risk, novelty, forest: byTrees, positive, weight },
      BASE_RATE,
    ),
    noveltyUnit,
  };
  const oracle = new Oracle(weightsOf(network), scaler, fusion, forest);
  const honest = Array.from(positive.keys()).filter((row) => positive[row] === 0);
  const rows = new Float32Array(honest.length * FEATURES.length);
  const logits = new Float64Array(honest.length);
  const owner = new Uint32Array(honest.length);
  for (const [at, row] of honest.entries()) {
    const from = row * FEATURES.length;
    rows.set(fitting.rows.subarray(from, from + FEATURES.length), at * FEATURES.length);
    logits[at] = oracle.score(fitting.rows, row).logit;
    owner[at] = fitting.owner[row] as number;
  }
  return {
    network,
    forest,
    scaler,
    fusion,
    oracle,
    reference: makeReference(rows, honest.length, logits, owner),
  };
}

/** Class of each row, by its account's truth. */
export function classesOf(set: Dataset): Uint8Array {
  const byOwner = set.truth.map(({ typology }) => (typology === null ? 0 : CLASSES.indexOf(typology)));
  return Uint8Array.from(set.owner, (owner) => byOwner[owner] as number);
}

/** One over the number of its account's rows: every account counts the same. */
export function accountWeights(set: Dataset): Float64Array {
  const rows = new Float64Array(set.truth.length);
  for (const owner of set.owner) (rows[owner] as number) += 1;
  return Float64Array.from(set.owner, (owner) => 1 / (rows[owner] as number));
}

/** Part of the learning weight that campaigns have. */
const CAMPAIGN_PART = 1 / 3;

/**
 * Weights to learn by, 1 on average: accounts count alike however long they are seen, campaigns are a third, and kinds
 * of honest owners stand between the hard mix they are drawn in and the usual one they are judged in (the root of the
 * ratio): what is common must be quiet, and what is rare must still be learned.
 */
export function learningWeights(set: Dataset): Float64Array {
  const common = new Map<string, number>();
  const hard = new Map<string, number>(ownerWeights("hard"));
  for (const [kind, weight] of ownerWeights("usual"))
    common.set(kind, Math.sqrt(weight / (hard.get(kind) ?? weight)));
  const sums = [0, 0];
  const weights = accountWeights(set).map((weight, row) => {
    const { campaign, kind } = set.truth[set.owner[row] as number] as Dataset["truth"][number];
    const own = campaign === null ? weight * (common.get(kind) ?? 1) : weight;
    (sums[campaign === null ? 0 : 1] as number) += own;
    return own;
  });
  const scales = [
    ((1 - CAMPAIGN_PART) * set.count) / (sums[0] as number),
    (CAMPAIGN_PART * set.count) / (sums[1] as number),
  ];
  return weights.map((weight, row) => {
    const campaign = set.truth[set.owner[row] as number]?.campaign !== null;
    return weight * (scales[campaign ? 1 : 0] as number);
  });
}

async function runHeads(network: Parameters<typeof runNetwork>[0], scaler: Scaler, set: Dataset) {
  const heads = {
    campaign: new Float64Array(set.count),
    risk: new Float64Array(set.count),
    error: new Float64Array(set.count),
  };
  const width = set.rows.length / set.count;
  for (let from = 0; from < set.count; from += 4096) {
    const some = Math.min(4096, set.count - from);
    const encoded = new Float32Array(some * ENCODED);
    const risky = new Float32Array(some * RISK_FEATURES.length);
    encodeAll(scaler, set.rows.subarray(from * width), some, encoded, risky);
    const outputs = await runNetwork(network, encoded, risky, some);
    for (let row = 0; row < some; row += 1) {
      heads.campaign[from + row] = campaignLogit(outputs.typologies, row * CLASSES.length);
      heads.risk[from + row] = outputs.risk[row] as number;
      heads.error[from + row] = rebuildingError(encoded, row * ENCODED, outputs.features, row * width);
    }
  }
  return heads;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  return sorted[Math.floor(sorted.length / 2)] ?? 1;
}
