import { createReadStream } from "node:fs";
import type { Batch } from "#core/collector.ts";
import { LineSplitter } from "#core/lines.ts";
import type { Refusal, Route } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import type { Prefixes } from "./prefixes.ts";
import { readRisMessage } from "./ris-message.ts";

/** As for the live service. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Replays a recorded session: RIS Live's messages as they came, one a line. Throws when the file cannot be read. */
export async function* readRisFile(path: string, prefixes: Prefixes): AsyncGenerator<Batch> {
  const lines = new LineSplitter(MAX_LINE_BYTES);
  let observations: Route[] = [];
  let refusals: Refusal[] = [];
  const onBad = (reason: string, line: number) => refuse(refusals, reason, `${path}:${line}`);
  const onLine = (text: string, line: number) => {
    if (text.trim() === "") return;
    const reading = readRisMessage(text);
    if (reading.kind === "update") observations.push(...prefixes.take(reading.update));
    else if (reading.kind === "bad") onBad(reading.reason, line);
    else if (reading.kind === "error") onBad(`the service reported an error: ${reading.message}`, line);
  };
  for await (const chunk of createReadStream(path)) {
    lines.push(chunk, onLine, onBad);
    yield { observations, refusals };
    observations = [];
    refusals = [];
  }
  lines.end(onLine, onBad);
  yield { observations, refusals };
}
