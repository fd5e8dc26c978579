import { FEATURES } from "#core/features.ts";
import { growAside } from "./baselines/grow-aside.ts";
import type { GrowOptions } from "./baselines/grow-forest.ts";
import type { Divided } from "./divide-recordings.ts";
import { fitScaler } from "./encode.ts";
import { concatenate, type Dataset } from "./evaluate/dataset.ts";
import { type Fused, fuseModel, type Parts } from "./fuse-model.ts";
import { HIDE_FROM_TREES, hideParts } from "./hide.ts";
import { growHours } from "./hours.ts";
import { CLASSES, type Sizes } from "./network.ts";
import { type Schedule, trainNetwork } from "./train-network.ts";
import { learningWeights } from "./weights.ts";

/**
 * The trees of a model: enough of them to hold the interplay of a dozen typologies. Fewer than one honest account in
 * ten of a usual pool is asked about by more than the first 40, or by the network.
 */
export const TREES: GrowOptions = {
  trees: 500,
  depth: 6,
  learningRate: 0.08,
  ridge: 1,
  leastCurvature: 2,
  rowPart: 0.7,
  columnPart: 0.5,
  exit: { after: 40, part: 0.1 },
};

/** A trained model with what is needed to score by it. The caller disposes of `network`. */
export interface Fitted extends Parts, Fused {}

/**
 * Trains on one data set, network and both forests side by side, and fuses on another, which is asked for only when both stand.
 */
export async function fitModel(
  simulated: Dataset,
  fittingSet: () => Promise<Dataset>,
  options: {
    /** Recorded pools to learn from and to fuse on beside. */
    recorded?: Pick<Divided, "learning" | "fusing">;
    seed: number;
    sizes: Sizes;
    schedule: Schedule;
    trees: GrowOptions;
    onProgress?: (part: number) => void;
  },
): Promise<Fitted> {
  const { recorded, seed, sizes, schedule, trees, onProgress } = options;
  const learning = recorded ? concatenate([simulated, recorded.learning]) : simulated;
  const scaler = fitScaler(learning.rows, learning.count);
  const classes = classesOf(learning);
  const weights = learningWeights(simulated, recorded?.learning);
  const done = { network: 0, forest: 0 };
  const onPart = (which: keyof typeof done) => (part: number) => {
    done[which] = part;
    onProgress?.((done.network + done.forest) / 2);
  };
  const { rows, count } = learning;
  const labels = classes.map((one) => (one === 0 ? 0 : 1));
  const failed = new AbortController();
  const [forest, hours, network] = await Promise.all([
    growAside(
      { rows: hideParts(rows, HIDE_FROM_TREES, seed), count, width: FEATURES.length, labels, weights },
      { ...trees, seed, onProgress: onPart("forest") },
      failed.signal,
    ),
    growHours(learning, { labels, weights }, { ...trees, seed }, failed.signal),
    trainNetwork(
      { rows, count, classes, weights },
      { scaler, sizes, schedule, seed, onProgress: onPart("network") },
    ),
  ]).catch((error: unknown) => {
    failed.abort();
    throw error;
  });
  const parts = { network, forest, hours, scaler };
  return { ...parts, ...(await fuseModel(parts, await fittingSet(), recorded?.fusing)) };
}

/** Class of each row, by its account's truth. */
export function classesOf(set: Dataset): Uint8Array {
  const byOwner = set.truth.map(({ typology }) => (typology === null ? 0 : CLASSES.indexOf(typology)));
  return Uint8Array.from(set.owner, (owner) => byOwner[owner] as number);
}
