import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { FEATURE_SCHEMA } from "#core/features.ts";
import type { GrowOptions } from "./baselines/grow-forest.ts";
import { writeCard } from "./card.ts";
import type { Divided } from "./divide-recordings.ts";
import { type DrawWorlds, drawSet } from "./draw-worlds.ts";
import { averagePrecision } from "./evaluate/average-precision.ts";
import type { Dataset } from "./evaluate/dataset.ts";
import { calibrationError, judge, recallTable } from "./evaluate/detection-metrics.ts";
import { BASE_RATE, imposeBaseRate } from "./fit-fusion.ts";
import { fitModel, TREES } from "./fit-model.ts";
import { directoryHandler, type Manifest, sha256, writeModelFiles } from "./model-files.ts";
import { CLASSES, SIZES, type Sizes } from "./network.ts";
import type { Oracle } from "./oracle.ts";
import { SIMULATOR_VERSION } from "./simulate/simulate.ts";
import { useBackend } from "./tensor-flow.ts";
import { SCHEDULE, type Schedule } from "./train-network.ts";
import { accountWeights } from "./weights.ts";
import { ANY_TIME, type WorldOptions } from "./worlds.ts";

/** How much is simulated: worlds to learn from, to fit the fusion on, and to judge by. */
export interface Volume {
  accounts: number;
  learn: number;
  fit: number;
  judge: number;
}

export const VOLUME: Volume = { accounts: 220, learn: 480, fit: 160, judge: 8 };

export interface TrainOptions {
  /** Where `<name>/<version>/` is made. */
  directory: string;
  name: string;
  version: string;
  seed: number;
  /** Simulates worlds, here or in threads. */
  draw: DrawWorlds;
  /** Pools of one's own, of which the truth is known, to learn from beside the simulated ones. */
  recorded?: Divided;
  volume?: Volume;
  sizes?: Sizes;
  schedule?: Schedule;
  trees?: GrowOptions;
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
  const { trees = TREES, recorded } = options;
  const backend = await useBackend("wasm");
  const worlds = volume.learn + volume.fit + volume.judge;
  let made = 0;
  const simulated = async (count: number, stepHours: number, world: WorldOptions): Promise<Dataset> => {
    const before = made;
    made += count;
    return drawSet(options.draw, count, { seed: seed * 1000 + before, world, stepHours }, (done) =>
      onProgress?.("simulate", (before + done) / worlds),
    );
  };
  // An account's windows are much alike: twice a day is enough to judge by, once a day to learn from.
  const learning = await simulated(volume.learn, 24, {
    accounts: volume.accounts,
    campaignPart: 0.35,
    days: ANY_TIME,
  });
  const fitted = await fitModel(
    learning,
    () =>
      simulated(volume.fit, 12, {
        accounts: 2 * volume.accounts,
        campaignPart: 0.08,
        mix: "usual",
        days: ANY_TIME,
      }),
    {
      ...(recorded ? { recorded } : {}),
      seed,
      sizes,
      schedule,
      trees,
      onProgress: (part) => onProgress?.("train", part),
    },
  );
  const { network, forest, hours, scaler, fusion } = fitted;
  const judging = await simulated(volume.judge, 12, {
    accounts: 2 * volume.accounts,
    campaignPart: 0.05,
    mix: "usual",
  });
  const metrics = judgeModel(fitted.oracle, judging);
  onProgress?.("judge", 1);

  const known = recorded && describe(recorded);
  const directory = join(options.directory, name, version);
  await network.save(directoryHandler(directory));
  const manifest = await writeModelFiles(directory, {
    scaler,
    forest,
    hours,
    calibration: fusion,
    reference: fitted.reference,
    honest: fitted.honest,
    metrics,
    card: writeCard({ name, version, seed, learning, recorded: known, metrics, fusion, volume }),
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
        sha256: hashOf(learning),
        ...(known ? { recorded: known } : {}),
      },
      versions: await readVersions(),
      backend,
      command: `assay train --seed ${seed} --version ${version}${recorded ? " --recorded DIR" : ""}`,
    },
  });
  network.dispose();
  return { directory, manifest, metrics };
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

const hashOf = ({ rows }: Dataset): string =>
  sha256(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));

/** What the manifest says of recorded pools. */
function describe({ learning, fusing, recordings }: Divided): Manifest["data"]["recorded"] {
  const { truth, worldOf } = learning;
  const seen = new Set([...learning.owner, ...fusing.owner]);
  const campaigns = [...seen].flatMap((owner) => {
    const campaign = truth[owner]?.campaign ?? null;
    return campaign === null ? [] : [JSON.stringify([worldOf[owner], campaign])];
  });
  return {
    recordings,
    accounts: seen.size,
    campaigns: new Set(campaigns).size,
    rows: learning.count,
    sha256: hashOf(learning),
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
