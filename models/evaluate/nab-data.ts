import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { NabProfile, ScoredSeries } from "./nab-score.ts";

/** One series of the benchmark: times in milliseconds, values, and the labelled windows as rows. */
export interface NabSeries {
  /** Folder and file: "realTweets/Twitter_volume_AAPL.csv". */
  name: string;
  timesMs: Float64Array;
  values: Float64Array;
  windows: [first: number, last: number][];
}

/** Profiles by their names in the benchmark. */
export type NabProfiles = Record<"standard" | "reward_low_FP_rate" | "reward_low_FN_rate", NabProfile>;

/** Reads the benchmark's series in the order of their names. Throws with the file's name on a row that is none. */
export async function readNabSeries(directory: string): Promise<NabSeries[]> {
  const labels = JSON.parse(await readFile(join(directory, "labels/combined_windows.json"), "utf8"));
  const names = Object.keys(labels as Record<string, [string, string][]>).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(directory, "data", name), "utf8");
      return parseSeries(name, text, labels[name]);
    }),
  );
}

/** A series' file with its windows, whose instants are those of rows. */
export function parseSeries(name: string, text: string, windows: readonly [string, string][]): NabSeries {
  const lines = text.trimEnd().split(/\r?\n/).slice(1);
  const timesMs = new Float64Array(lines.length);
  const values = new Float64Array(lines.length);
  for (const [row, line] of lines.entries()) {
    const [time = "", value = ""] = line.split(",");
    timesMs[row] = instant(time);
    values[row] = value === "" ? Number.NaN : Number(value);
    if (Number.isNaN(timesMs[row]) || Number.isNaN(values[row])) {
      throw new Error(`${name}: row ${row + 1} is not "time,value": ${line}`);
    }
  }
  const rows = windows.map(([from, to]): [number, number] => {
    const first = timesMs.indexOf(instant(from));
    const last = timesMs.indexOf(instant(to));
    if (first < 0 || last < first) throw new Error(`${name}: no rows for the window ${from} to ${to}`);
    return [first, last];
  });
  return { name, timesMs, values, windows: rows };
}

/** "2014-04-10 07:15:00" with or without a fraction; the benchmark's times have no zone and are read as UTC. */
function instant(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11)}Z`);
}

/** Reads the weights of the benchmark's three profiles. */
export async function readNabProfiles(directory: string): Promise<NabProfiles> {
  const file = JSON.parse(await readFile(join(directory, "config/profiles.json"), "utf8"));
  return Object.fromEntries(
    Object.entries(file as Record<string, { CostMatrix: NabProfile }>).map(([name, profile]) => [
      name,
      profile.CostMatrix,
    ]),
  ) as NabProfiles;
}

/** Names of the detectors whose scores a row were published with the benchmark. */
export async function publishedDetectors(directory: string): Promise<string[]> {
  const files = await readdir(join(directory, "published"));
  return files.flatMap((file) => /^(.+)_scores\.csv\.gz$/.exec(file)?.[1] ?? []).sort();
}

/** Scores a row as published: one line a series, its name first. */
export async function readPublishedScores(
  directory: string,
  detector: string,
  series: readonly NabSeries[],
): Promise<ScoredSeries[]> {
  const packed = await readFile(join(directory, "published", `${detector}_scores.csv.gz`));
  const byName = new Map(
    gunzipSync(packed)
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(",")), line]),
  );
  return series.map(({ name, values, windows }) => {
    const cells = byName.get(name)?.split(",").slice(1) ?? [];
    if (cells.length !== values.length) throw new Error(`${detector}: ${cells.length} scores for ${name}`);
    return { name, scores: Float64Array.from(cells, Number), windows };
  });
}
