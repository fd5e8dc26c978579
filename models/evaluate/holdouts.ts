import type { Dataset } from "./dataset.ts";
import { judge, recallAt, thresholdForFlags } from "./detection-metrics.ts";
import { type Finding, judged } from "./figure.ts";
import { bootstrapRecall, poissonUpper } from "./intervals.ts";
import type { Scorer } from "./population.ts";

const ACCOUNTS = 100_000;
const BUDGET = 10;

export interface HoldoutsOptions {
  /** A usual population with campaigns of every typology. */
  set: Dataset;
  /** Typologies left out in turn. */
  typologies: readonly string[];
  /** Trains without one typology, from the same rows otherwise; a fresh model each time. */
  trainWithout(typology: string): Promise<Scorer>;
  /** The model as shipped, and honest populations with something moved out of what training saw. */
  model: Scorer;
  shifted(): AsyncIterable<{ name: string; set: Dataset }>;
  /** Calibrated value from which an account is flagged. */
  threshold: number;
}

/** What happens where the world is not as in training: a typology never seen, other hardware, rates, places, logs. */
export async function* evaluateHoldouts(options: HoldoutsOptions): AsyncGenerator<Finding> {
  const { set, typologies, model, threshold } = options;
  const rows: (string | number)[][] = [];
  let lowest = Number.POSITIVE_INFINITY;
  let interval = { low: 0, high: 1 };
  let lowestName = "";
  for (const typology of typologies) {
    const scorer = await options.trainWithout(typology);
    const result = judge(set, await scorer.score(set.rows, set.count));
    const level = thresholdForFlags(result, BUDGET / ACCOUNTS);
    const own = result.campaigns.filter((one) => one.typology === typology && one.care !== "careful");
    const recall = recallAt(own, level);
    rows.push([typology, own.length, Math.round(recall * 1000) / 1000]);
    if (!(recall < lowest)) continue;
    lowest = recall;
    lowestName = typology;
    interval = bootstrapRecall(own, level);
  }
  yield judged(
    {
      figure: "holdouts.leave_one_out_recall",
      value: lowest,
      unit: "part of campaigns",
      ...interval,
      note: `lowest: ${lowestName}; blatant and middle campaigns at 10 flags a day`,
    },
    { atLeast: 0.4 },
  );
  yield {
    table: "Recall on a typology that training never saw",
    columns: ["typology", "campaigns", "recall"],
    rows,
    note: "Blatant and middle care, at 10 flags a day over 100,000 accounts.",
  };

  const shiftRows: (string | number)[][] = [];
  let worst = 0;
  let worstName = "";
  let worstUpper = 0;
  for await (const { name, set: moved } of options.shifted()) {
    const { clean } = judge(moved, await model.score(moved.rows, moved.count));
    const flags = clean.filter((value) => value >= threshold).length;
    const upper = poissonUpper(flags) / clean.length;
    shiftRows.push([name, clean.length, flags, flags / clean.length, upper]);
    if (
      flags / clean.length < worst ||
      (worstName !== "" && flags / clean.length === worst && upper <= worstUpper)
    )
      continue;
    worst = flags / clean.length;
    worstName = name;
    worstUpper = upper;
  }
  yield judged(
    {
      figure: "holdouts.shifted_fpr",
      value: worst,
      unit: "per account-day",
      low: 0,
      high: worstUpper,
      note: `highest: ${worstName}`,
    },
    { atMost: 3e-5 },
  );
  yield {
    table: "False flags where something is moved out of what training saw",
    columns: ["moved", "honest account-days", "flags", "rate", "95 % upper bound"],
    rows: shiftRows,
    note: `Flagged from a value of ${threshold}, before the two-family policy.`,
  };
}
