import type { Batch } from "#core/collector.ts";
import { readFlowsFile } from "../../collectors/flows/files.ts";
import { readLogFile } from "../../collectors/flows/follow.ts";
import { createSuricataParser } from "../../collectors/flows/suricata.ts";
import { createZeekParser } from "../../collectors/flows/zeek.ts";
import { readObservationsFile } from "../../collectors/ingest/ndjson.ts";
import { readCkpoolFile } from "../../collectors/pools/ckpool-replay.ts";
import { readRisFile } from "../../collectors/routes/ris-file.ts";
import { watchedNetworks } from "../../collectors/routes/watched.ts";
import { readCapture } from "../../collectors/stratum/capture.ts";
import { parseConfig } from "../config.ts";

/** Names given to what a recorded file does not say itself. */
export interface ReplayNames {
  pool: string;
  algorithm: string;
}

/** In a recording nothing lies in the future. */
const always = () => Number.POSITIVE_INFINITY;

/** What `assay replay --as` reads: a file (or, for ckpool, a directory) as batches in event time. */
export const REPLAY_FORMATS: Readonly<
  Record<string, (file: string, names: ReplayNames) => AsyncIterable<Batch>>
> = {
  observations: (file) => readObservationsFile(file),
  ckpool: (file, names) => readCkpoolFile(file, names),
  pcap: (file, names) => readCapture(file, names),
  "netflow-pcap": (file) => readFlowsFile(file).batches,
  zeek: (file) => readLogFile(file, createZeekParser("zeek", always)),
  suricata: (file) => readLogFile(file, createSuricataParser({ exporter: "suricata", now: always })),
  ris: (file) => readRisFile(file, watchedNetworks().networks, parseConfig("").collectors.risLive),
};
