import { expect, test } from "vitest";
import { hideParts } from "../../models/hide.ts";
import { FEATURES } from "../../src/core/features.ts";
import { FAMILIES } from "../../src/core/flag.ts";

const WIDTH = FEATURES.length;
const ROWS = 4000;
const rows = Float32Array.from({ length: ROWS * WIDTH }, (_, index) => index % 97);

/** Part of all cells that is hidden, and part of the rows in which a family of several features is wholly. */
function hiddenIn(left: Float32Array): { cells: number; families: number } {
  const several = FAMILIES.map((family) =>
    FEATURES.flatMap((one, at) => (one.family === family ? [at] : [])),
  ).filter((columns) => columns.length >= 4);
  let families = 0;
  for (let row = 0; row < ROWS; row += 1)
    for (const columns of several)
      if (columns.every((column) => Number.isNaN(left[row * WIDTH + column]))) families += 1;
  return {
    cells: left.filter(Number.isNaN).length / left.length,
    families: families / (ROWS * several.length),
  };
}

test("families and single features are hidden as often as said; what is left is as it was", () => {
  const hiding = { rows: 0.5, families: 0.4, features: 0.2, otherwise: 0 };
  const left = hideParts(rows, hiding, 1);
  const { cells, families } = hiddenIn(left);
  expect(families).toBeCloseTo(0.5 * 0.4, 1);
  expect(cells).toBeCloseTo(0.5 * (0.4 + 0.6 * 0.2), 1);
  expect(left.every((value, at) => Number.isNaN(value) || value === rows[at])).toBe(true);
  expect(rows.some(Number.isNaN)).toBe(false);
});

test("the same seed hides the same, another something else; of other rows single features are hidden", () => {
  const hiding = { rows: 0, families: 1, features: 1, otherwise: 0.04 };
  const left = hideParts(rows, hiding, 2);
  expect(left).toEqual(hideParts(rows, hiding, 2));
  expect(left).not.toEqual(hideParts(rows, hiding, 3));
  expect(hiddenIn(left)).toEqual({ cells: expect.closeTo(0.04, 2), families: 0 });
});
