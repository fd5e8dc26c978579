import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import { ksUniform } from "../../models/evaluate/uniform.ts";
import {
  binFeatures,
  conformalOf,
  conformalP,
  DRIFT_STOP,
  DRIFT_WARN,
  drift,
  makeReference,
  ReferenceRefused,
  stratumOf,
} from "../../models/reference.ts";
import { createRandom } from "../../models/simulate/random.ts";

const width = FEATURES.length;

/** Rows of normal features, a tenth missing, machines of all classes; every row its own account. */
function draw(seed: number, count: number, shift = 0) {
  const random = createRandom(seed, "reference");
  const rows = new Float32Array(count * width);
  for (let index = 0; index < rows.length; index += 1)
    rows[index] = random.chance(0.1) ? Number.NaN : random.normal() + (index % width === 0 ? shift : 0);
  for (let row = 0; row < count; row += 1) {
    rows[row * width + (FEATURE_INDEX.get("fleet.machineRate") as number)] = random.between(3, 14);
    rows[row * width + (FEATURE_INDEX.get("operator.age") as number)] = random.between(1, 3);
  }
  const logits = Float64Array.from({ length: count }, () => -9 + 2 * random.normal());
  return { rows, count, logits, owner: Uint32Array.from({ length: count }, (_, index) => index) };
}

test("conformal p-values of honest accounts are uniform in every stratum", () => {
  const known = draw(1, 6000);
  const reference = makeReference(known.rows, known.count, known.logits, known.owner);
  expect(reference.scores["whole/old/card"]?.length).toBeGreaterThan(100);
  const fresh = draw(2, 3000);
  const values = Array.from({ length: fresh.count }, (_, row) =>
    conformalP(reference, stratumOf(fresh.rows, row), fresh.logits[row] as number),
  ).sort((left, right) => left - right);
  let largest = 0;
  for (const [index, value] of values.entries())
    largest = Math.max(largest, Math.abs(value - (index + 0.5) / values.length));
  // Kolmogorov's 1 % point, both samples' errors taken together.
  expect(largest).toBeLessThan(1.63 * Math.sqrt(1 / 3000 + 6 / 6000));
});

test("accounts are ranked among those of whom as much is logged, and among all ages where these are few", () => {
  const known = draw(7, 6000);
  const session = FEATURE_INDEX.get("fleet.sessions") as number;
  const roundTrip = FEATURE_INDEX.get("latency.tcp") as number;
  for (let row = 0; row < known.count; row += 1) {
    // Half of the accounts are at a pool that logs neither: they score lower, whatever they do.
    const poor = row % 2 === 1;
    for (const name of ["fleet.workers", "fleet.proxyAgent", "payout.payments"])
      known.rows[row * width + (FEATURE_INDEX.get(name) as number)] = 1;
    known.rows[row * width + session] = poor ? Number.NaN : 1;
    known.rows[row * width + roundTrip] = poor ? Number.NaN : 1;
    if (poor) (known.logits[row] as number) -= 5;
  }
  const reference = makeReference(known.rows, known.count, known.logits, known.owner);
  const strata = Object.keys(reference.scores);
  expect(new Set(strata.map((one) => one.split("/")[0]))).toEqual(new Set(["all", "whole", "part"]));
  const pOf = (stratum: string) => conformalP(reference, stratum, -9);
  expect(pOf("whole/old/card")).toBeGreaterThan(0.4);
  expect(pOf("part/old/card")).toBeLessThan(0.05);
  // Of a kind of which none is known, those of its age answer, then all that are logged as much, then all.
  expect(pOf("part/old/toaster")).toBe(pOf("part/old"));
  expect(pOf("part/ancient/card")).toBe(pOf("part"));
  expect(pOf("nothing/old/card")).toBe(pOf("all"));
});

