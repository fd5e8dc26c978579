import type { Batch } from "#core/collector.ts";
import type { MetricDelta } from "#core/metrics.ts";
import { readFlowsFile } from "../../collectors/flows/files.ts";
import { readLogFile } from "../../collectors/flows/follow.ts";
import { createSuricataParser } from "../../collectors/flows/suricata.ts";
import { createZeekParser } from "../../collectors/flows/zeek.ts";
import { readObservationsFile } from "../../collectors/ingest/ndjson.ts";
import { readCkpoolFile } from "../../collectors/pools/ckpool-replay.ts";
import { type Belief, createPrefixes } from "../../collectors/routes/prefixes.ts";
import { readRisFile } from "../../collectors/routes/ris-file.ts";
import { watchedNetworks } from "../../collectors/routes/watched.ts";
import { readCapture } from "../../collectors/stratum/capture.ts";

/** Names given to what a recorded file does not say itself. */
export interface ReplayNames {
  pool: string;
  algorithm: string;
}

/** A file as batches in event time, and what it measures beside its observations. */
interface Recording {
  batches: AsyncIterable<Batch>;
  takeDeltas?: () => MetricDelta[];
}

/** In a recording nothing lies in the future. */
const always = () => Number.POSITIVE_INFINITY;

/** What `assay replay --as` reads: a file (or, for ckpool, a directory). */
export const REPLAY_FORMATS: Readonly<
  Record<string, (file: string, names: ReplayNames, belief: Belief) => Recording>
> = {
  observations: (file) => ({ batches: readObservationsFile(file) }),
  ckpool: (file, names) => ({ batches: readCkpoolFile(file, names) }),
  pcap: (file, names) => ({ batches: readCapture(file, names) }),
  "netflow-pcap": (file) => ({ batches: readFlowsFile(file).batches }),
  zeek: (file) => ({ batches: readLogFile(file, createZeekParser("zeek", always)) }),
  suricata: (file) => ({
    batches: readLogFile(file, createSuricataParser({ exporter: "suricata", now: always })),
  }),
  ris(file, _names, belief) {
    const prefixes = createPrefixes(watchedNetworks().networks, belief);
    return { batches: readRisFile(file, prefixes), takeDeltas: prefixes.takeDeltas };
  },
};
