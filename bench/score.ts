import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Analysis } from "#core/analysis.ts";
import { FEATURES } from "#core/features.ts";
import { loadModel } from "../models/load-model.ts";
import { createRandom } from "../models/simulate/random.ts";
import { readScenario } from "../models/simulate/scenario.ts";
import { simulate } from "../models/simulate/simulate.ts";
import { createOrigin } from "../src/origin/origin.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";

const ROWS = 40_960;
const ROUNDS = 5;
const SHELF = join(import.meta.dirname, "../models/consistency");

/** What it costs to score accounts: closing a window (features and links) and the model, together and apart. */
export async function* run(): AsyncGenerator<Figure> {
  const version = readdirSync(SHELF)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .at(-1) as string;
  const wasm = await loadModel(join(SHELF, version), { backend: "wasm" });
  const random = createRandom(1, "bench");
  const rows = new Float32Array(ROWS * FEATURES.length);
  for (let index = 0; index < rows.length; index += 1) {
    const { range } = FEATURES[index % FEATURES.length] as (typeof FEATURES)[number];
    rows[index] = random.chance(0.1) ? Number.NaN : random.between(range[0], range[1]);
  }
  await wasm.score(rows, ROWS);
  const modelSeconds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    modelSeconds.push(await cpuSeconds(() => wasm.score(rows, ROWS)));
  const modelRate = ROWS / median(modelSeconds);
  await wasm.close();
  const oracle = await loadModel(join(SHELF, version), { backend: "oracle" });
  const few = rows.subarray(0, 4096 * FEATURES.length);
  await oracle.score(few, 4096);
  const oracleSeconds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    oracleSeconds.push(await cpuSeconds(() => oracle.score(few, 4096)));
  const oracleRate = 4096 / median(oracleSeconds);
  await oracle.close();

  const windowRate = await windowsPerCpuSecond();
  yield {
    figure: "score.accounts_per_cpu_second",
    value: 1 / (1 / modelRate + 1 / windowRate),
    unit: "accounts/CPU-s",
  };
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

/** Accounts whose vectors a closing window makes per CPU-second, on a simulated day; time alone passes while measured. */
async function windowsPerCpuSecond(): Promise<number> {
  const { lookUp } = await createOrigin();
  const analysis = new Analysis({ lookUpOrigin: lookUp, stepHours: 1 });
  const scenario = readScenario({
    accounts: 1500,
    days: 0.4,
    vardiffSeconds: 1200,
    siteSharesPerHour: 6,
    maxMachines: 40,
  });
  const { observations, endMs } = simulate(scenario, 1);
  for (const batch of observations) analysis.take(batch);
  analysis.advance(endMs);
  analysis.takeWindows();
  const rates: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const seconds = await cpuSeconds(() => analysis.advance(endMs + round * 3_600_000));
    const accounts = analysis.takeWindows().reduce((sum, window) => sum + window.accounts.length, 0);
    rates.push(accounts / seconds);
  }
  return median(rates);
}
