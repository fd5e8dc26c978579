import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { averagePrecision } from "./average-precision.ts";
import { type Finding, judged, type OnProgress } from "./figure.ts";
import { readNpz } from "./npz.ts";

/** Something that learns from unlabelled rows and scores them: the baselines, handed in by the caller. */
export interface OutlierDetector {
  readonly name: string;
  fit(rows: Float64Array, count: number, width: number): ScoreRows | Promise<ScoreRows>;
}
type ScoreRows = (rows: Float64Array, count: number) => Float64Array;

/** What `assay evaluate adbench` is told. */
export interface AdbenchOptions {
  /** Holds the benchmark's .npz files. */
  directory: string;
  isolationForest: OutlierDetector;
  ecod: OutlierDetector;
  autoencoder: OutlierDetector;
  /** Only the sets whose file names match; the figures are then means over these. */
  only?: RegExp;
  onProgress?: OnProgress;
}

/** One set: `labels` are 1 for an anomaly. */
interface LabelledRows {
  name: string;
  rows: Float64Array;
  count: number;
  width: number;
  labels: Float64Array;
}

/** Mean average precision of the isolation forest and of ECOD over the 43 sets, and how near ours must come. */
const PUBLISHED = { isolationForest: 0.394, ecod: 0.354, tolerance: 0.02 };

/**
 * `assay evaluate adbench`: mean average precision over ADBench's classical sets (Han et al., NeurIPS 2022). Each detector
 * learns from all rows of a set without their labels and scores the same rows, with one setting for all sets.
 */
export async function* evaluateAdbench(options: AdbenchOptions): AsyncGenerator<Finding> {
  const { directory, isolationForest, ecod, autoencoder, only, onProgress = () => undefined } = options;
  const detectors = [isolationForest, ecod, autoencoder];
  const files = (await readdir(directory))
    .filter((file) => file.endsWith(".npz") && (only?.test(file) ?? true))
    .sort();
  if (files.length === 0) throw new Error(`adbench: no .npz files in ${directory}`);
  const rows: (string | number)[][] = [];
  const sums = detectors.map(() => 0);
  for (const [index, file] of files.entries()) {
    const set = await readSet(directory, file);
    const row: (string | number)[] = [set.name, set.count, set.width, mean(set.labels)];
    for (const [place, detector] of detectors.entries()) {
      const score = await detector.fit(set.rows, set.count, set.width);
      const precision = averagePrecision(score(set.rows, set.count), set.labels);
      sums[place] = (sums[place] as number) + precision / files.length;
      row.push(precision);
    }
    rows.push(row);
    onProgress(index + 1, files.length, set.name);
  }
  const [forestMean = 0, ecodMean = 0, autoencoderMean = 0] = sums;
  yield reproduced("adbench.iforest", forestMean, PUBLISHED.isolationForest);
  yield reproduced("adbench.ecod", ecodMean, PUBLISHED.ecod);
  yield judged(
    {
      figure: "adbench.autoencoder",
      value: autoencoderMean,
      unit: "mean AUCPR",
      note: `${files.length} sets`,
    },
    { above: PUBLISHED.isolationForest },
  );
  yield {
    table: "ADBench: average precision",
    columns: ["set", "rows", "features", "anomalies", ...detectors.map(({ name }) => name)],
    rows: [...rows, ["mean", "", "", "", ...sums]],
  };
}

function reproduced(figure: string, value: number, published: number): Finding {
  const { tolerance } = PUBLISHED;
  return {
    figure,
    value,
    unit: "mean AUCPR",
    target: `${published} ± ${tolerance}`,
    met: Math.abs(value - published) <= tolerance,
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function readSet(directory: string, file: string): Promise<LabelledRows> {
  const arrays = readNpz(await readFile(join(directory, file)));
  const x = arrays.get("X");
  const y = arrays.get("y");
  const [count = 0, width = 0] = x?.shape ?? [];
  if (!x || !y || x.shape.length !== 2 || y.data.length !== count) {
    throw new Error(`adbench: ${file} holds no rows X with labels y`);
  }
  const name = file.replace(/^\d+_/, "").replace(/\.npz$/, "");
  return { name, rows: x.data, count, width, labels: y.data };
}
