import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoadedModel, loadModel } from "../../models/load-model.ts";
import { createRandom } from "../../models/simulate/random.ts";
import { parseConfig } from "../../src/config.ts";
import { Analysis } from "../../src/core/analysis.ts";
import { FEATURE_INDEX, FEATURES } from "../../src/core/features.ts";
import { noteFlagged } from "../../src/core/flagged.ts";
import { HOUR_MS } from "../../src/core/metrics.ts";
import type { Window } from "../../src/core/window.ts";
import { createCounters } from "../../src/main/counters.ts";
import { createDecisions } from "../../src/main/decisions.ts";
import { createModelWatch, exposeModel } from "../../src/main/model-watch.ts";
import { shippedModel } from "../support/models.ts";
import { originOf, shareOf } from "../support/shares.ts";

const START = Date.UTC(2026, 5, 1);
const ACCOUNTS = 260;
const width = FEATURES.length;
const SIZE = FEATURE_INDEX.get("hashrate.size")!;
const config = parseConfig("detection: { stepHours: 24 }");
let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel(await shippedModel(), { backend: "oracle" });
});
afterAll(() => model.close());

const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 24 });
analysis.take(Array.from({ length: ACCOUNTS }, (_, at) => shareOf({ atMs: START + at, account: `a${at}` })));
analysis.finish();
const closed = analysis.takeWindows()[0]!;

/** A day's window of the accounts, with features drawn anew and hashrates moved by `shift`. */
function windowOf(day: number, shift = 0): Window {
  const random = createRandom(day, "model-watch");
  const rows = new Float32Array(ACCOUNTS * width).fill(Number.NaN);
  for (let row = 0; row < ACCOUNTS; row += 1) {
    rows[row * width + SIZE] = 12 + random.normal() + shift;
    rows[row * width + FEATURE_INDEX.get("operator.age")!] = Math.log10(24 * day + 1);
  }
  return { ...closed, atMs: START + day * 24 * HOUR_MS, rows };
}

function start(shadow?: LoadedModel) {
  const logged: string[] = [];
  const counters = createCounters({
    now: () => START,
    analysis,
    pipeline: {
      observations: 0,
      refused: 0,
      unknownFields: 0,
      windows: 0,
      scored: 0,
      flags: 0,
      deferred: 0,
      doubtful: 0,
    },
  });
  const decisions = createDecisions();
  const log = (level: string, message: string, fields: object = {}) =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const modelWatch = createModelWatch(config, { model, shadow }, { log, decisions });
  exposeModel(counters, modelWatch);
  const values = new Float32Array(ACCOUNTS).fill(1e-4);
  return {
    modelWatch,
    counters,
    decisions,
    logged,
    take: (window: Window) => modelWatch.take(window, values),
  };
}

test("drift past .25 is an error in the log, once, a figure in /metrics and the metrics store, and kept", async () => {
  const { modelWatch, counters, decisions, logged, take } = start();
  await take(windowOf(9));
  await take(windowOf(10));
  expect(logged).toEqual([]);
  await take(windowOf(11, 4));
  await take(windowOf(12, 4));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toMatch(/^error model: the pool's inputs have drifted.*hashrate\.size \d/);
  expect(modelWatch.drifted("pool").map(({ feature }) => feature)).toEqual(["hashrate.size"]);
  const text = await counters.text();
  expect(text).toMatch(/^assay_model_stopped\{pool="pool"\} 1$/m);
  const psi = Number(/^assay_model_drift\{pool="pool",feature="hashrate\.size"\} (.+)$/m.exec(text)?.[1]);
  expect(psi).toBeGreaterThan(1);
  expect(text).toMatch(/^assay_model_training_distance\{pool="pool",feature="hashrate\.size"\} \d/m);
  expect(text).toMatch(/^assay_model_conformal\{pool="pool",figure="distance"\} \d/m);
  const kept = decisions.takeDeltas().findLast(({ measurement }) => measurement === "drift");
  expect(kept?.values[0]).toBeCloseTo(psi, 9);
  expect(kept?.values.every((value) => value > 0)).toBe(true);

  const bytes = modelWatch.takeChange()!;
  expect(modelWatch.takeChange()).toBeUndefined();
  const again = start();
  again.modelWatch.watch.restore(bytes);
  expect(again.modelWatch.drifted("pool")).toEqual(modelWatch.drifted("pool"));
  await take(windowOf(13));
  expect(logged[1]).toMatch(/^info model: the pool's inputs are as they were/);
});

test("flagged accounts are left out of what is measured", async () => {
  const { modelWatch, take } = start();
  for (const state of closed.accounts.slice(0, 30)) noteFlagged(state, true, START);
  await take(windowOf(9));
  expect(modelWatch.standing().pools[0]?.accounts).toBe(ACCOUNTS - 30);
  for (const state of closed.accounts) noteFlagged(state, false, START);
});

test("a shadow that cannot score is counted and logged once; the active model goes on", async () => {
  const broken: LoadedModel = {
    ...model,
    version: "0.0.9",
    score: async () => {
      throw new Error("score: the network answered NaN");
    },
  };
  const { modelWatch, counters, logged, take } = start(broken);
  await take(windowOf(9));
  await take(windowOf(10));
  expect(logged).toEqual([
    'error model: the shadow cannot score {"reason":"Error: score: the network answered NaN"}',
  ]);
  expect(modelWatch.standing()).toMatchObject({
    pools: [{ state: "steady" }],
    shadow: { failures: 2, pools: [] },
  });
  expect(await counters.text()).toMatch(/^assay_shadow_failures 2$/m);
});
