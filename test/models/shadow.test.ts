import { expect, test } from "vitest";
import { rankCorrelation } from "../../models/shadow.ts";

test("rank correlation is Spearman's, ties share their mean rank", () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1, 12);
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
  // From SciPy: spearmanr([1, 2, 2, 4, 5], [2, 1, 3, 3, 5]).
  expect(rankCorrelation([1, 2, 2, 4, 5], [2, 1, 3, 3, 5])).toBeCloseTo(0.7631579, 6);
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNull();
  expect(rankCorrelation([], [])).toBeNull();
});
