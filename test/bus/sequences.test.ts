import fc from "fast-check";
import { expect, test } from "vitest";
import { Sequences } from "../../src/bus/sequences.ts";

test("knows exactly what was added, in any order, and says so when it has forgotten", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120), { maxLength: 200 }), (numbers) => {
      let sequences = new Sequences();
      const added = new Set<number>();
      for (const number of numbers) {
        if (sequences.look("a", number) !== "new") continue;
        sequences.add("a", number);
        added.add(number);
        sequences = new Sequences(JSON.parse(JSON.stringify(sequences.snapshot())));
      }
      for (let number = 0; number <= 121; number += 1) {
        const answer = sequences.look("a", number);
        if (answer === "known") expect(added.has(number)).toBe(true);
        if (answer === "new") expect(added.has(number)).toBe(false);
      }
      expect(sequences.look("b", 1)).toBe("new");
    }),
  );
});

test("a source that counts up costs one run; gaps beyond the bound become too old", () => {
  const sequences = new Sequences();
  for (let number = 0; number < 10_000; number += 1) sequences.add("a", number);
  expect(sequences.snapshot()).toEqual([["a", -1, [[0, 9999]]]]);
  for (let number = 0; number < 80; number += 2) sequences.add("b", number);
  expect(sequences.look("b", 1)).toBe("too old");
  expect(sequences.look("b", 77)).toBe("new");
  expect(sequences.look("b", 78)).toBe("known");
});

test("sources beyond the bound are forgotten, the longest silent first", () => {
  const sequences = new Sequences();
  for (let source = 0; source < 4096; source += 1) sequences.add(`s${source}`, 1);
  sequences.add("s0", 2);
  sequences.add("new", 1);
  expect(sequences.look("s0", 1)).toBe("known");
  expect(sequences.look("s1", 1)).toBe("new");
});
