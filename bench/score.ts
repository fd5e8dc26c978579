import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Analysis } from "#core/analysis.ts";
import { FEATURES } from "#core/features.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import { collect } from "../models/collect.ts";
import { loadModel } from "../models/load-model.ts";
import { readScenario } from "../models/simulate/scenario.ts";
import { simulate } from "../models/simulate/simulate.ts";
import { createOrigin } from "../src/origin/origin.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";

const ROWS = 40_960;
const ROUNDS = 5;
const HOURS_A_ROUND = 10;
const SHELF = join(import.meta.dirname, "../models/consistency");

/** What it costs to score accounts: closing a window (features and links) and the model, together and apart. */
export async function* run(): AsyncGenerator<Figure> {
  const { lookUp } = await createOrigin();
  const rows = usualVectors(lookUp);
  const modelRate = await rowsPerCpuSecond(rows, ROWS, { backend: "wasm" });
  const oracleRate = await rowsPerCpuSecond(rows, 4096, { backend: "oracle" });
  const windowRate = await windowsPerCpuSecond(lookUp);
  const together = (rate: number): number => 1 / (1 / rate + 1 / windowRate);
  yield { figure: "score.accounts_per_cpu_second", value: together(modelRate), unit: "accounts/CPU-s" };
  yield {
    figure: "score.model_rows_per_cpu_second",
    value: modelRate,
    unit: "rows/CPU-s",
    peer: "plain JavaScript",
    peerValue: oracleRate,
    ratio: modelRate / oracleRate,
  };
  yield { figure: "score.features_per_cpu_second", value: windowRate, unit: "accounts/CPU-s" };
}

/** Rows the shipped model scores per CPU-second, after a round that warms it up. */
async function rowsPerCpuSecond(
  rows: Float32Array,
  count: number,
  options: Parameters<typeof loadModel>[1],
): Promise<number> {
  const versions = readdirSync(SHELF).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const model = await loadModel(join(SHELF, versions.at(-1) as string), options);
  const few = rows.subarray(0, count * FEATURES.length);
  await model.score(few, count);
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    seconds.push(await cpuSeconds(() => model.score(few, count)));
  await model.close();
  return count / median(seconds);
}

/**
 * Vectors of a usual pool's accounts, repeated to fill the batch: what a model has to do depends on how dull its accounts
 * are. One in a hundred is a campaign's, a hundred times as many as the base rate says.
 */
function usualVectors(lookUp: LookUpOrigin): Float32Array {
  const scenario = readScenario({
    accounts: 500,
    days: 8,
    mix: "usual",
    campaignPart: 0.01,
    vardiffSeconds: 1200,
    siteSharesPerHour: 6,
    maxMachines: 40,
  });
  const set = collect(simulate(scenario, 2), { lookUpOrigin: lookUp, stepHours: 24 });
  const rows = new Float32Array(ROWS * FEATURES.length);
  const known = set.rows.subarray(0, set.count * FEATURES.length);
  for (let at = 0; at < rows.length; at += known.length)
    rows.set(known.subarray(0, Math.min(known.length, rows.length - at)), at);
  return rows;
}

/**
 * Accounts whose vectors a closing window makes per CPU-second, on a simulated day; time alone passes while measured. A
 * service does this for weeks: what compiling costs in the first seconds is left to another pool before.
 */
async function windowsPerCpuSecond(lookUp: LookUpOrigin): Promise<number> {
  await windowRates(lookUp, 2);
  return median(await windowRates(lookUp, 1));
}

/** Accounts a CPU-second, round by round, over the windows of one pool; a single hour is too short for the clock. */
async function windowRates(lookUpOrigin: LookUpOrigin, seed: number): Promise<number[]> {
  const analysis = new Analysis({ lookUpOrigin, stepHours: 1 });
  const scenario = readScenario({
    accounts: 1500,
    days: 0.4,
    vardiffSeconds: 1200,
    siteSharesPerHour: 6,
    maxMachines: 40,
  });
  const { observations, endMs } = simulate(scenario, seed);
  for (const batch of observations) analysis.take(batch);
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    let accounts = 0;
    const seconds = await cpuSeconds(() => {
      for (let hour = round * HOURS_A_ROUND; hour < (round + 1) * HOURS_A_ROUND; hour += 1) {
        analysis.advance(endMs + hour * 3_600_000);
        for (const window of analysis.takeWindows()) accounts += window.accounts.length;
      }
    });
    rates.push(accounts / seconds);
  }
  return rates;
}
