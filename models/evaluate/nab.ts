import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Finding, judged, type OnProgress } from "./figure.ts";
import {
  type NabSeries,
  publishedDetectors,
  readNabProfiles,
  readNabSeries,
  readPublishedScores,
} from "./nab-data.ts";
import { bestNabScore, nabScoreAt, type ScoredSeries } from "./nab-score.ts";
import { createNovelty } from "./novelty.ts";

/** What `assay evaluate nab` is told. */
export interface NabOptions {
  /** The benchmark: data/, labels/, config/ and, where there, published/. */
  directory: string;
  /** Scores a row are written here, in the benchmark's own layout. */
  scores?: string;
  onProgress?: OnProgress;
}

const DETECTOR = "assay";
/** HTM's score and the best of the rest below it, as published with the benchmark. */
const HTM = 70.1;

/** Scores one series as it would be met: row by row, nothing known beforehand. */
export function detectNovelty({ name, timesMs, values, windows }: NabSeries): ScoredSeries {
  const novelty = createNovelty();
  const scores = values.map((value, row) => novelty.next(timesMs[row] as number, value));
  return { name, scores, windows };
}

/**
 * `assay evaluate nab`: one detector over all 58 series of the Numenta Anomaly Benchmark, by its published rules; also
 * with the threshold decided on the artificial series alone, and beside the published detectors scored by the same code.
 */
export async function* evaluateNab(options: NabOptions): AsyncGenerator<Finding> {
  const { directory, onProgress = () => undefined } = options;
  const series = await readNabSeries(directory);
  const profiles = await readNabProfiles(directory);
  const scored: ScoredSeries[] = [];
  for (const one of series) {
    scored.push(detectNovelty(one));
    onProgress(scored.length, series.length, one.name);
  }
  if (options.scores) await writeScores(options.scores, series, scored);

  const { standard, reward_low_FP_rate: lowFp, reward_low_FN_rate: lowFn } = profiles;
  const best = bestNabScore(scored, standard);
  yield judged(
    {
      figure: "nab.standard",
      value: best.score,
      unit: "NAB score",
      note: `${best.found} of ${best.windows} windows, ${best.falseRows} false rows`,
    },
    { above: HTM },
  );
  yield { figure: "nab.low_fp", value: bestNabScore(scored, lowFp).score, unit: "NAB score" };
  yield { figure: "nab.low_fn", value: bestNabScore(scored, lowFn).score, unit: "NAB score" };
  const artificial = scored.filter(({ name }) => name.startsWith("artificial"));
  const frozen = nabScoreAt(scored, standard, bestNabScore(artificial, standard).threshold);
  yield {
    figure: "nab.frozen",
    value: frozen.score,
    unit: "NAB score",
    note: "standard, the threshold decided on artificial* alone",
  };
  yield await comparison(directory, series, scored, profiles);
  yield folders(scored, standard, best.threshold);
}

/** Every detector whose scores a row are at hand, by the same code. */
async function comparison(
  directory: string,
  series: readonly NabSeries[],
  scored: readonly ScoredSeries[],
  profiles: Awaited<ReturnType<typeof readNabProfiles>>,
): Promise<Finding> {
  const rows: (string | number)[][] = [];
  const row = (name: string, detector: readonly ScoredSeries[]) => {
    const results = Object.values(profiles).map((profile) => bestNabScore(detector, profile));
    const { found = 0, falseRows = 0 } = results[0] ?? {};
    rows.push([name, ...results.map(({ score }) => score), found, falseRows]);
  };
  row("Assay", scored);
  const published = await publishedDetectors(directory);
  for (const name of published) row(name, await readPublishedScores(directory, name, series));
  rows.sort((a, b) => Number(b[1]) - Number(a[1]));
  return {
    table: "Numenta Anomaly Benchmark, best threshold",
    columns: ["detector", ...Object.keys(profiles), "windows found", "false rows"],
    rows,
    note: "Published scores a row have six digits: a detector with many scores near 1 (windowedGaussian) loses by it.",
  };
}

/** What each folder of series contributes at the threshold for all of them. */
function folders(scored: readonly ScoredSeries[], profile: { fpWeight: number }, threshold: number): Finding {
  const names = [...new Set(scored.map(({ name }) => dirname(name)))];
  const weights = { tpWeight: 1, fnWeight: 1, fpWeight: profile.fpWeight };
  const rows = names.map((folder) => {
    const inside = scored.filter(({ name }) => dirname(name) === folder);
    const { found, windows, falseRows } = nabScoreAt(inside, weights, threshold);
    return [folder, inside.length, windows, found, falseRows];
  });
  return { table: "By folder", columns: ["folder", "series", "windows", "found", "false rows"], rows };
}

/** The benchmark's own layout, so that its own program can score the files: timestamp, value, anomaly_score, label. */
async function writeScores(
  directory: string,
  series: readonly NabSeries[],
  scored: readonly ScoredSeries[],
): Promise<void> {
  for (const [index, { name, timesMs, values, windows }] of series.entries()) {
    const [folder = "", file = ""] = name.split("/");
    const path = join(directory, DETECTOR, folder, `${DETECTOR}_${file}`);
    const lines = Array.from(values, (value, row) => {
      const time = new Date(timesMs[row] as number).toISOString().slice(0, 19).replace("T", " ");
      const label = windows.some(([first, last]) => row >= first && row <= last) ? 1 : 0;
      return `${time},${value},${scored[index]?.scores[row]},${label}\n`;
    });
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `timestamp,value,anomaly_score,label\n${lines.join("")}`);
  }
}
