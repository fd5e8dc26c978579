import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { FEATURE_SCHEMA, FEATURES } from "#core/features.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import { writeCard } from "./card.ts";
import { collect } from "./collect.ts";
import { ENCODED, fitScaler, RISK_FEATURES, type Scaler } from "./encode.ts";
import { averagePrecision } from "./evaluate/average-precision.ts";
import { concatenate, type Dataset } from "./evaluate/dataset.ts";
import { calibrationError, judge, recallTable } from "./evaluate/detection-metrics.ts";
import { fitFusion, imposeBaseRate } from "./fit-fusion.ts";
import { encodeAll } from "./load-model.ts";
import { directoryHandler, type Manifest, sha256, weightsOf, writeModelFiles } from "./model-files.ts";
import { CLASSES, runNetwork, SIZES, type Sizes } from "./network.ts";
import { boundNovelty, campaignLogit, type Fusion, Oracle, rebuildingError } from "./oracle.ts";
import { makeReference, type Reference } from "./reference.ts";
import { SIMULATOR_VERSION, simulate } from "./simulate/simulate.ts";
import { useBackend } from "./tensor-flow.ts";
import { SCHEDULE, type Schedule, trainNetwork } from "./train-network.ts";
import { drawWorld, type WorldOptions } from "./worlds.ts";

/** Campaigns per account that values are calibrated for (DETECTION.md: how it is judged). */
export const BASE_RATE = 1e-4;

/** How much is simulated: worlds to learn from, to fit the fusion on, and to judge by. */
export interface Volume {
  accounts: number;
  learn: number;
  fit: number;
  judge: number;
}

export const VOLUME: Volume = { accounts: 220, learn: 36, fit: 8, judge: 4 };

export interface TrainOptions {
  /** Where `<name>/<version>/` is made. */
  directory: string;
  name: string;
  version: string;
  seed: number;
  lookUpOrigin: LookUpOrigin;
  volume?: Volume;
  sizes?: Sizes;
  schedule?: Schedule;
  onProgress?: (phase: "simulate" | "train" | "judge", part: number) => void;
}

/** What training made. */
export interface Trained {
  directory: string;
  manifest: Manifest;
  metrics: Metrics;
}

/** Figures on worlds that neither the network nor the fusion has seen. */
export interface Metrics {
  cleanAccountDays: number;
  campaigns: number;
  averagePrecisionAtBaseRate: number;
  calibrationError: number;
  recallAtFpr: Record<string, Record<string, number>>;
}

/** Simulates, trains, calibrates, judges and writes a model. The same options give the same weights, bit for bit. */
export async function train(options: TrainOptions): Promise<Trained> {
  const { name, version, seed, volume = VOLUME, sizes = SIZES, schedule = SCHEDULE, onProgress } = options;
  const backend = await useBackend("wasm");
  const worlds = volume.learn + volume.fit + volume.judge;
  let made = 0;
  const simulated = (count: number, world: WorldOptions): Dataset => {
    const sets: Dataset[] = [];
    for (let index = 0; index < count; index += 1) {
      const worldSeed = seed * 1000 + made;
      sets.push(
        collect(simulate(drawWorld(worldSeed, world), worldSeed), {
          lookUpOrigin: options.lookUpOrigin,
          stepHours: 12,
          onProgress: (part) => onProgress?.("simulate", (made + part) / worlds),
        }),
      );
      made += 1;
    }
    return concatenate(sets);
  };
  const learning = simulated(volume.learn, { accounts: volume.accounts, campaignPart: 0.35 });
  const fitted = await fitModel(
    learning,
    () =>
      simulated(volume.fit, {
        accounts: 2 * volume.accounts,
        campaignPart: 0.08,
        mix: "usual",
      }),
    {
      seed,
      sizes,
      schedule,
      onProgress: (part) => onProgress?.("train", part),
    },
  );
  const { network, scaler, fusion } = fitted;
  const judging = simulated(volume.judge, {
    accounts: 2 * volume.accounts,
    campaignPart: 0.05,
    mix: "usual",
  });
  const metrics = judgeModel(new Oracle(weightsOf(network), scaler, fusion), judging);
  onProgress?.("judge", 1);

  const directory = join(options.directory, name, version);
  await network.save(directoryHandler(directory));
  const manifest = await writeModelFiles(directory, {
    scaler,
    calibration: fusion,
    reference: fitted.reference,
    metrics,
    card: writeCard({ name, version, seed, learning, metrics, fusion, volume }),
    manifest: {
      name,
      version,
      featureSchema: FEATURE_SCHEMA,
      classes: [...CLASSES],
      data: {
        simulator: SIMULATOR_VERSION,
        seed,
        worlds,
        rows: learning.count,
        sha256: sha256(new Uint8Array(learning.rows.buffer)),
      },
      versions: await readVersions(),
      backend,
      command: `assay train --seed ${seed} --version ${version}`,
    },
  });
  network.dispose();
  return { directory, manifest, metrics };
}

/** A trained network with what is needed to score by it. The caller disposes of `network`. */
export interface Fitted {
  network: Awaited<ReturnType<typeof trainNetwork>>;
  scaler: Scaler;
  fusion: Fusion;
  oracle: Oracle;
  /** Honest accounts of the worlds it was fused on. */
  reference: Reference;
}

