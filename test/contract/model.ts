import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FEATURES } from "#core/features.ts";
import type { Model } from "#core/model.ts";

/** Rows with truth, to see that a model knows more than chance. */
export interface Labelled {
  rows: Float32Array;
  count: number;
  campaign: Uint8Array;
}

/** What every Model must do. `open` makes the model; it is closed here. */
export function modelContract(
  name: string,
  open: () => Promise<Model>,
  labelled: () => Promise<Labelled>,
): void {
  describe(`${name} keeps the contract of a Model`, () => {
    let model: Model;
    let known: Labelled;
    beforeAll(async () => {
      model = await open();
      known = await labelled();
    }, 120_000);
    afterAll(() => model?.close());

    test("gives the same score for the same vector, alone and among others", async () => {
      const all = await model.score(known.rows, known.count);
      const again = await model.score(known.rows, known.count);
      expect(again.value).toEqual(all.value);
      const width = FEATURES.length;
      for (const row of [0, Math.floor(known.count / 2), known.count - 1]) {
        const alone = await model.score(known.rows.slice(row * width, (row + 1) * width), 1);
        expect(Math.abs((alone.value[0] as number) - (all.value[row] as number))).toBeLessThan(1e-5);
      }
    });

    test("answers likelihoods, and typologies that are parts of them", async () => {
      const { value, typologies, novelty } = await model.score(known.rows, known.count);
      const width = model.typologies.length;
      for (let row = 0; row < known.count; row += 1) {
        const whole = value[row] as number;
        expect(whole).toBeGreaterThanOrEqual(0);
        expect(whole).toBeLessThanOrEqual(1);
        const parts = typologies
          .subarray(row * width, (row + 1) * width)
          .reduce((sum, part) => sum + part, 0);
        expect(parts).toBeLessThanOrEqual(whole + 1e-5);
        expect(novelty[row]).toBeGreaterThanOrEqual(0);
      }
    });

    test("ranks campaigns above honest accounts more often than chance", async () => {
      const { value } = await model.score(known.rows, known.count);
      let above = 0;
      let pairs = 0;
      for (let one = 0; one < known.count; one += 1) {
        if (known.campaign[one] !== 1) continue;
        for (let other = 0; other < known.count; other += 1) {
          if (known.campaign[other] === 1) continue;
          pairs += 1;
          above += (value[one] as number) > (value[other] as number) ? 1 : 0;
        }
      }
      expect(pairs).toBeGreaterThan(100);
      expect(above / pairs).toBeGreaterThan(0.7);
    });

    test("takes missing features, even all of them, and refuses infinite ones", async () => {
      const row = new Float32Array(FEATURES.length).fill(Number.NaN);
      const { value } = await model.score(row, 1);
      expect(Number.isNaN(value[0])).toBe(false);
      row[3] = Number.POSITIVE_INFINITY;
      await expect(model.score(row, 1)).rejects.toThrow(/row 0 has an infinite/);
    });

    test("refuses fewer values than were announced", async () => {
      await expect(model.score(new Float32Array(FEATURES.length), 2)).rejects.toThrow(/announced/);
    });

    test("explains a score by named features, the strongest first", async () => {
      const names = new Set(FEATURES.map(({ name: feature }) => feature));
      const contributions = await model.explain(known.rows.slice(0, FEATURES.length));
      expect(contributions.length).toBeGreaterThan(0);
      for (const { feature } of contributions) expect(names).toContain(feature);
      const sizes = contributions.map(({ contribution }) => Math.abs(contribution));
      expect(sizes).toEqual([...sizes].sort((left, right) => right - left));
    });
  });
}
