import { createReadStream } from "node:fs";
import { stdin } from "node:process";
import type { Batch } from "#core/collector.ts";
import { LineSplitter } from "#core/lines.ts";
import { type Observation, type Refusal, readObservation } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { gunzip } from "./gzip.ts";

/** Longest line taken, in bytes, unless said. */
const MAX_LINE_BYTES = 65_536;
/** Bytes decoded into one batch at most: some hundreds of observations, a few thousand of the shortest. */
const BATCH_BYTES = 256 * 1024;

/** How NDJSON is read. */
export interface NdjsonOptions {
  maxLineBytes: number;
  /** The receiver's clock when the reading began; Infinity where event time may be anything. */
  nowMs: number;
  /** How refusals call the source; the line number follows a colon. */
  place: string;
}

/**
 * Reads observations, one JSON object a line. A bad line is reported by its number and never stops the rest; empty
 * lines are nothing. Ends with the source, and throws what the source throws.
 */
export async function* readNdjson(
  source: AsyncIterable<Uint8Array>,
  options: NdjsonOptions,
): AsyncGenerator<Batch> {
  const { maxLineBytes, nowMs, place } = options;
  const splitter = new LineSplitter(maxLineBytes);
  let observations: Observation[] = [];
  let refusals: Refusal[] = [];
  let unknownFields = 0;
  let backwards = 0;
  let lastMs = 0;
  const onBad = (reason: string, line: number) => refuse(refusals, reason, `${place}:${line}`);
  const onLine = (text: string, line: number) => {
    if (text.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      onBad("not JSON", line);
      return;
    }
    const reading = readObservation(value, nowMs);
    if ("reason" in reading) {
      onBad(reading.reason, line);
      return;
    }
    unknownFields += reading.unknownFields;
    if (reading.observation.atMs < lastMs) backwards += 1;
    lastMs = reading.observation.atMs;
    observations.push(reading.observation);
  };
  const take = (): Batch => {
    const batch = { observations, refusals, unknownFields, backwards };
    observations = [];
    refusals = [];
    unknownFields = 0;
    backwards = 0;
    return batch;
  };
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; start += BATCH_BYTES) {
      splitter.push(chunk.subarray(start, start + BATCH_BYTES), onLine, onBad);
      if (observations.length > 0 || refusals.length > 0) yield take();
    }
  }
  splitter.end(onLine, onBad);
  if (observations.length > 0 || refusals.length > 0) yield take();
}

/** Reads a file of observations in event time; `.gz` is decompressed, "-" is the standard input. Throws when it cannot be read. */
export async function* readObservationsFile(
  path: string,
  options: { maxLineBytes?: number } = {},
): AsyncGenerator<Batch> {
  const { maxLineBytes = MAX_LINE_BYTES } = options;
  const isStandardInput = path === "-";
  const bytes = isStandardInput ? stdin : createReadStream(path, { highWaterMark: BATCH_BYTES });
  const source = path.endsWith(".gz") ? gunzip(bytes, Number.POSITIVE_INFINITY) : bytes;
  const place = isStandardInput ? "standard input" : path;
  yield* readNdjson(source, { maxLineBytes, nowMs: Number.POSITIVE_INFINITY, place });
}
