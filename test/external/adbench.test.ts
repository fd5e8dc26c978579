import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { autoencoder } from "../../models/baselines/autoencoder.ts";
import { ecod } from "../../models/baselines/ecod.ts";
import { isolationForest } from "../../models/baselines/isolation-forest.ts";
import { evaluateAdbench } from "../../models/evaluate/adbench.ts";

const external = process.env.ASSAY_EXTERNAL_DATA;
if (!external) console.warn("test/external/adbench: ASSAY_EXTERNAL_DATA is not set; skipped");

// Three small sets: the command runs all 43.
test.skipIf(!external)(
  "ADBench's sets are read, and every detector finds the anomalies of easy ones",
  async () => {
    const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(`${join(dirname(manifest), "wasm-out")}/`);
    await tf.setBackend("wasm");
    const findings = evaluateAdbench({
      directory: join(external ?? "", "adbench"),
      isolationForest: isolationForest(),
      ecod: ecod(),
      autoencoder: autoencoder({ networks: 1 }),
      only: /_(breastw|WBC|Lymphography)\.npz$/,
    });
    const figures = new Map<string, number>();
    for await (const finding of findings) {
      if ("figure" in finding) figures.set(finding.figure, finding.value);
      if ("table" in finding) expect(finding.rows).toHaveLength(4);
    }
    expect(figures.get("adbench.iforest")).toBeGreaterThan(0.85);
    expect(figures.get("adbench.ecod")).toBeGreaterThan(0.85);
    expect(figures.get("adbench.autoencoder")).toBeGreaterThan(0.75);
  },
);
