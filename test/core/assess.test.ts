import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { assess, evidenceOf, screeningFlag } from "../../src/core/assess.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { flag as flagSchema } from "../../src/core/flag.ts";
import { NO_LINKS } from "../../src/core/linkage.ts";
import { independentFamilies, reasonsFor } from "../../src/core/reasons.ts";
import { RULES } from "../../src/core/rules.ts";
import { originOf, shareOf } from "../support/shares.ts";

const atMs = Date.UTC(2026, 5, 2);
const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip, { kind: "vpn" }), stepHours: 6 });
analysis.take([shareOf({ atMs: atMs - 1000 })]);
const state = analysis.account("pool", "alice")!;

function rowOf(values: Record<string, number>): Float32Array {
  const row = new Float32Array(FEATURES.length).fill(Number.NaN);
  for (const [name, value] of Object.entries(values)) row[FEATURE_INDEX.get(name)!] = value;
  return row;
}

const scored = (values: Record<string, number>, value: number) => ({
  state,
  atMs,
  row: rowOf(values),
  links: NO_LINKS,
  value,
  typologies: [
    { name: "relay", probability: 0.7 },
    { name: "structuring", probability: 0.01 },
  ],
  contributions: [],
  model: { name: "m", version: "1.0.0" },
  lists: [],
});
const policy = { threshold: 0.5, minimumFamilies: 2 };
const HIDDEN = { "origin.hidden": 0.9 };
const LEG = {
  "latency.hiddenLeg": Math.log10(81),
  "latency.hiddenShare": 0.8,
  "latency.app": 2,
  "latency.tcp": 1.3,
};

test("two families and a score make a flag of the public shape", () => {
  const made = assess(scored({ ...HIDDEN, ...LEG }, 0.9), policy);
  const flag = flagSchema.parse("flag" in made ? made.flag : undefined);
  expect(flag.families.sort()).toEqual(["latency", "origin"]);
  expect(flag.typologies).toEqual([{ name: "relay", probability: 0.7 }]);
  expect(flag.reasons.find(({ code }) => code === "LATENCY_HIDDEN_LEG")?.text).toContain("at least 80 ms");
  expect(flag.reasons.find(({ code }) => code === "ORIGIN_HIDDEN")?.evidence).toMatchObject([
    { ip: "192.0.2.1" },
  ]);
});

test("a score that is common among honest accounts of its kind is no news, however high", () => {
  const strict = { ...policy, maximumP: 0.01 };
  const at = (conformalP: number) => assess({ ...scored({ ...HIDDEN, ...LEG }, 0.9), conformalP }, strict);
  expect(at(0.02)).toEqual({ refused: "ordinary-of-its-kind" });
  expect(at(0.01)).toHaveProperty("flag");
  expect(assess({ ...scored({ ...HIDDEN, ...LEG }, 0.9), conformalP: 0.5 }, policy)).toHaveProperty("flag");
});

test("the same window always has the same id, another window another", () => {
  const id = (at: number) => {
    const made = assess({ ...scored({ ...HIDDEN, ...LEG }, 0.9), atMs: at }, policy);
    return "flag" in made ? made.flag.id : "";
  };
  expect(id(atMs)).toBe(id(atMs));
  expect(id(atMs)).not.toBe(id(atMs + 1));
});

test("geography alone never raises a flag, however sure the model is", () => {
  expect(assess(scored(HIDDEN, 1), policy)).toEqual({ refused: "too-few-families" });
});

test("what a screening hit says already is not flagged again: what else there is must reach the threshold", () => {
  const there = { ...HIDDEN, ...LEG, "origin.comprehensive": 1 };
  expect(assess(scored(there, 0.9), policy)).toHaveProperty("flag");
  const relay = { name: "relay", probability: 0.4 };
  expect(assess({ ...scored(there, 0.9), typologies: [relay] }, policy)).toEqual({ refused: "screened" });
  const never = { ...there, "origin.comprehensive": 0 };
  expect(assess({ ...scored(never, 0.9), typologies: [relay] }, policy)).toHaveProperty("flag");
  const unknown = { ...HIDDEN, ...LEG };
  expect(assess({ ...scored(unknown, 0.9), typologies: [relay] }, policy)).toHaveProperty("flag");
});

test("a score below the threshold, or none, is no flag", () => {
  expect(assess(scored({ ...HIDDEN, ...LEG }, 0.49), policy)).toEqual({ refused: "below-threshold" });
  expect(assess(scored({ ...HIDDEN, ...LEG }, Number.NaN), policy)).toEqual({ refused: "below-threshold" });
});

test("linkage and what it links count as one", () => {
  const reasons = reasonsFor(state, rowOf({ ...HIDDEN, "linkage.network": Math.log10(4) }), NO_LINKS, []);
  expect(reasons.map(({ code }) => code).sort()).toEqual(["LINKAGE_NETWORK", "ORIGIN_HIDDEN"]);
  expect(independentFamilies(reasons)).toBe(1);
});

