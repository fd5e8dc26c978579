import type { Model } from "#core/model.ts";
import type { Dataset } from "./evaluate/dataset.ts";
import type { Finding } from "./evaluate/figure.ts";
import { evaluatePopulation, type PopulationOptions, type Scorer } from "./evaluate/population.ts";
import { scoreByRules } from "./evaluate/rules.ts";
import { stabilityFinding } from "./evaluate/stability.ts";
import { conformalFinding } from "./evaluate/uniform.ts";
import { BASE_RATE } from "./fit-fusion.ts";
import type { LoadedModel } from "./load-model.ts";
import { conformalOf } from "./reference.ts";
import { createWatch } from "./watch.ts";

/** A model as anything that ranks rows, by its calibrated value. */
export const modelScorer = (model: Model): Scorer => ({
  name: `${model.name} ${model.version}`,
  score: async (rows, count) => (await model.score(rows, count)).value,
});

/** Judges a model beside rules and rivals on labelled pools, and its p-values and drift on the honest accounts there. */
export async function* judgePopulation(
  part: PopulationOptions["part"],
  options: {
    set: Dataset;
    model: LoadedModel;
    baselines: readonly Scorer[];
    threshold: number;
    /** Hours from window to window. */
    stepHours: number;
  },
): AsyncGenerator<Finding> {
  const { set, model, baselines, threshold, stepHours } = options;
  const rules: Scorer = { name: "rules only", score: scoreByRules };
  yield* evaluatePopulation({
    part,
    set,
    model: modelScorer(model),
    rules,
    baselines,
    baseRate: BASE_RATE,
    threshold,
  });
  const { value } = await model.score(set.rows, set.count);
  yield conformalFinding(part, set, (row, tie) =>
    conformalOf(model.reference, set.rows, value[row] as number, row, tie),
  );
  const worlds = new Set(set.worldOf).size;
  const stability = stabilityFinding(set, value, createWatch(model.reference, stepHours, worlds));
  if (stability) yield stability;
}
