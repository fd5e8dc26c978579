import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Description, Sign } from "#core/typologies.ts";
import { DescriptionRefused, Descriptions } from "../../models/descriptions.ts";
import { sigmoid } from "../../models/fusion.ts";
import { createRandom } from "../../models/simulate/random.ts";

const width = FEATURES.length;
const column = (name: string): number => FEATURE_INDEX.get(name) as number;

/** Honest accounts: normal features; the third is the first again, nearly. The model finds something normal in them too. */
function honestAccounts(seed: number, count = 10_000) {
  const random = createRandom(seed, "descriptions");
  const rows = Float32Array.from({ length: count * width }, () => random.normal());
  for (let row = 0; row < count; row += 1)
    rows[row * width + column("origin.entropy")] =
      (rows[row * width + column("origin.countries")] as number) + 0.05 * random.normal();
  return { rows, count, logits: Float64Array.from({ length: count }, () => -9 + 2 * random.normal()) };
}

const high = (...features: string[]): Sign[] => features.map((feature) => ({ feature, side: "high" }));
const describe = (signs: Sign[], name = "night-shift"): Description => {
  return { name, about: "mining by night", source: "a case", signs };
};
const TWO = describe([...high("fleet.rentalAgent"), { feature: "operator.age", side: "low" }]);

function rowOf(values: Record<string, number>, rest = 0): Float32Array {
  const row = new Float32Array(width).fill(rest);
  for (const [name, value] of Object.entries(values)) row[column(name)] = value;
  return row;
}

const known = honestAccounts(1);
const make = (...descriptions: Description[]) => new Descriptions(descriptions, known, known.logits);
const ORDINARY = sigmoid(-9);

test("signs that are rare together are as a score that is as rare, on their own sides and no other", () => {
  const descriptions = make(TWO);
  const value = (values: Record<string, number>) => descriptions.raise(rowOf(values), 0, ORDINARY).value;
  const shown = value({ "fleet.rentalAgent": 3, "operator.age": -3 });
  // Two of one in 740 each: rarer than any of ten thousand honest accounts, so more than the most that the model finds.
  expect(shown).toBeGreaterThan(sigmoid(Math.max(...known.logits)));
  expect(value({ "fleet.rentalAgent": 2, "operator.age": -2 })).toBeLessThan(shown);
  expect(value({ "fleet.rentalAgent": 3, "operator.age": 3 })).toBeLessThan(sigmoid(-4));
  expect(value({ "fleet.rentalAgent": -3, "operator.age": 3 })).toBe(ORDINARY);
});

test("as many honest accounts are raised to a value as the model has there itself", () => {
  const descriptions = make(TWO);
  const fresh = honestAccounts(2);
  for (const part of [0.005, 0.001]) {
    const at = sigmoid([...known.logits].sort((a, b) => b - a)[part * known.count] as number);
    let raised = 0;
    for (let row = 0; row < fresh.count; row += 1)
      if (descriptions.raise(fresh.rows, row, ORDINARY).value >= at) raised += 1;
    const expected = part * fresh.count;
    // The model's own part is met within four standard errors of a count.
    expect(Math.abs(raised - expected)).toBeLessThan(4 * Math.sqrt(expected) + 1);
  }
});

test("what the model finds in an account adds to its signs", () => {
  const descriptions = make(TWO);
  const row = rowOf({ "fleet.rentalAgent": 2, "operator.age": -2 });
  const [alone, together] = [ORDINARY, sigmoid(-4)].map((own) => descriptions.raise(row, 0, own).value);
  expect(together).toBeGreaterThan(2 * (alone as number));
  // Never less than the model itself says.
  expect(descriptions.raise(rowOf({}), 0, 0.9)).toEqual({ value: 0.9, by: -1 });
});

test("a sign that repeats another counts no more than it", () => {
  const single = make(describe(high("origin.countries", "fleet.rentalAgent")));
  const repeated = make(describe(high("origin.countries", "origin.entropy", "fleet.rentalAgent")));
  const value = (descriptions: Descriptions, values: Record<string, number>) =>
    descriptions.raise(rowOf(values), 0, ORDINARY).value;
  const same = { "origin.countries": 2.5, "origin.entropy": 2.5 };
  expect(value(repeated, same)).toBeLessThan(2 * value(single, same));
});

test("a missing sign says nothing, and where all are missing nothing is raised", () => {
  const descriptions = make(TWO);
  const value = (age: number) =>
    descriptions.raise(rowOf({ "fleet.rentalAgent": 3, "operator.age": age }), 0, sigmoid(-4)).value;
  expect(value(Number.NaN)).toBeGreaterThan(value(3));
  expect(value(Number.NaN)).toBeLessThan(value(-3));
  const unknown = rowOf({}, Number.NaN);
  expect(descriptions.raise(unknown, 0, sigmoid(-1))).toEqual({ value: sigmoid(-1), by: -1 });
});

