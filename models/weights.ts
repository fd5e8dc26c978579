import type { Dataset } from "./evaluate/dataset.ts";
import { ownerWeights } from "./simulate/owners.ts";

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
