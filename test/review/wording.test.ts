import fc from "fast-check";
import { expect, test } from "vitest";
import { figure, hashrate, percent, poissonInterval, unseen, when } from "../../src/review/console/format.ts";
import { PLAIN, readFilter, writeFilter } from "../../src/review/console/queue-filter.ts";
import { confidence, likelihood, typologySentence } from "../../src/review/console/wording.ts";
import { seedEvidence, seedFlag } from "./seed.ts";

test("hashrates have three figures and a unit", () => {
  expect(hashrate(0)).toBe("0 H/s");
  expect(hashrate(480)).toBe("480 H/s");
  expect(hashrate(95.4e12)).toBe("95.4 TH/s");
  expect(hashrate(Number.NaN)).toBe("0 H/s");
});

test("a number of unknown kind has four figures, and nothing is no less than nothing", () => {
  expect([figure(-0), figure(-0.002), figure(-1.234567), figure(12_345.678)]).toEqual([
    "0",
    "0",
    "-1.23",
    "12,350",
  ]);
});

test("a percentage says neither none of something nor all of less", () => {
  expect(percent(0)).toBe("0 %");
  expect(percent(0.0002)).toBe("< 0.1 %");
  expect(percent(0.114)).toBe("11 %");
  expect(percent(0.9996)).toBe("> 99.9 %");
  expect(percent(0.9961)).toBe("99.6 %");
  expect(percent(1)).toBe("100 %");
});

test("a typology of the operator's own means what its flag's reasons say", () => {
  const sign = { type: "sign", typology: "night-rental", about: "machines rented by night" };
  const reasons = [
    { code: "TYPOLOGY_SIGNS", family: "fleet" as const, text: "", weight: 1, evidence: [sign] },
  ];
  expect(typologySentence("night-rental", reasons)).toBe("machines rented by night");
  expect(typologySentence("night-rental")).toBe("night rental");
  expect(typologySentence("relay", reasons)).toMatch(/relay, proxy or VPN/);
});

test("the interval of a share count is near the exact one", () => {
  // Garwood's exact 95 % intervals for 0, 4, 10 and 100, from tables of the chi-squared distribution.
  for (const [shares, low, high] of [
    [0, 0, 3.689],
    [4, 1.09, 10.242],
    [10, 4.795, 18.39],
    [100, 81.36, 121.63],
  ] as const) {
    const interval = poissonInterval(shares);
    expect(Math.abs(interval.low - low)).toBeLessThanOrEqual(0.015 * low);
    expect(Math.abs(interval.high - high)).toBeLessThanOrEqual(0.015 * high);
  }
});

test("times are the same instant in the zone that was asked for", () => {
  expect(when(Date.UTC(2026, 10, 23, 14, 5), "UTC")).toBe("2026-11-23 14:05");
  expect(when(Number.NaN, "UTC")).toBe("");
});

test("no character of a hostile name stays unseen", () => {
  expect(unseen("a\u202Eb\u200Bc").join("")).toBe("aU+202EbU+200Bc");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(unseen(text).join("")).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u);
    }),
  );
});

test("likelihood and confidence are two things", () => {
  const nowMs = Date.UTC(2026, 10, 23);
  const evidence = seedEvidence(4, nowMs);
  expect(likelihood(0.97)).toBe("almost certain");
  expect(likelihood(0.5)).toBe("about even");
  const strong = confidence({ flag: seedFlag(4, nowMs), evidence });
  expect(strong.level).toBe("high");
  const nothing = { ...evidence, sources: [], sharesPerHour: [0, 0, 1] };
  const weak = confidence({ flag: seedFlag(4, nowMs, { families: ["origin", "fleet"] }), evidence: nothing });
  expect(weak.level).toBe("low");
  expect(weak.grounds).toContain("no work observed");
});

test("a filter is its address, and a foreign address does no harm", () => {
  const filter = fc.record({
    state: fc.constantFrom("open", "investigating", "closed", "all"),
    severity: fc.constantFrom("", "low", "critical"),
    kind: fc.constantFrom("", "anomaly"),
    typology: fc.constantFrom("", "relay"),
    pool: fc.string(),
    text: fc.string(),
    order: fc.constantFrom("updated", "score"),
  });
  fc.assert(
    fc.property(filter, (given) => {
      expect(readFilter(writeFilter(given as typeof PLAIN).slice(1))).toEqual(given);
    }),
  );
  expect(readFilter("?state=nonsense&order=__proto__")).toEqual(PLAIN);
});