test("equal values are equal in the digits that honest accounts are kept in", () => {
  const counted = { ...known, rows: known.rows.slice() };
  for (let row = 0; row < counted.count; row += 1)
    counted.rows[row * width + column("fleet.rentalAgent")] = row % 3 === 0 ? 0 : Math.log10(3);
  const descriptions = new Descriptions([TWO], counted, counted.logits);
  const value = (rental: number) =>
    descriptions.raise(rowOf({ "fleet.rentalAgent": rental, "operator.age": -3 }), 0, sigmoid(-4)).value;
  // Two accounts in three have it.
  expect(value(Math.log10(3))).toBe(value(Math.f16round(Math.log10(3))));
  expect(value(1.01 * Math.log10(3))).toBeGreaterThan(2 * value(Math.log10(3)));
});

test("scores are widened by a column for each description, which divide the value", () => {
  const other = describe(high("payout.nearThreshold", "fleet.addresses"), "day-shift");
  const descriptions = make(TWO, other);
  const rows = new Float32Array(3 * width);
  rows.set(rowOf({ "fleet.rentalAgent": 3, "operator.age": -3 }), 0);
  rows.set(rowOf({ "payout.nearThreshold": 3, "fleet.addresses": 3 }), width);
  const scores = {
    value: Float32Array.of(ORDINARY, ORDINARY, 0.95),
    typologies: Float32Array.of(ORDINARY, 0, 0, ORDINARY, 0.9, 0.05),
    novelty: Float32Array.of(1, 1, 1),
  };
  const widened = descriptions.widen(scores, rows, 3);
  expect(widened.typologies).toHaveLength(12);
  const parts = [0, 1, 2].map((row) => [...widened.typologies.subarray(row * 4, row * 4 + 4)]);
  for (const [row, own] of parts.entries())
    expect(own.reduce((sum, part) => sum + part, 0)).toBeCloseTo(widened.value[row] as number, 6);
  expect(parts[0]?.[2]).toBeGreaterThan(0.1);
  expect(parts[0]?.[3]).toBe(0);
  expect(parts[1]?.[3]).toBeGreaterThan(0.1);
  expect(parts[2]?.slice(2)).toEqual([0, 0]);
  expect(widened.value[2]).toBe(scores.value[2]);
});

test("what a description adds is divided among its signs, with the part of honest accounts that show less", () => {
  const descriptions = make(TWO);
  const row = rowOf({ "fleet.rentalAgent": 3, "operator.age": -2 });
  const model = [
    { feature: "latency.tcp", contribution: -2 },
    { feature: "operator.age", contribution: 0.5 },
  ];
  const contributions = descriptions.explain(row, ORDINARY, model);
  expect(contributions.map(({ feature }) => feature)).toEqual([
    "fleet.rentalAgent",
    "operator.age",
    "latency.tcp",
  ]);
  expect(contributions[1]?.sign).toMatchObject({ typology: "night-shift", source: "a case", side: "low" });
  // Φ(2) = .977.
  expect(contributions[1]?.sign?.below).toBeCloseTo(0.977, 2);
  const logit = (value: number) => Math.log(value / (1 - value));
  const sum = contributions.reduce((total, { contribution }) => total + contribution, 0);
  const raised = logit(descriptions.raise(row, 0, ORDINARY).value) - logit(ORDINARY);
  expect(sum).toBeCloseTo(-2 + 0.5 + raised, 6);
  // Where it adds nothing the model's own stand as they are.
  expect(descriptions.explain(rowOf({}, -1), 0.9, model)).toEqual(model);
});

test("a description whose signs no honest account differs in is refused, by name; a single such sign is left out", () => {
  const flat = { ...known, rows: known.rows.slice() };
  for (let row = 0; row < flat.count; row += 1)
    for (const name of ["fleet.rentalAgent", "operator.age"])
      flat.rows[row * width + column(name)] = name === "operator.age" ? Number.NaN : 0;
  expect(() => new Descriptions([TWO], flat, flat.logits)).toThrow(
    new DescriptionRefused('typology "night-shift": honest accounts do not differ in any of its signs'),
  );
  expect(() => make(describe(high("origin.nowhere")))).toThrow('there is no feature "origin.nowhere"');
  const partly = describe([...high("fleet.rentalAgent", "fleet.addresses")]);
  const descriptions = new Descriptions([partly], flat, flat.logits);
  expect(descriptions.silent).toEqual([{ typology: "night-shift", feature: "fleet.rentalAgent" }]);
  const found = descriptions.explain(rowOf({ "fleet.addresses": 6 }), ORDINARY, []);
  expect(found.map(({ feature }) => feature)).toEqual(["fleet.addresses"]);
});
