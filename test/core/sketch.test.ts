import { expect, test } from "vitest";
import { distinct, hashText, held, hold, holds, mark, marked, nameTemplate } from "../../src/core/sketch.ts";

test("linear counting is within 10 % up to half the bitmap's size, over the union of two days", () => {
  const words = new Uint32Array(16);
  for (let index = 0; index < 80; index += 1) mark(words, 0, 8, hashText(`rig${index}`));
  for (let index = 40; index < 120; index += 1) mark(words, 8, 8, hashText(`rig${index}`));
  expect(Math.abs(distinct(words, 0, 8, 8) - 120) / 120).toBeLessThan(0.1);
});

test("a full bitmap answers its upper bound and not infinity", () => {
  const words = new Uint32Array(4).fill(0xffffffff);
  expect(distinct(words, 0, 2, 2)).toBeCloseTo(64 * Math.log(64));
});

test("a mark is new once", () => {
  const words = new Uint32Array(2);
  expect([
    mark(words, 0, 2, 77),
    mark(words, 0, 2, 77),
    marked(words, 0, 2, 77),
    marked(words, 0, 2, 78),
  ]).toEqual([true, false, true, false]);
});

test("names that differ in their digits share a template", () => {
  expect(nameTemplate("rig07-b2")).toBe(nameTemplate("rig12-b9"));
  expect(nameTemplate("rig07")).not.toBe(nameTemplate("box07"));
});

test("a filter holds all that was put in, hardly anything else, and knows about how much it holds", () => {
  const words = new Uint32Array(2 + 32);
  for (let name = 0; name < 100; name += 1) hold(words, 2, 32, hashText(`rig${name}`));
  let mistaken = 0;
  for (let name = 0; name < 2000; name += 1) {
    const found = holds(words, 2, 32, hashText(`rig${name}`));
    if (name < 100) expect(found).toBe(true);
    else if (found) mistaken += 1;
  }
  expect(mistaken / 1900).toBeLessThan(0.05);
  expect(held(words, 2, 32)).toBeGreaterThan(90);
  expect(held(words, 2, 32)).toBeLessThan(110);
  // Full, it takes everything for known: nobody can make it grow, or make it tell news for ever.
  for (let name = 0; name < 20_000; name += 1) hold(words, 2, 32, hashText(`ghost${name}`));
  expect(holds(words, 2, 32, hashText("never seen"))).toBe(true);
  expect(words.subarray(0, 2)).toEqual(new Uint32Array(2));
});