/** Trains on one data set and fuses on another, which is asked for only when the network stands. */
export async function fitModel(
  learning: Dataset,
  fittingSet: () => Dataset,
  options: { seed: number; sizes: Sizes; schedule: Schedule; onProgress?: (part: number) => void },
): Promise<Fitted> {
  const { seed, sizes, schedule, onProgress } = options;
  const scaler = fitScaler(learning.rows, learning.count);
  const network = await trainNetwork(
    { rows: learning.rows, count: learning.count, classes: classesOf(learning) },
    { scaler, sizes, schedule, seed, ...(onProgress ? { onProgress } : {}) },
  );
  const fitting = fittingSet();
  const heads = await runHeads(network, scaler, fitting);
  const positive = Uint8Array.from(fitting.owner, (owner) => (fitting.truth[owner]?.campaign ? 1 : 0));
  const weight = accountWeights(fitting);
  const noveltyUnit = median(heads.error.filter((_, row) => positive[row] === 0));
  const novelty = heads.error.map((error) => Math.log(boundNovelty(error / noveltyUnit)));
  const fusion: Fusion = {
    ...fitFusion({ campaign: heads.campaign, risk: heads.risk, novelty, positive, weight }, BASE_RATE),
    noveltyUnit,
  };
  const oracle = new Oracle(weightsOf(network), scaler, fusion);
  const honest = Array.from(positive.keys()).filter((row) => positive[row] === 0);
  const rows = new Float32Array(honest.length * FEATURES.length);
  const logits = new Float64Array(honest.length);
  const owner = new Uint32Array(honest.length);
  for (const [at, row] of honest.entries()) {
    const from = row * FEATURES.length;
    rows.set(fitting.rows.subarray(from, from + FEATURES.length), at * FEATURES.length);
    logits[at] = oracle.score(fitting.rows, row).logit;
    owner[at] = fitting.owner[row] as number;
  }
  return { network, scaler, fusion, oracle, reference: makeReference(rows, honest.length, logits, owner) };
}

/** Class of each row, by its account's truth. */
export function classesOf(set: Dataset): Uint8Array {
  const byOwner = set.truth.map(({ typology }) => (typology === null ? 0 : CLASSES.indexOf(typology)));
  return Uint8Array.from(set.owner, (owner) => byOwner[owner] as number);
}

/** One over the number of its account's rows: every account counts the same. */
export function accountWeights(set: Dataset): Float64Array {
  const rows = new Float64Array(set.truth.length);
  for (const owner of set.owner) (rows[owner] as number) += 1;
  return Float64Array.from(set.owner, (owner) => 1 / (rows[owner] as number));
}

async function runHeads(network: Parameters<typeof runNetwork>[0], scaler: Scaler, set: Dataset) {
  const heads = {
    campaign: new Float64Array(set.count),
    risk: new Float64Array(set.count),
    error: new Float64Array(set.count),
  };
  const width = set.rows.length / set.count;
  for (let from = 0; from < set.count; from += 4096) {
    const some = Math.min(4096, set.count - from);
    const encoded = new Float32Array(some * ENCODED);
    const risky = new Float32Array(some * RISK_FEATURES.length);
    encodeAll(scaler, set.rows.subarray(from * width), some, encoded, risky);
    const outputs = await runNetwork(network, encoded, risky, some);
    for (let row = 0; row < some; row += 1) {
      heads.campaign[from + row] = campaignLogit(outputs.typologies, row * CLASSES.length);
      heads.risk[from + row] = outputs.risk[row] as number;
      heads.error[from + row] = rebuildingError(encoded, row * ENCODED, outputs.features, row * width);
    }
  }
  return heads;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  return sorted[Math.floor(sorted.length / 2)] ?? 1;
}

function judgeModel(oracle: Oracle, set: Dataset): Metrics {
  const logits = new Float64Array(set.count);
  const values = new Float64Array(set.count);
  for (let row = 0; row < set.count; row += 1) {
    const { logit, value } = oracle.score(set.rows, row);
    logits[row] = logit;
    values[row] = value;
  }
  const positive = Uint8Array.from(set.owner, (owner) => (set.truth[owner]?.campaign ? 1 : 0));
  const weight = imposeBaseRate({ positive, weight: accountWeights(set) }, BASE_RATE);
  const judged = judge(set, logits);
  const recallAtFpr = Object.fromEntries(
    [1e-2, 1e-3, 1e-4].map((rate) => [String(rate), recallTable(judged, rate)]),
  );
  return {
    cleanAccountDays: judged.clean.length,
    campaigns: judged.campaigns.length,
    averagePrecisionAtBaseRate: averagePrecision(logits, positive, weight),
    calibrationError: calibrationError(values, positive, weight),
    recallAtFpr,
  };
}

async function readVersions(): Promise<Record<string, string>> {
  const versions: Record<string, string> = { node: process.versions.node };
  const resolve = createRequire(import.meta.url).resolve;
  for (const part of ["tfjs-core", "tfjs-layers", "tfjs-backend-wasm"]) {
    const text = await readFile(resolve(`@tensorflow/${part}/package.json`), "utf8");
    versions[`@tensorflow/${part}`] = JSON.parse(text).version;
  }
  return versions;
}