test("payouts near a threshold are told with the thresholds", () => {
  const row = rowOf({ "payout.nearThreshold": 0.75, "payout.payments": Math.log10(5) });
  expect(reasonsFor(state, row, NO_LINKS, []).map(({ text }) => text)).toEqual([
    "75 % of about 4 payouts stood at 80 to 99 % of a reporting threshold: 1,000, 3,000 or 10,000 US dollars.",
  ]);
});

test("weights follow the model's contributions", () => {
  const reasons = reasonsFor(state, rowOf({ ...HIDDEN, ...LEG }), NO_LINKS, [
    { feature: "latency.hiddenLeg", contribution: 3 },
    { feature: "origin.hidden", contribution: 1 },
    { feature: "hashrate.size", contribution: -2 },
  ]);
  expect(reasons.map(({ code, weight }) => [code, weight])).toEqual([
    ["LATENCY_HIDDEN_LEG", 0.75],
    ["ORIGIN_HIDDEN", 0.25],
  ]);
});

const sign = (feature: string, below: number, contribution = 1) => ({
  feature,
  contribution,
  sign: { typology: "night-rental", about: "machines rented by night", side: "high" as const, below },
});

test("signs of a described typology speak by family, where few honest accounts show as much", () => {
  const row = rowOf({ "fleet.rentalAgent": 0.9, "fleet.agents": 0.5, "payout.addressChanges": 1 });
  const reasons = reasonsFor(state, row, NO_LINKS, [
    sign("fleet.rentalAgent", 0.99962, 2),
    sign("payout.addressChanges", 0.97),
    sign("fleet.agents", 0.94),
    sign("fleet.sessions", 0.99, -1),
  ]).filter(({ code }) => code === "TYPOLOGY_SIGNS");
  expect(reasons.map(({ family, weight }) => [family, weight])).toEqual([
    ["fleet", 0.5],
    ["payout", 0.25],
  ]);
  expect(reasons[0]?.text).toBe(
    "Described as night-rental: fleet.rentalAgent is higher than in 99.9 % of honest accounts.",
  );
  expect(reasons[0]?.evidence).toMatchObject([
    { type: "sign", feature: "fleet.rentalAgent", about: "machines rented by night", below: 0.99962 },
  ]);
  expect(independentFamilies(reasons)).toBe(2);
});

test("what a description adds is no probability: the severity rests on the rest and on the families", () => {
  const row = { ...HIDDEN, ...LEG, "fleet.rentalAgent": 0.9 };
  const severity = (described: number) => {
    const made = assess(
      {
        ...scored(row, 0.85),
        typologies: [
          { name: "relay", probability: 0.85 - described },
          { name: "night-rental", probability: described },
        ],
        contributions: [sign("fleet.rentalAgent", 0.999)],
      },
      policy,
    );
    return "flag" in made ? made.flag.severity : made.refused;
  };
  expect(severity(0)).toBe("high");
  expect(severity(0.8)).toBe("medium");
});

test("a described link is no family of its own: its rule is", () => {
  const linked = rowOf({ ...HIDDEN, "linkage.network": Math.log10(4) });
  const reasons = reasonsFor(state, linked, NO_LINKS, [
    sign("linkage.network", 0.99),
    sign("linkage.template", 0.99),
  ]);
  expect(reasons.map(({ code }) => code)).toContain("TYPOLOGY_SIGNS");
  expect(independentFamilies(reasons)).toBe(1);
});

test("a missing feature never speaks", () => {
  expect(reasonsFor(state, rowOf({}), NO_LINKS, [])).toEqual([]);
});

test("every rule reads features that exist and has a code of its own", () => {
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  for (const name of RULES.flatMap(({ features }) => features))
    expect(FEATURE_INDEX.has(name), name).toBe(true);
});

test("a screening hit names its place with the source of each fact", () => {
  const facts = [{ fact: "country", value: "KP", source: "networks 2026-11-01" }] as const;
  const origin = originOf("175.45.176.1", { country: "KP", tier: "comprehensive", facts });
  const flag = flagSchema.parse(
    screeningFlag({ kind: "source", pool: "pool", account: "alice", value: origin.ip, origin, atMs }, [], []),
  );
  expect(flag).toMatchObject({ kind: "screening", families: ["origin"], severity: "high" });
  expect(flag.reasons[0]?.evidence).toContainEqual({ type: "fact", ...facts[0] });
});

test("evidence covers the hours before the window, sources with their facts, and null for missing features", () => {
  const evidence = evidenceOf(state, atMs, rowOf(HIDDEN));
  expect(evidence.workPerHour).toHaveLength(167);
  expect(evidence.sources).toMatchObject([{ ip: "192.0.2.1", kind: "vpn", shares: 1 }]);
  expect(evidence.features["latency.tcp"]).toBeNull();
});
