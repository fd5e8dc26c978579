import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Description } from "#core/typologies.ts";
import { collect } from "../../models/collect.ts";
import type { Dataset } from "../../models/evaluate/dataset.ts";
import { loadModel } from "../../models/load-model.ts";
import { sha256 } from "../../models/model-files.ts";
import { createRandom } from "../../models/simulate/random.ts";
import { simulate } from "../../models/simulate/simulate.ts";
import { drawWorld } from "../../models/worlds.ts";
import { createOrigin } from "../../src/origin/origin.ts";
import { type Labelled, modelContract } from "../contract/model.ts";

const shelf = join(import.meta.dirname, "../../models/consistency");
let place: string;
let directory: string;
let set: Dataset;

async function labelled(): Promise<Labelled> {
  if (!set) {
    const { lookUp: lookUpOrigin } = await createOrigin();
    // A world that no training has seen: seeds of training are below a million.
    const seed = 5_000_003;
    const world = drawWorld(seed, { accounts: 60, campaignPart: 0.4, cares: ["blatant", "middle"] });
    set = collect(simulate(world, seed), { lookUpOrigin, stepHours: 24 });
  }
  const campaign = Uint8Array.from(set.owner, (owner) => (set.truth[owner]?.campaign ? 1 : 0));
  return { rows: set.rows, count: set.count, campaign };
}

