import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import util from "node:util";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

/** The backends a model can run on. `tensorflow` is the native one of @tensorflow/tfjs-node, an optional peer. */
export type Backend = "wasm" | "cpu" | "tensorflow";

/**
 * Makes a backend current and answers its name. `auto` takes @tensorflow/tfjs-node where it can be loaded and wasm
 * elsewhere. Throws where the named one cannot be had.
 */
export async function useBackend(wanted: Backend | "auto"): Promise<Backend> {
  if (wanted === "auto" || wanted === "tensorflow") {
    const cause = loadNative();
    if (cause === null) return activate("tensorflow");
    if (wanted === "tensorflow")
      throw new Error("model: @tensorflow/tfjs-node cannot be loaded here", { cause });
  }
  if (wanted === "cpu") {
    await import("@tensorflow/tfjs-backend-cpu");
    return activate("cpu");
  }
  const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  setWasmPaths(`${join(dirname(manifest), "wasm-out")}/`);
  return activate("wasm");
}

async function activate(backend: Backend): Promise<Backend> {
  if (!(await tf.setBackend(backend))) throw new Error(`model: the ${backend} backend does not start`);
  await tf.ready();
  return backend;
}

/**
 * Loads the native package; answers why where it cannot be. tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23
 * removed; everything else of it works.
 */
function loadNative(): unknown {
  const shimmed = util as { isNullOrUndefined?: (value: unknown) => boolean };
  shimmed.isNullOrUndefined ??= (value) => value === null || value === undefined;
  try {
    createRequire(import.meta.url)("@tensorflow/tfjs-node");
    return null;
  } catch (cause) {
    return cause;
  }
}
