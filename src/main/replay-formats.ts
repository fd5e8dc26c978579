import type { Batch } from "#core/collector.ts";
import { readObservationsFile } from "../../collectors/ingest/ndjson.ts";
import { readCkpoolFile } from "../../collectors/pools/ckpool-replay.ts";

/** Names given to what a recorded file does not say itself. */
export interface ReplayNames {
  pool: string;
  algorithm: string;
}

/** What `assay replay --as` reads: a file (or, for ckpool, a directory) as batches in event time. */
export const REPLAY_FORMATS: Readonly<
  Record<string, (file: string, names: ReplayNames) => AsyncIterable<Batch>>
> = {
  observations: (file) => readObservationsFile(file),
  ckpool: (file, names) => readCkpoolFile(file, names),
};
