import type { Batch } from "#core/collector.ts";
import { readFlowsFile } from "../../collectors/flows/files.ts";
import { readObservationsFile } from "../../collectors/ingest/ndjson.ts";
import { readCkpoolFile } from "../../collectors/pools/ckpool-replay.ts";
import { readCapture } from "../../collectors/stratum/capture.ts";

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
  pcap: (file, names) => readCapture(file, names),
  "netflow-pcap": (file) => readFlowsFile(file).batches,
};
