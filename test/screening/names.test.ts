import fc from "fast-check";
import { expect, test } from "vitest";
import { createNameIndex } from "../../src/screening/names.ts";
import { jaroWinkler } from "../../src/screening/similarity.ts";

// Winkler's own examples ("String Comparator Metrics", 1990, table 2.1).
test.each([
  ["MARTHA", "MARHTA", 0.961],
  ["DIXON", "DICKSONX", 0.813],
  ["DWAYNE", "DUANE", 0.84],
  ["", "A", 0],
])("Jaro-Winkler of %s and %s is %d", (a, b, expected) => {
  expect(jaroWinkler(a, b)).toBeCloseTo(expected, 3);
  expect(jaroWinkler(b, a)).toBeCloseTo(expected, 3);
});

test("similarity is symmetric and between 0 and 1", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const value = jaroWinkler(a, b);
      expect(value).toBeCloseTo(jaroWinkler(b, a), 10);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }),
  );
});

const NAMES = [
  "BITRIVER AG",
  "OOO MANAGEMENT COMPANY BITRIVER",
  "KOREA KWANGSON BANKING CORP",
  "KIM, Jong Un",
  "PARK, Jin Hyok",
];
const index = createNameIndex(NAMES.map((text) => ({ text, item: text })));
const found = (text: string) => index.find(text, 0.9).map(({ item }) => item);

test.each([
  ["BitRiver AG", "BITRIVER AG"],
  ["Bit-River", ""],
  ["Bitrivr", "BITRIVER AG"],
  ["Management Company “BitRiver” LLC", "OOO MANAGEMENT COMPANY BITRIVER"],
  ["Kwangson Banking Corporation, Korea", "KOREA KWANGSON BANKING CORP"],
  ["Jong-un Kim", "KIM, Jong Un"],
  ["Jin Hyok Park", "PARK, Jin Hyok"],
  ["Jin Hyuk Park", "PARK, Jin Hyok"],
  ["River Bank", ""],
  ["Management Company", ""],
  ["", ""],
])("%j is like %j", (text, expected) => {
  if (expected === "") expect(found(text)).toEqual([]);
  else expect(found(text)[0]).toBe(expected);
});
