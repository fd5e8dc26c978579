import { expect, test } from "vitest";
import { hoursEvidence } from "../../src/core/operator-hours.ts";
import { seeded } from "../support/shares.ts";

const mean = (draw: () => number, offset: number | undefined): number => {
  let sum = 0;
  for (let index = 0; index < 5000; index += 1) sum += hoursEvidence(draw(), offset);
  return sum / 5000;
};

/** Hours in UTC of somebody who acts between `from` and `to` on a clock, in three of four cases. */
const keeping = (random: () => number, from: number, to: number, offset: number) => () => {
  const local = random() < 0.75 ? from + (to - from) * random() : 24 * random();
  return (local - offset + 48) % 24;
};

test("actions in Pyongyang's office hours speak for it, whatever country is seen; an owner's own speak against it", () => {
  const random = seeded(1);
  for (const offset of [undefined, -6, 1, 5.5]) {
    expect(mean(keeping(random, 9, 18, 9), offset)).toBeGreaterThan(0.2);
    expect(mean(keeping(random, 8, 23, offset ?? -6), offset)).toBeLessThan(-0.1);
  }
});

test("an owner who lives by nearly the same clock is hard to tell, and says so by little evidence", () => {
  const random = seeded(2);
  const chinese = mean(keeping(random, 9, 18, 8), 8);
  const american = mean(keeping(random, 9, 18, -6), -6);
  expect(chinese).toBeGreaterThan(american);
  expect(mean(keeping(random, 9, 18, 9), 8)).toBeLessThan(mean(keeping(random, 9, 18, 9), -6));
});

test("uniform hours are evidence against, on average: the ratio is one of probabilities", () => {
  for (const offset of [undefined, 0, 8, -5]) {
    let total = 0;
    for (let hour = 0; hour < 24; hour += 0.01) total += hoursEvidence(hour, offset) / 2400;
    expect(total).toBeLessThan(0);
  }
});
