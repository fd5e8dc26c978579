import { type LabelledBaseline, requireRows } from "./baseline.ts";
import { forestLogit } from "./forest.ts";
import { type GrowOptions, growForest } from "./grow-forest.ts";

const USUAL: GrowOptions = {
  trees: 200,
  depth: 5,
  learningRate: 0.1,
  ridge: 1,
  leastCurvature: 1,
  rowPart: 0.7,
  columnPart: 0.5,
};

/**
 * Gradient-boosted trees as a table's usual first choice: 200 trees of depth 5, each on 70 % of the rows and half of the
 * columns, drawn by a fixed seed. Scores are probabilities at the base rate of the training rows.
 */
export function gradientBoosting(options: Partial<GrowOptions> = {}): LabelledBaseline {
  return {
    name: "gradient-boosted trees",
    fit(rows, count, width, labels) {
      requireRows("gradient-boosted trees", rows, count, width);
      const forest = growForest({ rows, count, width, labels }, { ...USUAL, ...options });
      return (asked, askedCount) => {
        requireRows("gradient-boosted trees", asked, askedCount, width);
        return Float64Array.from(
          { length: askedCount },
          (_, row) => 1 / (1 + Math.exp(-forestLogit(forest, asked, row * width))),
        );
      };
    },
  };
}
