import type { Batch } from "#core/collector.ts";
import type { LineSplitter } from "#core/lines.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { parseCkpoolLine } from "./ckpool-line.ts";
import type { PoolContext } from "./share.ts";

/** Longest line read, in bytes. ckpool's own are near 600; the names in them are at most a few hundred. */
export const MAX_LINE_BYTES = 16_384;
/** Read at once, and so the size of a batch: some 900 lines of 560 bytes. */
export const CHUNK_BYTES = 512 * 1024;

/** One file on its way through the decoder. `lastMs` is the date of the record before, for clocks that run backwards. */
export interface FileProgress {
  /** How the file is called in refusals. */
  file: string;
  lines: LineSplitter;
  lastMs: number;
}

/** Decodes one chunk of a share log; `last` says that nothing follows, so a line without its newline is one too. */
export function decodeChunk(
  progress: FileProgress,
  chunk: Uint8Array,
  context: PoolContext,
  last = false,
): Batch {
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  let backwards = 0;
  const onLine = (text: string, line: number) => {
    if (text === "") return;
    const share = parseCkpoolLine(text, context);
    if (typeof share === "string") {
      refuse(refusals, share, `${progress.file}:${line}`);
      return;
    }
    if (share.atMs < progress.lastMs) backwards += 1;
    progress.lastMs = share.atMs;
    observations.push(share);
  };
  const onBad = (reason: string, line: number) => refuse(refusals, reason, `${progress.file}:${line}`);
  progress.lines.push(chunk, onLine, onBad);
  if (last) progress.lines.end(onLine, onBad);
  return { observations, refusals, backwards };
}
