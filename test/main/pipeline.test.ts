import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { FEATURES } from "../../src/core/features.ts";
import type { Drifted, Flag } from "../../src/core/flag.ts";
import { isFlagged } from "../../src/core/flagged.ts";
import { DAY_MS, HOUR_MS } from "../../src/core/metrics.ts";
import type { Model } from "../../src/core/model.ts";
import type { Tier } from "../../src/core/origin.ts";
import type { FlagEvidence } from "../../src/core/store.ts";
import { createPipeline, type PipelineOptions } from "../../src/main/pipeline.ts";
import { originOf, poissonShares, seeded } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);

/** A value, and its typology's part of it: all of it unless said. */
interface Answer {
  value: number;
  part?: number;
}

/** A model that gives every account the value of the moment. */
function constantModel(answer: Answer): Model {
  return {
    name: "constant",
    version: "1.0.0",
    typologies: ["relay"],
    score: async (_rows, count) => ({
      value: new Float32Array(count).fill(answer.value),
      typologies: new Float32Array(count).fill(answer.part ?? answer.value),
      novelty: new Float32Array(count),
    }),
    explain: async () => [],
    counterfactual: async () => null,
    close: async () => {},
  };
}

/** Two accounts behind a VPN; only `far` has a hidden leg, so only it has a third family. */
function startPipeline(options: Partial<PipelineOptions> & { answer: Answer; tier?: Tier }) {
  const { tier = "none" } = options;
  const lookUpOrigin = (ip: string) => originOf(ip, { kind: "vpn", tier });
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6 });
  const flags: Flag[] = [];
  const pipeline = createPipeline({
    analysis,
    model: constantModel(options.answer),
    screen: (subject, value, atMs) => ({ subject, value, atMs, lists: [], matches: [] }),
    lists: () => [],
    policy: { threshold: 0.5, minimumFamilies: 3, alertsPerDay: 20 },
    raise: async (flag) => {
      flags.push(flag);
      return "opened";
    },
    ...options,
  });
  const random = seeded(3);
  const day = async (from: number) => {
    const span = {
      fromMs: START + from * DAY_MS,
      toMs: START + (from + 1) * DAY_MS,
      meanGapMs: () => 60_000,
    };
    const shares = [
      ...poissonShares(random, span, { account: "far" }),
      ...poissonShares(random, span, { account: "near" }),
    ];
    const sessions = [6, 12, 18].map((hour) => ({
      type: "session" as const,
      atMs: span.fromMs + hour * HOUR_MS - 1000,
      pool: "pool",
      session: `s${from}-${hour}`,
      event: "authorize" as const,
      ip: "192.0.2.1",
      port: 1,
      account: "far",
      rttMs: 10,
      appRttMs: 150,
    }));
    await pipeline.take({ observations: [...shares, ...sessions].sort((a, b) => a.atMs - b.atMs) });
  };
  return { analysis, pipeline, flags, day };
}

test("an account is flagged from the window assessed so, until one that is not; too few families are not flagged", async () => {
  const answer = { value: 0.9 };
  const { analysis, flags, day } = startPipeline({ answer });
  await day(0);
  expect(new Set(flags.map(({ account }) => account))).toEqual(new Set(["far"]));
  const far = analysis.account("pool", "far")!;
  expect(isFlagged(far)).toBe(true);
  expect(isFlagged(analysis.account("pool", "near")!)).toBe(false);
  answer.value = 0.1;
  await day(1);
  expect(isFlagged(far)).toBe(false);
});

test("what the alert budget puts off is flagged all the same: it is not learned from", async () => {
  const policy = { threshold: 0.5, minimumFamilies: 3, alertsPerDay: 0 };
  const { analysis, flags, pipeline, day } = startPipeline({ answer: { value: 0.9 }, policy });
  await day(0);
  expect(flags).toEqual([]);
  expect(pipeline.counts.deferred).toBeGreaterThan(0);
  expect(isFlagged(analysis.account("pool", "far")!)).toBe(true);
});

test("who was screened for a place is not flagged for it, and is not learned from either", async () => {
  const answer: Answer = { value: 0.9, part: 0.1 };
  const { analysis, flags, day } = startPipeline({ answer, tier: "comprehensive" });
  await day(0);
  expect(flags.length).toBeGreaterThan(0);
  expect(new Set(flags.map(({ kind }) => kind))).toEqual(new Set(["screening"]));
  expect(isFlagged(analysis.account("pool", "far")!)).toBe(true);
  answer.part = 0.6;
  await day(1);
  expect(flags.some(({ kind, account }) => kind === "anomaly" && account === "far")).toBe(true);
});

test("of a day's flags no more may be expected to be false than was set, by their values", async () => {
  const policy = { threshold: 0.03, minimumFamilies: 3, alertsPerDay: 20, falseDiscoveryRate: 0.2 };
  const answer = { value: 0.7 };
  const { flags, pipeline, day } = startPipeline({ answer, policy });
  await day(0);
  expect(flags).toEqual([]);
  expect(pipeline.counts.doubtful).toBeGreaterThan(0);
  answer.value = 0.9;
  await day(1);
  expect(flags.length).toBeGreaterThan(0);
});

test("an account above the threshold is ranked among honest ones of its kind, and its rank is kept with the flag", async () => {
  const policy = { threshold: 0.5, minimumFamilies: 3, maximumP: 0.01, alertsPerDay: 20 };
  const kept: FlagEvidence[] = [];
  const asked: number[] = [];
  let p = 0.2;
  const { flags, day } = startPipeline({
    answer: { value: 0.9 },
    policy,
    conformalP: (row, value) => {
      expect(row).toHaveLength(FEATURES.length);
      asked.push(value);
      return p;
    },
    raise: async (_, evidence) => {
      kept.push(evidence);
      return "opened";
    },
  });
  await day(0);
  expect(asked.length).toBeGreaterThan(0);
  expect([flags, kept]).toEqual([[], []]);
  p = 0.004;
  await day(1);
  expect(kept.at(-1)).toMatchObject({ conformalP: 0.004 });
});

test("where inputs drifted a flag says so, and its severity no longer rests on the score", async () => {
  const drift: Drifted[] = [];
  const seen: string[] = [];
  const options: Partial<PipelineOptions> = {
    onWindow: async ({ pool }) => void seen.push(pool),
    drifted: (pool) => (seen.includes(pool) ? drift : []),
  };
  const { flags, day } = startPipeline({ answer: { value: 0.99 }, ...options });
  await day(0);
  expect(flags.at(-1)).toMatchObject({ severity: "high" });
  expect(flags.at(-1)).not.toHaveProperty("drift");
  drift.push({ feature: "hashrate.size", psi: 0.4 });
  await day(1);
  expect(flags.at(-1)).toMatchObject({ severity: "medium", drift });
});
