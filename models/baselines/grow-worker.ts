import { parentPort, workerData } from "node:worker_threads";
import type { Labelled } from "./bins.ts";
import { type GrowOptions, growForest } from "./grow-forest.ts";

// The thread of grow-aside.ts: grows one forest, tells how far it is, and ends.
const { labelled, options } = workerData as { labelled: Labelled; options: GrowOptions };
const forest = growForest(labelled, { ...options, onProgress: (part) => parentPort?.postMessage({ part }) });
parentPort?.postMessage({ forest });
