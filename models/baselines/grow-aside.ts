import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Labelled } from "./bins.ts";
import type { Forest } from "./forest.ts";
import type { GrowOptions } from "./grow-forest.ts";

/**
 * Grows a forest in a thread of its own, beside whatever else is learned: the same trees as `growForest`, bit for bit.
 * Rejects where `signal` ends it before they are grown.
 */
export async function growAside(
  labelled: Labelled,
  options: GrowOptions,
  signal?: AbortSignal,
): Promise<Forest> {
  const { onProgress, ...plain } = options;
  const worker = new Worker(new URL("./grow-worker.ts", import.meta.url), {
    workerData: { labelled, options: plain },
  });
  let grown: Forest | undefined;
  worker.on("message", ({ part, forest }: { part?: number; forest?: Forest }) => {
    if (part !== undefined) onProgress?.(part);
    grown = forest;
  });
  const end = () => void worker.terminate();
  signal?.addEventListener("abort", end, { once: true });
  await once(worker, "exit");
  signal?.removeEventListener("abort", end);
  if (!grown) throw new Error("boosted trees: their thread ended before they were grown");
  return grown;
}
