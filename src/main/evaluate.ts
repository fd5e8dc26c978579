import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { autoencoder } from "../../models/baselines/autoencoder.ts";
import { ecod } from "../../models/baselines/ecod.ts";
import { gradientBoosting } from "../../models/baselines/gradient-boosting.ts";
import { isolationForest } from "../../models/baselines/isolation-forest.ts";
import { logisticRegression } from "../../models/baselines/logistic-regression.ts";
import { evaluateAdbench } from "../../models/evaluate/adbench.ts";
import { truthOfAnswers } from "../../models/evaluate/answered-truth.ts";
import { evaluateChange } from "../../models/evaluate/change.ts";
import type { Finding } from "../../models/evaluate/figure.ts";
import { htmlReport } from "../../models/evaluate/html-report.ts";
import { evaluateNab } from "../../models/evaluate/nab.ts";
import { figureLines, findingText } from "../../models/evaluate/text-report.ts";
import { evaluateVerdicts } from "../../models/evaluate/verdicts.ts";
import {
  type EvaluationOptions,
  holdoutsFindings,
  latencyFindings,
  populationFindings,
} from "../../models/evaluations.ts";
import { recordedFindings } from "../../models/recorded.ts";
import { useBackend } from "../../models/tensor-flow.ts";
import { parseConfig, readConfig } from "../config.ts";
import { openOps } from "../store/ops-sqlite.ts";
import { wholeNumber } from "./arguments.ts";
import { openModel } from "./parts.ts";
import { createProgress } from "./progress.ts";
import { openRecordings } from "./recordings.ts";
import { UsageError } from "./usage.ts";
import { createWorldPool } from "./world-pool.ts";

interface Given {
  seed: number;
  data: string | undefined;
  scores: string | undefined;
  thresholds: boolean;
  worlds: number | undefined;
  config: string | undefined;
  truth: string | undefined;
  onProgress: (done: number, total: number, note?: string) => void;
}

/** Parts of the evaluation by name; what a part needs beside the seed it says itself. */
const PARTS: Record<string, (given: Given) => AsyncIterable<Finding>> = {
  population: (given) => onPools(given, populationFindings),
  holdouts: (given) => onPools(given, holdoutsFindings),
  latency: (given) => onPools(given, latencyFindings),
  change: ({ seed, thresholds, onProgress }) => evaluateChange({ seed, thresholds, onProgress }),
  nab: ({ data, scores, onProgress }) =>
    evaluateNab({ directory: needed("nab", data), ...(scores === undefined ? {} : { scores }), onProgress }),
  adbench: async function* ({ data, onProgress }) {
    await useBackend("wasm");
    const detectors = { isolationForest: isolationForest(), ecod: ecod(), autoencoder: autoencoder() };
    yield* evaluateAdbench({ directory: needed("adbench", data), ...detectors, onProgress });
  },
  verdicts: onVerdicts,
  recorded: onRecordings,
};

/** The part that is judged by what operators answered, in the store of a service, running or not. */
async function* onVerdicts({ config, truth }: Given): AsyncGenerator<Finding> {
  const { directory } = (config === undefined ? parseConfig("") : readConfig(config)).data;
  const file = join(directory, "ops.db");
  if (!existsSync(file))
    throw new UsageError(`evaluate verdicts: no operations store at ${file}; --config names the service's`);
  const ops = await openOps({ file });
  try {
    const answers = await ops.answered(0);
    if (truth !== undefined) await writeFile(truth, truthOfAnswers(answers));
    yield* evaluateVerdicts({ answers, volume: await ops.volume() });
  } finally {
    await ops.close();
  }
}

/** The part that is judged on recordings whose truth is known. */
async function* onRecordings({ data, config: file, onProgress }: Given): AsyncGenerator<Finding> {
  const directory = needed("recorded", data);
  const config = file === undefined ? parseConfig("") : readConfig(file);
  const model = await openModel(config);
  try {
    const recordings = openRecordings(directory, file, onProgress);
    yield* recordedFindings({ model, recordings, threshold: config.detection.threshold });
  } finally {
    await model.close();
  }
}

/** A part that is judged on simulated pools: the shipped model beside the baselines. */
async function* onPools(
  { seed, worlds, onProgress }: Given,
  findings: (options: EvaluationOptions) => AsyncIterable<Finding>,
): AsyncGenerator<Finding> {
  const config = parseConfig("");
  const model = await openModel(config);
  const pool = createWorldPool();
  try {
    yield* findings({
      model,
      draw: pool.draw,
      outliers: [isolationForest(), ecod()],
      classifiers: [logisticRegression(), gradientBoosting()],
      seed,
      ...(worlds === undefined ? {} : { worlds }),
      onProgress,
    });
  } finally {
    await pool.close();
    await model.close();
  }
}

/** Parts that need somebody's data or a service's store: run when they are named. */
const NAMED = new Set(["nab", "adbench", "recorded", "verdicts"]);

function needed(part: string, directory: string | undefined): string {
  if (directory === undefined) throw new UsageError(`evaluate ${part}: --data DIR is needed`);
  return directory;
}

/** `assay evaluate [PART…]`: prints the tables, writes figures as JSON lines and one page with the plots. */
export async function evaluate(args: string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: "string" },
      report: { type: "string" },
      data: { type: "string" },
      scores: { type: "string" },
      seed: { type: "string", default: "1" },
      thresholds: { type: "boolean", default: false },
      worlds: { type: "string" },
      config: { type: "string" },
      truth: { type: "string" },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0)
    throw new UsageError(`evaluate: no part ${unknown.join(", ")}; known: ${Object.keys(PARTS).join(", ")}`);
  const names = positionals.length > 0 ? positionals : Object.keys(PARTS).filter((name) => !NAMED.has(name));
  const all = new Map<string, Finding[]>();
  let lines = "";
  for (const name of names) {
    const findings: Finding[] = [];
    all.set(name, findings);
    const progress = createProgress(`evaluate ${name}`);
    const options = {
      seed: wholeNumber("--seed", values.seed, 0),
      data: values.data,
      scores: values.scores,
      thresholds: values.thresholds,
      worlds: values.worlds === undefined ? undefined : wholeNumber("--worlds", values.worlds, 1),
      config: values.config,
      truth: values.truth,
      onProgress: (done: number, total: number, note?: string) => {
        signal.throwIfAborted();
        progress.at(done, total, note);
      },
    };
    for await (const finding of (PARTS[name] as (typeof PARTS)[string])(options)) {
      progress.end();
      process.stdout.write(findingText(finding));
      findings.push(finding);
    }
    progress.end();
    lines += figureLines(name, findings);
  }
  if (values.json !== undefined) await writeFile(values.json, lines);
  if (values.report !== undefined) await writeFile(values.report, htmlReport(`seed ${values.seed}`, all));
}
