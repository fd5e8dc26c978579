import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { z } from "zod";
import { FEATURE_SCHEMA, FEATURES } from "#core/features.ts";
import { LEARNED_TYPOLOGIES } from "#core/typologies.ts";
import { type Forest, forestSchema, readForest, writeForest } from "./baselines/forest.ts";
import { ENCODED, RISK_FEATURES } from "./encode.ts";
import { CLASSES, LAYERS } from "./network.ts";
import type { Dense, Weights } from "./oracle.ts";
import { type Reference, referenceSchema } from "./reference.ts";
import type { Honest } from "./signs.ts";

const numbers = (length: number) => z.array(z.number()).length(length);

const scalerSchema = z.strictObject({ mean: numbers(FEATURES.length), deviation: numbers(FEATURES.length) });
const fusionSchema = z.strictObject({
  campaign: z.number().min(0),
  risk: z.number().min(0),
  novelty: z.number().min(0),
  forest: z.number().min(0),
  bias: z.number(),
  hours: z.strictObject({ factor: z.number().min(0), bias: z.number() }),
  noveltyUnit: z.number().positive(),
  left: z.strictObject({
    campaign: z.number(),
    risk: z.number(),
    novelty: z.number().positive(),
    typologies: z.array(z.number().min(0)).length(LEARNED_TYPOLOGIES.length),
  }),
  baseRate: z.number().positive().max(1),
});

/** Files whose hashes the manifest holds. */
const HASHED = [
  "model.json",
  "weights.bin",
  "scaler.json",
  "trees.json",
  "hours.json",
  "calibration.json",
  "reference.json",
  "honest.bin",
  "metrics.json",
  "card.md",
] as const;

export const manifestSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  featureSchema: z.string(),
  classes: z.array(z.string()),
  files: z.record(z.enum(HASHED), z.string()),
  data: z.strictObject({
    simulator: z.string(),
    seed: z.number(),
    worlds: z.number(),
    rows: z.number(),
    sha256: z.string(),
    /** Recorded pools that were learned from beside: how many, and what of their accounts. */
    recorded: z
      .strictObject({
        recordings: z.number(),
        accounts: z.number(),
        campaigns: z.number(),
        rows: z.number(),
        sha256: z.string(),
      })
      .optional(),
  }),
  versions: z.record(z.string(), z.string()),
  backend: z.string(),
  command: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The model's files do not belong together, or not to this build. The message says which and why. */
export class ModelRefused extends Error {
  override name = "ModelRefused";
}

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** Keeps and hands out a network as `model.json` and `weights.bin`, the format every TF.js reads. */
export function directoryHandler(directory: string): tf.io.IOHandler {
  return {
    async save({ modelTopology, weightSpecs, weightData, format, generatedBy }) {
      const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
      await mkdir(directory, { recursive: true });
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      const model = { modelTopology, weightsManifest, format, generatedBy };
      await writeFile(join(directory, "model.json"), `${JSON.stringify(model)}\n`);
      await writeFile(join(directory, "weights.bin"), bytes);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
    async load() {
      const model = JSON.parse(await readFile(join(directory, "model.json"), "utf8"));
      const bytes = await readFile(join(directory, "weights.bin"));
      return {
        modelTopology: model.modelTopology,
        weightSpecs: model.weightsManifest[0].weights,
        weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
        format: model.format,
      };
    },
  };
}

/** Writes everything beside the network, and the manifest last: a directory without one is no model. */
export async function writeModelFiles(
  directory: string,
  parts: {
    scaler: z.infer<typeof scalerSchema>;
    forest: Forest;
    hours: Forest;
    calibration: z.infer<typeof fusionSchema>;
    reference: Reference;
    honest: Honest;
    metrics: object;
    card: string;
    manifest: Omit<Manifest, "files">;
  },
): Promise<Manifest> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;
  await writeFile(join(directory, "scaler.json"), json(parts.scaler));
  await writeFile(join(directory, "trees.json"), `${JSON.stringify(writeForest(parts.forest))}\n`);
  await writeFile(join(directory, "hours.json"), `${JSON.stringify(writeForest(parts.hours))}\n`);
  await writeFile(join(directory, "calibration.json"), json(parts.calibration));
  await writeFile(join(directory, "reference.json"), `${JSON.stringify(parts.reference)}\n`);
  await writeFile(join(directory, "honest.bin"), new Uint8Array(Float16Array.from(parts.honest.rows).buffer));
  await writeFile(join(directory, "metrics.json"), json(parts.metrics));
  await writeFile(join(directory, "card.md"), parts.card);
  const files: Record<string, string> = {};
  for (const name of HASHED) files[name] = sha256(await readFile(join(directory, name)));
  const manifest = manifestSchema.parse({ ...parts.manifest, files });
  await writeFile(join(directory, "manifest.json"), json(manifest));
  return manifest;
}

