import type { Dataset } from "./evaluate/dataset.ts";
import { ownerWeights } from "./simulate/owners.ts";

/**
 * Part that accounts of recorded pools have, of the honest ones' and of the campaigns': what is known of a pool itself says more
 * of it than a simulator does. But where few are known, none counts as much as so many simulated ones.
 */
const RECORDED_PART = 0.3;
const MOST_TIMES = 100;
/** Part of the learning weight that campaigns have. */
const CAMPAIGN_PART = 1 / 3;

/** Weights of rows; 1 for each row that is a campaign's; sums of the honest and of the campaigns'. */
interface Weighed {
  weights: Float64Array;
  labels: Uint8Array;
  sums: [number, number];
}

/**
 * One over the number of its account's rows: every account counts the same, however long it is seen. Rows of recorded pools come after
 * the simulated ones, and count for their part.
 */
export const accountWeights = (simulated: Dataset, recorded?: Dataset): Float64Array =>
  join(weigh(simulated), recorded && weigh(recorded)).weights;

/**
 * Weights to learn by, 1 on average: accounts count alike, campaigns are a third, and kinds of honest owners stand
 * between the hard mix they are drawn in and the usual one they are judged in (the root of the ratio): what is common must be
 * quiet, and what is rare must still be learned.
 */
export function learningWeights(simulated: Dataset, recorded?: Dataset): Float64Array {
  const common = new Map<string, number>();
  const hard = new Map<string, number>(ownerWeights("hard"));
  for (const [kind, weight] of ownerWeights("usual"))
    common.set(kind, Math.sqrt(weight / (hard.get(kind) ?? weight)));
  const ours = weigh(simulated, (kind) => common.get(kind) ?? 1);
  const { weights, labels, sums } = join(ours, recorded && weigh(recorded));
  const scales = [
    ((1 - CAMPAIGN_PART) * weights.length) / sums[0],
    (CAMPAIGN_PART * weights.length) / sums[1],
  ];
  return weights.map((weight, row) => weight * (scales[labels[row] as number] as number));
}

/** Accounts alike, but for what their kind of honest owner counts. */
function weigh({ owner, truth, count }: Dataset, ofKind: (kind: string) => number = () => 1): Weighed {
  const rows = new Float64Array(truth.length);
  for (const one of owner) (rows[one] as number) += 1;
  const labels = new Uint8Array(count);
  const sums: Weighed["sums"] = [0, 0];
  const weights = Float64Array.from(owner, (one, row) => {
    const { campaign, kind } = truth[one] as Dataset["truth"][number];
    const label = campaign === null ? 0 : 1;
    labels[row] = label;
    const weight = (1 / (rows[one] as number)) * (label === 0 ? ofKind(kind) : 1);
    sums[label] += weight;
    return weight;
  });
  return { weights, labels, sums };
}

/** Rows of one after those of the other, which count for their part. */
function join(ours: Weighed, theirs?: Weighed): Weighed {
  if (!theirs) return ours;
  const times = ours.sums.map((sum, label) =>
    Math.min(MOST_TIMES, ((RECORDED_PART / (1 - RECORDED_PART)) * sum) / (theirs.sums[label] as number)),
  );
  const weights = new Float64Array(ours.weights.length + theirs.weights.length);
  weights.set(ours.weights);
  for (const [row, weight] of theirs.weights.entries())
    weights[ours.weights.length + row] = weight * (times[theirs.labels[row] as number] as number);
  const sums = ours.sums.map((sum, label) => sum + (theirs.sums[label] as number) * (times[label] as number));
  return {
    weights,
    labels: Uint8Array.from([...ours.labels, ...theirs.labels]),
    sums: sums as Weighed["sums"],
  };
}
