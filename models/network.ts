import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { FEATURES } from "#core/features.ts";
import { LEARNED_TYPOLOGIES } from "#core/typologies.ts";
import { ENCODED, RISK_FEATURES } from "./encode.ts";

/** Classes of the typology head: honest, the learned typologies, and mining from a sanctioned place. */
export const CLASSES: readonly string[] = ["benign", ...LEARNED_TYPOLOGIES, "sanctioned-origin"];

/** Units of each layer. */
export interface Sizes {
  trunk: number;
  middle: number;
  code: number;
  typology: number;
  risk: number;
}

export const SIZES: Sizes = { trunk: 256, middle: 32, code: 12, typology: 128, risk: 16 };

/** Every layer that holds weights, in the order of the weight file. */
export const LAYERS = [
  "trunk",
  "middle",
  "code",
  "unfold1",
  "unfold2",
  "features",
  "typology1",
  "typologies",
  "risk1",
  "risk",
] as const;
export type LayerName = (typeof LAYERS)[number];

/**
 * The network: a denoising auto-encoder whose first layer also feeds the typology head, and beside it a head over
 * the risk features. Inputs: encoded row, risk row. Outputs: features rebuilt, logits of the classes, risk.
 * The risk head is monotone where its kernels are not negative; training sees to that (train-network.ts), since
 * `kernelConstraint` is ignored by this version of TF.js.
 */
export function buildNetwork(sizes: Sizes, seed: number): layers.LayersModel {
  let next = seed;
  const dense = (name: LayerName, units: number, activation: "relu" | "tanh" | "linear") =>
    layers.layers.dense({
      name,
      units,
      activation,
      kernelInitializer: layers.initializers.glorotUniform({ seed: next++ }),
    });
  const encoded = layers.input({ shape: [ENCODED], name: "encoded" });
  const risky = layers.input({ shape: [RISK_FEATURES.length], name: "risky" });
  const apply = (layer: layers.layers.Layer, input: layers.SymbolicTensor) =>
    layer.apply(input) as layers.SymbolicTensor;
  const trunk = apply(dense("trunk", sizes.trunk, "relu"), encoded);
  const middle = apply(dense("middle", sizes.middle, "relu"), trunk);
  const code = apply(dense("code", sizes.code, "linear"), middle);
  const unfold1 = apply(dense("unfold1", sizes.middle, "relu"), code);
  const unfold2 = apply(dense("unfold2", sizes.trunk, "relu"), unfold1);
  const features = apply(dense("features", FEATURES.length, "linear"), unfold2);
  const typology1 = apply(dense("typology1", sizes.typology, "relu"), trunk);
  const typologies = apply(dense("typologies", CLASSES.length, "linear"), typology1);
  const risk1 = apply(dense("risk1", sizes.risk, "tanh"), risky);
  const risk = apply(dense("risk", 1, "linear"), risk1);
  return layers.model({
    inputs: [encoded, risky],
    outputs: [features, typologies, risk],
    name: "consistency",
  });
}

/** Runs the network on encoded rows. Answers plain arrays; every tensor is freed. */
export async function runNetwork(
  network: layers.LayersModel,
  encoded: Float32Array,
  risky: Float32Array,
  count: number,
): Promise<{ features: Float32Array; typologies: Float32Array; risk: Float32Array }> {
  const inputs = [tf.tensor2d(encoded, [count, ENCODED]), tf.tensor2d(risky, [count, RISK_FEATURES.length])];
  const outputs = tf.tidy(() => network.predictOnBatch(inputs)) as tf.Tensor[];
  try {
    const [features, typologies, risk] = await Promise.all(outputs.map((output) => output.data()));
    return {
      features: features as Float32Array,
      typologies: typologies as Float32Array,
      risk: risk as Float32Array,
    };
  } finally {
    tf.dispose([...inputs, ...outputs]);
  }
}
