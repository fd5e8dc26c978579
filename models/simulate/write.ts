import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Observation, writeObservation } from "#core/observation.ts";
import { sharelogLine, sharelogPath } from "./ckpool-log.ts";
import type { Simulation } from "./simulate.ts";

/**
 * Writes a simulation into a directory: `observations.ndjson` in the public format, `truth.ndjson`, and with
 * `ckpool` also a tree of share logs as that pool program writes them, for its SHA-256d shares. Nothing is kept in
 * memory beyond a batch. The same simulation gives the same bytes.
 */
export async function writeSimulation(
  simulation: Simulation,
  directory: string,
  options: { ckpool?: boolean; onProgress?: (part: number) => void } = {},
): Promise<{ observations: number; shares: number; accounts: number }> {
  await mkdir(directory, { recursive: true });
  const counted = { observations: 0, shares: 0, accounts: simulation.truth.length };
  const { startMs, endMs } = simulation;
  const logs = options.ckpool ? new ShareLogs(join(directory, "ckpool")) : null;
  async function* lines(): AsyncGenerator<string> {
    for (const batch of simulation.observations) {
      yield batch.map((observation) => `${writeObservation(observation)}\n`).join("");
      counted.observations += batch.length;
      for (const { type } of batch) if (type === "share") counted.shares += 1;
      await logs?.take(batch);
      const last = batch.at(-1);
      if (last) options.onProgress?.((last.atMs - startMs) / (endMs - startMs));
    }
    await logs?.flush();
  }
  await pipeline(lines, createWriteStream(join(directory, "observations.ndjson")));
  const truth = simulation.truth.map((record) => `${JSON.stringify(record)}\n`).join("");
  await writeFile(join(directory, "truth.ndjson"), truth);
  return counted;
}

/** Collects the lines of one share log until time passes to the next. */
class ShareLogs {
  readonly #directory: string;
  #path = "";
  #lines: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  async take(batch: readonly Observation[]): Promise<void> {
    for (const observation of batch) {
      if (observation.type !== "share" || observation.algorithm !== "sha256d") continue;
      const path = sharelogPath(observation.atMs);
      if (path !== this.#path) await this.flush();
      this.#path = path;
      this.#lines.push(sharelogLine(observation));
    }
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const file = join(this.#directory, this.#path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, this.#lines.join(""));
    this.#lines = [];
  }
}
