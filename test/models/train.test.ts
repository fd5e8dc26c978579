import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawHere } from "../../models/draw-worlds.ts";
import { TREES } from "../../models/fit-model.ts";
import { loadModel } from "../../models/load-model.ts";
import { train } from "../../models/train.ts";
import { createOrigin } from "../../src/origin/origin.ts";

test("training twice from the same seed gives the same weights, bit for bit, and a model that loads", async () => {
  const place = await mkdtemp(join(tmpdir(), "assay-train-"));
  try {
    const { lookUp } = await createOrigin();
    const small = {
      name: "consistency",
      seed: 7,
      draw: drawHere(lookUp),
      volume: { accounts: 40, learn: 1, fit: 1, judge: 1 },
      sizes: { trunk: 12, middle: 8, code: 4, typology: 8, risk: 4 },
      schedule: { epochs: 2, batch: 64, learningRate: 0.005 },
      trees: { ...TREES, trees: 20 },
    };
    const phases: string[] = [];
    const onProgress = (phase: string) => phases.push(phase);
    const one = await train({ ...small, directory: place, version: "0.0.1", onProgress });
    const two = await train({ ...small, directory: place, version: "0.0.2" });
    expect(two.manifest.files["weights.bin"]).toBe(one.manifest.files["weights.bin"]);
    expect(two.manifest.files["trees.json"]).toBe(one.manifest.files["trees.json"]);
    expect(two.manifest.data).toEqual(one.manifest.data);
    expect(two.metrics).toEqual(one.metrics);
    expect(new Set(phases)).toEqual(new Set(["simulate", "train", "judge"]));
    const model = await loadModel(one.directory);
    expect([model.name, model.version]).toEqual(["consistency", "0.0.1"]);
    await model.close();
    expect(await readFile(join(one.directory, "card.md"), "utf8")).toMatch(/No real account was used/);
  } finally {
    await rm(place, { recursive: true });
  }
}, 120_000);
