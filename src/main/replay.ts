import { stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Batch } from "#core/collector.ts";
import type { Flag } from "#core/flag.ts";
import { instantMs, merge, type Told } from "#core/merge.ts";
import type { Raised } from "#core/store.ts";
import { conformalOf } from "../../models/reference.ts";
import { parseConfig, readConfig } from "../config.ts";
import { createDecisions } from "./decisions.ts";
import { openReplayKeeper } from "./keep-replay.ts";
import { createMeasures } from "./measures.ts";
import { createModelWatch } from "./model-watch.ts";
import { openModel, openParts } from "./parts.ts";
import { createPipeline } from "./pipeline.ts";
import { createProgress } from "./progress.ts";
import { REPLAY_FORMATS } from "./replay-formats.ts";
import { UsageError } from "./usage.ts";

/** Batches whose measurements are kept, or let go, at once. */
const BATCHES = 32;

/** `assay replay`: event time, full speed, deterministic. Flags (and scores) as NDJSON on stdout, a summary on stderr. */
export async function replay(args: string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: "string" },
      scores: { type: "boolean", default: false },
      store: { type: "boolean", default: false },
      config: { type: "string" },
      pool: { type: "string" },
      algorithm: { type: "string", default: "sha256d" },
    },
  });
  const read = values.as === undefined ? undefined : REPLAY_FORMATS[values.as];
  if (!read) throw new UsageError(`--as must be one of ${Object.keys(REPLAY_FORMATS).join(", ")}`);
  if (positionals.length === 0) throw new UsageError("replay: no FILE given");
  if (values.store && values.config === undefined)
    throw new UsageError("replay: --store needs --config, which says where the stores are");
  const config = values.config === undefined ? parseConfig("") : readConfig(values.config);
  await using keeper = values.store ? await openReplayKeeper(config) : undefined;
  const { screening, analysis, origin } = await openParts(config);
  const model = await openModel(config);
  const belief = config.collectors.risLive;
  const decisions = createDecisions();
  // RIS Live's own messages are measured as they are read.
  const measures = createMeasures({ lookUp: origin.lookUp, ...(values.as === "ris" ? {} : { belief }) });
  const sources = [() => analysis.takeDeltas(), measures.takeDeltas, decisions.takeDeltas];
  /** What was measured since, into the stores; without them it is let go, for it would grow with the recording. */
  const keep = async () => {
    const deltas = sources.flatMap((take) => take());
    await keeper?.keep(deltas);
  };
  const modelWatch = createModelWatch(config, { model }, { log: () => {}, decisions });
  const out = createOutput();
  const open = new Map<string, Raising>();
  const pipeline = createPipeline({
    analysis,
    model,
    screen: screening.screen,
    lists: screening.lists,
    policy: { ...config.detection, alertsPerDay: Number.POSITIVE_INFINITY },
    conformalP: (row, value) => conformalOf(model.reference, row, value),
    onWindow: async (window, values) => {
      decisions.scored(window, values);
      await modelWatch.take(window, values);
    },
    raise: async (flag, evidence) => {
      const told = raiseInMemory(open, flag);
      if (told.raised === "opened") decisions.flagged(flag);
      if (told.raised !== "unchanged") out.write({ flag: told.flag });
      await keeper?.raise(flag, evidence);
      return told.raised;
    },
    drifted: modelWatch.drifted,
    ...(values.scores ? { onScore: (score) => out.write({ score }) } : {}),
  });
  const names = { pool: values.pool ?? values.as ?? "pool", algorithm: values.algorithm };
  const progress = createProgress("replay");
  const refusals: string[] = [];
  const startMs = performance.now();
  let batches = 0;
  const reading = (file: string) => {
    const { batches, takeDeltas } = read(file, names, belief);
    if (takeDeltas) sources.push(takeDeltas);
    return batches;
  };
  for await (const batch of batchesOf(positionals, reading)) {
    if (signal.aborted) break;
    await pipeline.take(batch);
    measures.take(batch.observations);
    batches += 1;
    if (batches % BATCHES === 0) await keep();
    await out.drained();
    for (const { place, reason } of batch.refusals ?? [])
      if (refusals.length < 20) refusals.push(`${place}: ${reason}`);
    progress.at(batch.bytesRead, batch.bytes, `${pipeline.counts.observations} observations`);
  }
  if (!signal.aborted) await pipeline.finish();
  progress.end();
  await out.drained();
  await model.close();
  report(refusals, pipeline.counts, { ...analysis.totals }, performance.now() - startMs);
  for (const { pool, state } of modelWatch.watch.standings())
    if (state === "stop")
      process.stderr.write(`${pool}: inputs have drifted, the score's thresholds do not hold\n`);
  if (!keeper || signal.aborted) return;
  await keep();
  process.stderr.write(`${await keeper.finish(signal)}\n`);
}

interface Raising {
  flag: Flag;
  told: Told;
}

/** Raises a flag as the operations store would: what it answers is what a destination would be told. */
function raiseInMemory(open: Map<string, Raising>, flag: Flag): { raised: Raised; flag: Flag } {
  const key = `${flag.kind}\n${flag.pool}\n${flag.account}`;
  const before = open.get(key);
  if (!before) {
    open.set(key, { flag, told: { severity: flag.severity, families: flag.families } });
    return { raised: "opened", flag };
  }
  const merged = merge(before.flag, instantMs(before.flag.updatedAt), before.told, flag);
  if (!merged) return { raised: "unchanged", flag: before.flag };
  open.set(key, merged);
  return { raised: merged.tell ? "updated" : "unchanged", flag: merged.flag };
}

type Sized = Batch & { bytes: number; bytesRead: number };

async function* batchesOf(
  files: readonly string[],
  read: (file: string) => AsyncIterable<Batch>,
): AsyncGenerator<Sized> {
  const sizes = await Promise.all(files.map(async (file) => (file === "-" ? 0 : (await stat(file)).size)));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  for (const [index, file] of files.entries()) {
    for await (const batch of read(file)) yield { ...batch, bytes, bytesRead: before };
    before += sizes[index] ?? 0;
  }
}

/** NDJSON on standard output, with backpressure: a slow pipe slows the replay, a closed one ends it. */
function createOutput() {
  const { stdout } = process;
  let room = true;
  stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    write(value: object): void {
      room = stdout.write(`${JSON.stringify(value)}\n`);
    },
    async drained(): Promise<void> {
      if (room) return;
      await new Promise((resolve) => stdout.once("drain", resolve));
      room = true;
    },
  };
}

function report(
  refusals: readonly string[],
  counts: { observations: number; refused: number; unknownFields: number; windows: number; flags: number },
  totals: { shares: number; difficulty: number },
  elapsedMs: number,
): void {
  const lines = [
    `${counts.observations} observations, ${counts.refused} refused, ${counts.unknownFields} unknown fields left out`,
    `${totals.shares} accepted shares, difficulty ${totals.difficulty}`,
    `${counts.windows} windows, ${counts.flags} flags, ${(elapsedMs / 1000).toFixed(2)} s`,
  ];
  if (refusals.length > 0) lines.push("refused (the first 20):", ...refusals.map((line) => `  ${line}`));
  process.stderr.write(`${lines.join("\n")}\n`);
}
