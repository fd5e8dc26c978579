import { join } from "node:path";
import { parseArgs } from "node:util";
import { divideRecordings, refuseUnknownTypologies } from "../../models/divide-recordings.ts";
import { train as trainModel } from "../../models/train.ts";
import { wholeNumber } from "./arguments.ts";
import { MODEL_NAME } from "./parts.ts";
import { createProgress } from "./progress.ts";
import { openRecordings } from "./recordings.ts";
import { UsageError } from "./usage.ts";
import { createWorldPool } from "./world-pool.ts";

/** `assay train`: simulates, trains, calibrates, judges and writes models/<name>/<version>/; reproducible. */
export async function train(args: string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string", default: "1" },
      out: { type: "string", default: join(import.meta.dirname, "../../models") },
      name: { type: "string", default: MODEL_NAME },
      version: { type: "string" },
      recorded: { type: "string" },
      config: { type: "string" },
    },
  });
  const { version } = values;
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version))
    throw new UsageError("train: --version X.Y.Z is needed");
  const progress = createProgress("train");
  const seed = wholeNumber("--seed", values.seed, 0);
  const recorded =
    values.recorded === undefined
      ? undefined
      : await divideRecordings(
          openRecordings(
            values.recorded,
            values.config,
            (done, total, note) => {
              signal.throwIfAborted();
              progress.at(done, total, note);
            },
            refuseUnknownTypologies,
          ),
        );
  const pool = createWorldPool();
  try {
    const { directory, metrics } = await trainModel({
      directory: values.out,
      name: values.name,
      version,
      seed,
      draw: pool.draw,
      ...(recorded ? { recorded } : {}),
      onProgress: (phase, part) => {
        signal.throwIfAborted();
        progress.at(part, 1, phase);
      },
    });
    progress.end();
    process.stdout.write(`${JSON.stringify(metrics, null, 2)}\n`);
    process.stderr.write(`${directory}\n`);
  } finally {
    await pool.close();
  }
}
