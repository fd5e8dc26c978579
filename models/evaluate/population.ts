import { averagePrecision } from "./average-precision.ts";
import { byCareAndSize, byDays, byLogs, byTypology, round } from "./breakdowns.ts";
import type { Dataset } from "./dataset.ts";
import {
  type CampaignScore,
  calibrationBins,
  type Judged,
  judge,
  precisionRecall,
  recallAt,
  thresholdAt,
  thresholdForFlags,
} from "./detection-metrics.ts";
import { type Finding, judged as judgedFigure } from "./figure.ts";
import { bootstrapRecall, poissonUpper } from "./intervals.ts";

/** Anything that ranks rows: larger is more suspicious. */
export interface Scorer {
  name: string;
  score(rows: Float32Array, count: number): Promise<ArrayLike<number>> | ArrayLike<number>;
}

/** Accounts a queue is reckoned for; budgets of flags a day are per so many. */
const ACCOUNTS = 100_000;
const BUDGETS = [5, 10, 50] as const;

export interface PopulationOptions {
  /** What figures are called by: the part of the evaluation. */
  part: "population" | "season" | "recorded";
  /** A usual population with campaigns in it, none of it seen in training. */
  set: Dataset;
  model: Scorer;
  rules: Scorer;
  baselines: readonly Scorer[];
  /** Campaigns per account in the world outside. */
  baseRate: number;
  /** Calibrated value from which an account is flagged. */
  threshold: number;
}

/**
 * Judges the model and its rivals on one population. The base rate is imposed by re-weighting: the threshold is the
 * score at which honest accounts open as many flags a day as the budget allows (an account's flag stays open), recall
 * is over campaigns, its interval by bootstrap over campaigns.
 */
export async function* evaluatePopulation(options: PopulationOptions): AsyncGenerator<Finding> {
  const { part, set, model, rules, baselines, baseRate, threshold } = options;
  const scorers = [model, rules, ...baselines];
  const results = new Map<string, Judged>();
  for (const scorer of scorers) results.set(scorer.name, judge(set, await scorer.score(set.rows, set.count)));
  const own = results.get(model.name) as Judged;
  const hard = (one: CampaignScore): boolean => one.care === "middle" && one.machines >= 10;
  const recallOf = (judged: Judged, flags: number, which = hard): number =>
    recallAt(judged.campaigns.filter(which), thresholdForFlags(judged, flags / ACCOUNTS));
  const note = `${own.clean.length} honest account-days, ${own.campaigns.length} campaigns (${own.campaigns.filter(hard).length} of middle care with 10 machines or more)`;

  const at10 = thresholdForFlags(own, 10 / ACCOUNTS);
  const interval = bootstrapRecall(own.campaigns.filter(hard), at10);
  yield judgedFigure(
    {
      figure: `${part}.recall_at_10`,
      value: recallOf(own, 10),
      unit: "part of campaigns",
      ...interval,
      note,
    },
    { atLeast: 0.8 },
  );
  yield {
    figure: `${part}.recall_at_10_all`,
    value: recallAt(own.campaigns, at10),
    unit: "part of campaigns",
    ...bootstrapRecall(own.campaigns, at10),
    note: "every care and size",
  };
  const everyDay = thresholdAt(own.clean, 10 / ACCOUNTS);
  yield {
    figure: `${part}.recall_at_10_every_day`,
    value: recallAt(own.campaigns.filter(hard), everyDay),
    unit: "part of campaigns",
    ...bootstrapRecall(own.campaigns.filter(hard), everyDay),
    note: "as if an account that scores for ten days opened ten flags",
  };
  const falseFlags = own.clean.filter((score) => score >= threshold).length;
  yield judgedFigure(
    {
      figure: `${part}.fpr_per_account_day`,
      value: falseFlags / own.clean.length,
      unit: "per account-day",
      low: 0,
      high: poissonUpper(falseFlags) / own.clean.length,
      note: `value ≥ ${threshold}: ${falseFlags} of ${own.clean.length}`,
    },
    { atMost: 1e-5 },
  );
  // A rival that finds nothing is taken to find half a campaign: a ratio must be a number.
  const least = 0.5 / Math.max(1, own.campaigns.filter(hard).length);
  const over = (rival: number): number => recallOf(own, 10) / Math.max(least, rival);
  const rulesRecall = recallOf(results.get(rules.name) as Judged, 10);
  yield judgedFigure(
    { figure: `${part}.recall_over_rules`, value: over(rulesRecall), unit: "ratio" },
    { atLeast: 3 },
  );
  if (baselines.length > 0) {
    const rivals = baselines.map(({ name }) => ({ name, recall: recallOf(results.get(name) as Judged, 10) }));
    const best = rivals.reduce((a, b) => (b.recall > a.recall ? b : a));
    yield judgedFigure(
      {
        figure: `${part}.recall_over_best_baseline`,
        value: over(best.recall),
        unit: "ratio",
        note: `best: ${best.name}`,
      },
      { atLeast: 1.5 },
    );
  }
  const bins = calibrationBins(set, await model.score(set.rows, set.count), baseRate);
  yield judgedFigure(
    { figure: `${part}.calibration_error`, value: bins.error, unit: "mean absolute, weighted" },
    { atMost: 0.02 },
  );
  yield {
    figure: `${part}.brier`,
    value: bins.brier,
    unit: "weighted",
    note: `${baseRate} everywhere gives ${(baseRate * (1 - baseRate)).toExponential(2)}`,
  };

  yield {
    table: "Recall at flags a day over 100,000 accounts, and average precision at the base rate",
    columns: [
      "detector",
      ...BUDGETS.map((flags) => `${flags}, middle ≥ 10`),
      ...BUDGETS.map((flags) => `${flags}, all`),
      "AP",
    ],
    rows: scorers.map(({ name }) => {
      const judged = results.get(name) as Judged;
      return [
        name,
        ...BUDGETS.map((flags) => round(recallOf(judged, flags))),
        ...BUDGETS.map((flags) => round(recallOf(judged, flags, () => true))),
        round(campaignPrecision(judged, baseRate)),
      ];
    }),
    note,
  };
  yield byLogs(set, own, at10, hard);
  yield byDays(own, at10, hard);
  yield byCareAndSize(own, at10);
  yield byTypology(own, at10);
  yield {
    plot: "Precision and recall at the true base rate",
    x: { label: "recall over campaigns" },
    y: { label: "precision" },
    lines: scorers.map(({ name }) => ({
      name,
      points: precisionRecall(results.get(name) as Judged, baseRate),
    })),
  };
  yield {
    plot: "Calibration at the base rate",
    x: { label: "value", log: true },
    y: { label: "part that are campaigns'", log: true },
    lines: [
      { name: model.name, points: bins.points },
      {
        name: "ideal",
        points: [
          [1e-6, 1e-6],
          [1, 1],
        ],
        dashed: true,
      },
    ],
  };
}

/** Average precision with every honest account-day and every campaign one row. */
function campaignPrecision({ clean, campaigns }: Judged, baseRate: number): number {
  const scores = [...clean, ...campaigns.map(({ score }) => score)];
  const positive = scores.map((_, index) => (index < clean.length ? 0 : 1));
  const weight = positive.map((one) =>
    one === 1 ? baseRate / campaigns.length : (1 - baseRate) / clean.length,
  );
  return averagePrecision(scores, positive, weight);
}