/** Reads a model's directory. Rejects with a ModelRefused that names the file and the reason. */
export async function readModelFiles(directory: string): Promise<{
  manifest: Manifest;
  network: layers.LayersModel;
  scaler: z.infer<typeof scalerSchema>;
  fusion: z.infer<typeof fusionSchema>;
  forest: Forest;
  hours: Forest;
  reference: Reference;
  honest: Honest;
}> {
  const manifest = await readJson(directory, "manifest.json", manifestSchema);
  for (const name of HASHED) {
    const bytes = await readFile(join(directory, name)).catch((cause) => {
      throw new ModelRefused(`${directory}: ${name} cannot be read`, { cause });
    });
    if (sha256(bytes) !== manifest.files[name])
      throw new ModelRefused(`${directory}: ${name} is not the file its manifest names (SHA-256 differs)`);
  }
  if (manifest.featureSchema !== FEATURE_SCHEMA)
    throw new ModelRefused(
      `${directory}: trained on feature schema ${manifest.featureSchema}, this build has ${FEATURE_SCHEMA}; train again`,
    );
  if (manifest.classes.join() !== CLASSES.join())
    throw new ModelRefused(`${directory}: trained on other typologies (${manifest.classes.join(", ")})`);
  const scaler = await readJson(directory, "scaler.json", scalerSchema);
  const fusion = await readJson(directory, "calibration.json", fusionSchema);
  const forest = await readTrees(directory, "trees.json");
  const hours = await readTrees(directory, "hours.json");
  const network = await layers.loadLayersModel(directoryHandler(directory)).catch((cause) => {
    throw new ModelRefused(`${directory}: model.json and weights.bin make no network`, { cause });
  });
  const reference = await readJson(directory, "reference.json", referenceSchema);
  const honest = await readHonest(directory);
  return { manifest, network, scaler, fusion, forest, hours, reference, honest };
}

/** Vectors of honest accounts in 16 bits: NaN, as everywhere, where a feature is missing. */
async function readHonest(directory: string): Promise<Honest> {
  const { buffer, byteOffset, length } = await readFile(join(directory, "honest.bin"));
  const count = length / (2 * FEATURES.length);
  if (!(Number.isInteger(count) && count > 0))
    throw new ModelRefused(`${directory}: honest.bin holds no whole vectors of ${FEATURES.length} features`);
  return { rows: Float32Array.from(new Float16Array(buffer.slice(byteOffset, byteOffset + length))), count };
}

async function readTrees(directory: string, name: string): Promise<Forest> {
  const written = await readJson(directory, name, forestSchema);
  try {
    return readForest(written, FEATURES.length);
  } catch (cause) {
    throw new ModelRefused(`${directory}: ${name}: ${(cause as Error).message}`, { cause });
  }
}

async function readJson<T extends z.ZodType>(
  directory: string,
  name: string,
  schema: T,
): Promise<z.output<T>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(directory, name), "utf8"));
  } catch (cause) {
    throw new ModelRefused(`${directory}: ${name} cannot be read`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ModelRefused(`${directory}: ${name}: ${issue?.path.join(".")} ${issue?.message}`);
}

/** The network's weights as plain arrays. Throws where a layer has another shape or a weight is no number. */
export function weightsOf(network: layers.LayersModel): Weights {
  const weights: Partial<Record<(typeof LAYERS)[number], Dense>> = {};
  for (const name of LAYERS) {
    const [kernel, bias] = network.getLayer(name).getWeights() as [tf.Tensor2D, tf.Tensor1D];
    const [inputs, units] = kernel.shape;
    const dense = {
      kernel: kernel.dataSync().slice() as Float32Array,
      bias: bias.dataSync().slice() as Float32Array,
      inputs,
      units,
    };
    if (![...dense.kernel, ...dense.bias].every(Number.isFinite))
      throw new ModelRefused(`model: layer "${name}" holds a weight that is no number`);
    weights[name] = dense;
  }
  if (weights.trunk?.inputs !== ENCODED || weights.risk1?.inputs !== RISK_FEATURES.length)
    throw new ModelRefused("model: the network takes another number of inputs than this build encodes");
  return weights as Weights;
}