beforeAll(async () => {
  const versions = (await readdir(shelf)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  directory = join(shelf, versions.at(-1) as string);
  place = await mkdtemp(join(tmpdir(), "assay-model-"));
  await labelled();
}, 120_000);
afterAll(() => rm(place, { recursive: true }));

modelContract("the shipped model on wasm", async () => loadModel(directory, { backend: "wasm" }), labelled);
modelContract(
  "the shipped model in plain JavaScript",
  async () => loadModel(directory, { backend: "oracle" }),
  labelled,
);

const RENTAL: Description = {
  name: "night-rental",
  about: "machines rented by night",
  signs: [
    { feature: "fleet.rentalAgent", side: "high" },
    { feature: "payout.addressChanges", side: "high" },
    { feature: "operator.age", side: "low" },
  ],
};
modelContract(
  "the shipped model beside a described typology",
  async () => loadModel(directory, { backend: "wasm", described: [RENTAL] }),
  labelled,
);

test("a described typology raises what shows its signs, explains it and says what would take it below", async () => {
  const { rows, count } = await labelled();
  const plain = await loadModel(directory, { backend: "oracle" });
  const model = await loadModel(directory, { backend: "oracle", described: [RENTAL] });
  expect(model.typologies).toEqual([...plain.typologies, "night-rental"]);
  const [before, after] = [await plain.score(rows, count), await model.score(rows, count)];
  const width = FEATURES.length;
  const quietest = before.value.indexOf(Math.min(...before.value));
  const row = rows.slice(quietest * width, (quietest + 1) * width);
  for (const [feature, value] of [
    ["fleet.rentalAgent", 1],
    ["payout.addressChanges", 1.2],
    ["operator.age", 0.3],
  ] as const)
    row[FEATURE_INDEX.get(feature) as number] = value;
  const [own, raised] = [await plain.score(row, 1), await model.score(row, 1)];
  const value = raised.value[0] as number;
  expect(value).toBeGreaterThan(own.value[0] as number);
  const [contributions, mine] = [await model.explain(row), await plain.explain(row)];
  const sum = (all: typeof contributions) => all.reduce((total, { contribution }) => total + contribution, 0);
  const logit = (part: number) => Math.log(part / (1 - part));
  expect(sum(contributions) - sum(mine)).toBeCloseTo(logit(value) - logit(own.value[0] as number), 3);
  expect(contributions.filter(({ sign }) => sign).length).toBeGreaterThanOrEqual(2);
  const threshold = value / 2;
  const without = await model.counterfactual(row, threshold, contributions);
  expect(without?.value).toBeLessThan(threshold);
  // No account falls, and those that show nothing of it stay what they were.
  let same = 0;
  for (let index = 0; index < count; index += 1) {
    expect(after.value[index]).toBeGreaterThanOrEqual(before.value[index] as number);
    if (after.value[index] === before.value[index]) same += 1;
  }
  expect(same).toBeGreaterThan(0.9 * count);
  await plain.close();
  await model.close();
});

test("a description that this model cannot look for is refused by name", async () => {
  const nowhere = { ...RENTAL, signs: [{ feature: "fleet.nothing", side: "high" as const }] };
  await expect(loadModel(directory, { described: [nowhere] })).rejects.toThrow(
    'typology "night-rental": there is no feature "fleet.nothing"',
  );
});

test("wasm, cpu and plain JavaScript agree to 1e-5", async () => {
  const { rows, count } = await labelled();
  const scores = [];
  for (const backend of ["wasm", "cpu", "oracle"] as const) {
    const model = await loadModel(directory, { backend });
    scores.push(await model.score(rows, count));
    await model.close();
  }
  const [wasm, ...others] = scores;
  expect(count).toBeGreaterThan(16);
  const logit = (value: number) => Math.log(value / (1 - value));
  const telling = wasm!.value.filter((value) => value > 0.001 && value < 0.999);
  expect(telling.length).toBeGreaterThan(10);
  for (const other of others) {
    for (let row = 0; row < count; row += 1)
      expect(Math.abs((other.value[row] as number) - (wasm!.value[row] as number))).toBeLessThan(1e-5);
    // Most values are near 0, where 1e-5 says little: logits and novelty must agree to a thousandth as well.
    for (let row = 0; row < count; row += 1) {
      const [mine, theirs] = [wasm!.value[row] as number, other.value[row] as number];
      if (mine < 0.999) expect(Math.abs(logit(theirs) - logit(mine))).toBeLessThan(1e-3);
      const novelty = wasm!.novelty[row] as number;
      expect(Math.abs((other.novelty[row] as number) - novelty)).toBeLessThan(1e-3 * Math.max(1, novelty));
    }
    for (let index = 0; index < other.typologies.length; index += 1)
      expect(
        Math.abs((other.typologies[index] as number) - (wasm!.typologies[index] as number)),
      ).toBeLessThan(1e-5);
  }
});

test("a higher risk feature never lowers the risk head: its kernels are not negative", async () => {
  const { network } = await (await import("../../models/model-files.ts")).readModelFiles(directory);
  for (const name of ["risk1", "risk"]) {
    const kernel = network.getLayer(name).getWeights()[0]!.dataSync();
    expect(Math.min(...kernel)).toBeGreaterThanOrEqual(0);
  }
  network.dispose();
});

async function damaged(change: (copy: string) => Promise<void>): Promise<string> {
  const copy = await mkdtemp(join(place, "copy-"));
  await cp(directory, copy, { recursive: true });
  await change(copy);
  return copy;
}

const edit = async (copy: string, name: string, change: (text: string) => string): Promise<void> =>
  writeFile(join(copy, name), change(await readFile(join(copy, name), "utf8")));

test("files that do not match their manifest are refused, each by name", async () => {
  const files = (await readdir(directory)).filter((name) => name !== "manifest.json");
  expect(files.sort()).toEqual([
    "calibration.json",
    "card.md",
    "honest.bin",
    "hours.json",
    "metrics.json",
    "model.json",
    "reference.json",
    "scaler.json",
    "trees.json",
    "weights.bin",
  ]);
  for (const name of files) {
    const copy = await damaged(async (at) => {
      const bytes = await readFile(join(at, name));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      await writeFile(join(at, name), bytes);
    });
    await expect(loadModel(copy)).rejects.toThrow(new RegExp(`${name} is not the file its manifest names`));
  }
  for (const name of files) {
    const gone = await damaged((at) => rm(join(at, name)));
    await expect(loadModel(gone)).rejects.toThrow(new RegExp(`${name} cannot be read`));
  }
  await expect(loadModel(join(place, "nowhere"))).rejects.toThrow(/manifest.json cannot be read/);
});

test("a manifest that is torn, or lacks something, is refused with the place", async () => {
  const torn = await damaged((at) => edit(at, "manifest.json", (text) => text.slice(0, text.length / 2)));
  await expect(loadModel(torn)).rejects.toThrow(/manifest\.json cannot be read/);
  const nameless = await damaged((at) =>
    edit(at, "manifest.json", (text) => text.replace('"seed"', '"sead"')),
  );
  await expect(loadModel(nameless)).rejects.toThrow(/manifest\.json: data\.seed/);
  const shorter = await damaged((at) =>
    edit(at, "manifest.json", (text) => text.replace(/"card\.md": "\w+"/, '"card.md": ""')),
  );
  await expect(loadModel(shorter)).rejects.toThrow(/card\.md is not the file its manifest names/);
});

/** Changes a file and makes the manifest right again: what is left is the content. */
const forged = (name: string, change: (text: string) => string): Promise<string> =>
  damaged(async (at) => {
    const before = sha256(await readFile(join(at, name)));
    await edit(at, name, change);
    const after = sha256(await readFile(join(at, name)));
    await edit(at, "manifest.json", (text) => text.replace(before, after));
  });

test("a number that is none is refused by file and place, though the hashes are right", async () => {
  // JSON has no NaN: it is written as null.
  const fusion = await forged("calibration.json", (text) => text.replace(/"bias": [-.\de]+/, '"bias": null'));
  await expect(loadModel(fusion)).rejects.toThrow(/calibration\.json: bias /);
  const scaler = await forged("scaler.json", (text) => text.replace(/\[\s*[-.\de]+/, "[null"));
  await expect(loadModel(scaler)).rejects.toThrow(/scaler\.json: mean\.0 /);
  const short = await forged("scaler.json", (text) => text.replace(/\[\s*[-.\de]+,/, "["));
  await expect(loadModel(short)).rejects.toThrow(/scaler\.json: mean /);
  const reference = await forged("reference.json", (text) =>
    text.replace(/"cuts":\[[-.\de]+/, '"cuts":[null'),
  );
  await expect(loadModel(reference)).rejects.toThrow(/reference\.json: features\.0\.cuts\.0 /);
  const hours = await forged("hours.json", (text) => text.replace('"feature":[', '"feature":[68,'));
  await expect(loadModel(hours)).rejects.toThrow(/hours\.json: \d+ trees of depth 3 have/);
  const network = await forged("model.json", (text) => text.replace('"modelTopology"', '"modelTypology"'));
  await expect(loadModel(network)).rejects.toThrow(/model\.json and weights\.bin make no network/);
});

test("another feature schema and other typologies are refused with the reason", async () => {
  const schema = await damaged((at) =>
    edit(at, "manifest.json", (text) =>
      text.replace(/"featureSchema": "[^"]+"/, '"featureSchema": "51-00000000"'),
    ),
  );
  await expect(loadModel(schema)).rejects.toThrow(/trained on feature schema 51-00000000, this build has/);
  const classes = await damaged((at) =>
    edit(at, "manifest.json", (text) => text.replace('"relay"', '"rely"')),
  );
  await expect(loadModel(classes)).rejects.toThrow(/trained on other typologies/);
});

test("a weight that is no number is refused though its hash is right", async () => {
  const copy = await damaged(async (at) => {
    const bytes = await readFile(join(at, "weights.bin"));
    bytes.writeFloatLE(Number.NaN, 400);
    await writeFile(join(at, "weights.bin"), bytes);
    const before = sha256(await readFile(join(directory, "weights.bin")));
    await edit(at, "manifest.json", (text) => text.replace(before, sha256(bytes)));
  });
  await expect(loadModel(copy)).rejects.toThrow(/holds a weight that is no number/);
});

test("scoring leaks no tensors", async () => {
  const tf = await import("@tensorflow/tfjs-core");
  const random = createRandom(1, "leak");
  const rows = Float32Array.from({ length: 300 * FEATURES.length }, () => random.next());
  const model = await loadModel(directory, { backend: "wasm" });
  await model.score(rows, 300);
  const before = tf.memory().numTensors;
  for (let round = 0; round < 5; round += 1) await model.score(rows, 300);
  expect(tf.memory().numTensors).toBe(before);
  await model.close();
});
