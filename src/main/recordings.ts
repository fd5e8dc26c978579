import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { LookUpOrigin } from "#core/origin.ts";
import { readObservationsFile } from "../../collectors/ingest/ndjson.ts";
import { LabelledWindows, SETTLE_MS } from "../../models/collect.ts";
import { RECORDED_HOURS, type Recording, readTruth } from "../../models/recorded.ts";
import { parseConfig, readConfig } from "../config.ts";
import { openParts } from "./parts.ts";
import { UsageError } from "./usage.ts";

const TRUTH = "truth.ndjson";
const OBSERVATIONS = ["observations.ndjson", "observations.ndjson.gz"] as const;

/** Lines that could not be read of which is told. */
const TOLD = 20;

/**
 * Recordings as a command reads them, with the origin databases of a configuration. What could not be read is told on standard
 * error, at the end.
 */
export async function* openRecordings(
  directory: string,
  configFile: string | undefined,
  onProgress: Options["onProgress"],
  checkTruth?: Options["checkTruth"],
): AsyncGenerator<Recording> {
  const { origin } = await openParts(configFile === undefined ? parseConfig("") : readConfig(configFile));
  const refused: string[] = [];
  yield* readRecordings(directory, {
    lookUpOrigin: origin.lookUp,
    onRefused: (place, reason) => refused.length < TOLD && refused.push(`${place}: ${reason}\n`),
    onProgress,
    ...(checkTruth ? { checkTruth } : {}),
  });
  if (refused.length > 0) process.stderr.write(`refused (the first ${TOLD}):\n${refused.join("")}`);
}

interface Options {
  lookUpOrigin: LookUpOrigin;
  /** A line that could not be read, by its place. */
  onRefused: (place: string, reason: string) => void;
  onProgress: (done: number, total: number, note?: string) => void;
  /** Throws where a recording's truth is not what the caller can use. */
  checkTruth?: (truth: Recording["set"]["truth"], place: string) => void;
}

/**
 * Runs recordings through the analysis, one after another: a directory that has `observations.ndjson` (or `.gz`) and
 * `truth.ndjson`, as `assay simulate` writes them, or those directories in it that have both.
 */
export async function* readRecordings(directory: string, options: Options): AsyncGenerator<Recording> {
  const found = await recordingsIn(directory);
  // All truth is read first: what is wrong there should not be told after an hour.
  const truths = await Promise.all(
    found.map(async ({ truth }) => {
      const read = readTruth(await readFile(truth, "utf8"), truth);
      options.checkTruth?.(read, truth);
      return read;
    }),
  );
  for (const [index, { name, observations }] of found.entries()) {
    options.onProgress(index, found.length, name);
    yield await readRecording(name, observations, truths[index] as Recording["set"]["truth"], options);
  }
}

async function readRecording(
  name: string,
  file: string,
  truth: Recording["set"]["truth"],
  { lookUpOrigin, onRefused }: Options,
): Promise<Recording> {
  const counts = { observations: 0, refused: 0 };
  let windows: LabelledWindows | undefined;
  for await (const { observations, refusals = [] } of readObservationsFile(file)) {
    for (const { place, reason, count = 1 } of refusals) {
      onRefused(place, reason);
      counts.refused += count;
    }
    counts.observations += observations.length;
    const first = observations[0];
    if (!first) continue;
    windows ??= new LabelledWindows(truth, {
      lookUpOrigin,
      stepHours: RECORDED_HOURS,
      fromMs: first.atMs + SETTLE_MS,
    });
    windows.take(observations);
  }
  if (!windows) throw new Error(`${file}: no observation`);
  const labelled = windows.finish();
  if (labelled.set.count === 0)
    throw new Error(`${file}: no window of a known account after its first ${SETTLE_MS / 3_600_000} hours`);
  return { name, ...counts, ...labelled };
}

async function recordingsIn(directory: string) {
  const names = await readdir(directory).catch(() => []);
  const below = names.map((name) => join(directory, name));
  const found = [directory, ...below.sort()].flatMap((one) => {
    const observations = OBSERVATIONS.map((name) => join(one, name)).find((file) => existsSync(file));
    const truth = join(one, TRUTH);
    return observations && existsSync(truth) ? [{ name: basename(resolve(one)), observations, truth }] : [];
  });
  if (found.length > 0) return found;
  throw new UsageError(
    `recordings: no ${OBSERVATIONS[0]} with a ${TRUTH} in ${directory} or a directory in it`,
  );
}