test("a score above all others gets the least p, one below all gets 1, and p is never 0", () => {
  const { rows, count, logits, owner } = draw(3, 500);
  const reference = makeReference(rows, count, logits, owner);
  expect(conformalP(reference, "all", 100)).toBe(1 / 501);
  expect(conformalP(reference, "all", -100)).toBe(1);
  expect(conformalP(reference, "no such stratum", 100)).toBe(1 / 501);
  // A value of 1 or 0 has no logit; its rank is that of the ends.
  const row = new Float32Array(FEATURES.length).fill(Number.NaN);
  expect(conformalOf(reference, row, 1)).toBe(conformalP(reference, stratumOf(row, 0), 16));
  expect(conformalOf(reference, row, 0)).toBe(1);
  expect(conformalOf(reference, row, 0.5)).toBe(conformalP(reference, stratumOf(row, 0), 0));
});

test("equal scores have the largest p of theirs, and are uniform where they are ranked by lot", () => {
  const known = draw(8, 4000);
  // Half of the accounts have the least score there is.
  const scores = known.logits.map((logit) => Math.max(-9, logit));
  const reference = makeReference(known.rows, known.count, scores, known.owner);
  expect(conformalP(reference, "all", -9)).toBe(1);
  const random = createRandom(9, "ties");
  const fresh = draw(9, 3000);
  const pOf = (tie: () => number) =>
    Float64Array.from({ length: fresh.count }, (_, row) => {
      const logit = Math.max(-9, fresh.logits[row] as number);
      return conformalP(reference, "all", logit, tie());
    });
  expect(ksUniform(pOf(() => random.next())).p).toBeGreaterThan(0.01);
  expect(ksUniform(pOf(() => 1)).p).toBeLessThan(1e-9);
});

test("drift is nothing on the same population, and seen where a feature moves or goes missing", () => {
  const known = draw(4, 4000);
  const reference = makeReference(known.rows, known.count, known.logits, known.owner);
  const same = draw(5, 4000);
  for (const { psi } of drift(reference, same.rows, same.count)) expect(psi).toBeLessThan(DRIFT_WARN / 2);
  const moved = draw(6, 4000, 1);
  for (let row = 0; row < moved.count; row += 1) moved.rows[row * width + 5] = Number.NaN;
  const found = drift(reference, moved.rows, moved.count);
  expect(found[0]?.psi).toBeGreaterThan(DRIFT_STOP);
  expect(found[5]?.psi).toBeGreaterThan(DRIFT_STOP);
  expect(found[7]?.psi).toBeLessThan(DRIFT_WARN / 2);
});

test("a feature that is nearly always one value does not drift by itself", () => {
  const known = draw(7, 3000);
  const fresh = draw(8, 3000);
  for (const set of [known, fresh])
    for (let row = 0; row < set.count; row += 1) set.rows[row * width + 2] = row % 20 === 0 ? 1 : 0;
  const reference = makeReference(known.rows, known.count, known.logits, known.owner);
  expect(drift(reference, fresh.rows, fresh.count)[2]?.psi).toBeLessThan(DRIFT_WARN);
});

test("NaN is an error with a name: in a logit that is ranked or kept, and what is infinite in a feature", () => {
  const { rows, count, logits, owner } = draw(9, 300);
  const reference = makeReference(rows, count, logits, owner);
  expect(() => conformalP(reference, "all", Number.NaN)).toThrow(ReferenceRefused);
  logits[7] = Number.NaN;
  expect(() => makeReference(rows, count, logits, owner)).toThrow("the logit of row 7 is NaN");
  rows[3 * width + 1] = Number.POSITIVE_INFINITY;
  expect(() => binFeatures(rows, count)).toThrow(`row 3 has an infinite "${FEATURES[1]?.name}"`);
});

test("what another pool does not collect is no distance, unless asked for", () => {
  const known = draw(10, 3000);
  const fresh = draw(11, 3000);
  for (let row = 0; row < 3000; row += 2) known.rows[row * width + 4] = Number.NaN;
  const reference = makeReference(known.rows, known.count, known.logits, known.owner);
  expect(drift(reference, fresh.rows, fresh.count)[4]?.psi).toBeGreaterThan(DRIFT_STOP);
  expect(drift(reference, fresh.rows, fresh.count, { present: true })[4]?.psi).toBeLessThan(DRIFT_WARN);
  for (let row = 0; row < 3000; row += 1) fresh.rows[row * width + 4] = Number.NaN;
  expect(drift(reference, fresh.rows, fresh.count, { present: true })[4]?.psi).toBeNaN();
});
