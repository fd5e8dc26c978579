import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { divideRecordings } from "../../models/divide-recordings.ts";
import { drawHere } from "../../models/draw-worlds.ts";
import type { Dataset } from "../../models/evaluate/dataset.ts";
import { TREES } from "../../models/fit-model.ts";
import { loadModel } from "../../models/load-model.ts";
import type { Recording } from "../../models/recorded.ts";
import { train } from "../../models/train.ts";
import { createOrigin } from "../../src/origin/origin.ts";

const small = {
  name: "consistency",
  seed: 7,
  volume: { accounts: 40, learn: 1, fit: 1, judge: 1 },
  sizes: { trunk: 12, middle: 8, code: 4, typology: 8, risk: 4 },
  schedule: { epochs: 2, batch: 64, learningRate: 0.005 },
  trees: { ...TREES, trees: 20 },
};

test("training twice from the same seed gives the same weights, bit for bit, and a model that loads", async () => {
  const place = await mkdtemp(join(tmpdir(), "assay-train-"));
  try {
    const { lookUp } = await createOrigin();
    const draw = drawHere(lookUp);
    const phases: string[] = [];
    const onProgress = (phase: string) => phases.push(phase);
    const one = await train({ ...small, draw, directory: place, version: "0.0.1", onProgress });
    const two = await train({ ...small, draw, directory: place, version: "0.0.2" });
    expect(two.manifest.files["weights.bin"]).toBe(one.manifest.files["weights.bin"]);
    expect(two.manifest.files["trees.json"]).toBe(one.manifest.files["trees.json"]);
    expect(two.manifest.files["hours.json"]).toBe(one.manifest.files["hours.json"]);
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

test("recorded pools are learned from beside, and the manifest and the card say so", async () => {
  const place = await mkdtemp(join(tmpdir(), "assay-train-"));
  try {
    const { lookUp } = await createOrigin();
    const draw = drawHere(lookUp);
    const world = { accounts: 40, campaignPart: 0.4, days: [10] };
    const [set] = (await draw([{ seed: 90, world, stepHours: 12 }])) as [Dataset];
    async function* recordings(): AsyncGenerator<Recording> {
      yield { name: "own", set, observations: 1, refused: 0, unknown: 0 };
    }
    const recorded = await divideRecordings(recordings());
    const directory = join(place, "own");
    const own = await train({ ...small, draw, recorded, directory, version: "0.0.1" });
    const again = await train({ ...small, draw, recorded, directory: place, version: "0.0.1" });
    const without = await train({ ...small, draw, directory: place, version: "0.0.2" });
    expect(own.manifest.files["weights.bin"]).toBe(again.manifest.files["weights.bin"]);
    expect(own.manifest.files["weights.bin"]).not.toBe(without.manifest.files["weights.bin"]);
    expect(own.manifest.files["trees.json"]).not.toBe(without.manifest.files["trees.json"]);
    const { recorded: said, ...data } = own.manifest.data;
    expect(data).toEqual(without.manifest.data);
    expect(said).toMatchObject({ recordings: 1, rows: recorded.learning.count });
    expect(said?.accounts).toBe(new Set(set.owner).size);
    expect(said?.campaigns).toBeGreaterThan(3);
    expect(own.manifest.command).toMatch(/--recorded DIR$/);
    const card = await readFile(join(own.directory, "card.md"), "utf8");
    expect(card).toContain("Beside them 1 recorded pool with");
    expect(card).not.toMatch(/No real account was used/);
    const model = await loadModel(own.directory);
    const { value } = await model.score(set.rows, set.count);
    const mean = (label: boolean) => {
      const rows = Array.from(set.owner.keys()).filter(
        (row) => (set.truth[set.owner[row] as number]?.campaign !== null) === label,
      );
      return rows.reduce((sum, row) => sum + Math.log(value[row] as number), 0) / rows.length;
    };
    expect(mean(true)).toBeGreaterThan(mean(false));
    await model.close();
  } finally {
    await rm(place, { recursive: true });
  }
}, 120_000);
