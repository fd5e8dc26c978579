import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { normal, type Random, randomFrom, shuffle } from "#core/random.ts";
import { type Rows, requireRows, type Score } from "./baseline.ts";
import { robustScale } from "./scaler.ts";

/** How the networks learn. One setting serves every data set: none is tuned to one. */
export interface AutoencoderOptions {
  seed?: number;
  /** Networks whose errors are added. */
  networks?: number;
  steps?: number;
  /** Rows learned from at most, drawn at random. */
  sample?: number;
}

const HIDDEN = 64;
const BOTTLENECK = 8;
const BATCH = 128;
const LEARNING_RATE = 2e-3;
/**
 * Noise put on the inputs, in scaled units where the middle half of a feature lies within ±.4: one of these a step. A
 * denoiser rebuilds a row as the mean of the clean rows it may have come from (Vincent et al. 2010), so under loud
 * noise its error is a smoothed distance to the bulk of the data; quiet noise would let it copy outliers.
 */
const NOISE = [1, 2, 4];
/** Normal numbers drawn beforehand; a step reads them from a random place. */
const NOISE_POOL = 1 << 16;

/** A denoising auto-encoder in TensorFlow.js, on robustly scaled features; a row's score is its squared error. */
export interface Autoencoder {
  readonly name: string;
  /** Uses the current TensorFlow.js backend, which the caller has chosen, and leaves no tensor behind. */
  fit(rows: Rows, count: number, width: number): Promise<Score>;
}

/** A dense layer's weights out of TensorFlow.js: `kernel` is inputs × outputs, row-major. */
interface Dense {
  kernel: Float32Array;
  bias: Float32Array;
}

/** A seeded ensemble of denoising auto-encoders: the same rows, seed and backend give the same scores. */
export function autoencoder(options: AutoencoderOptions = {}): Autoencoder {
  const { seed = 1, networks = 3, steps = 100, sample = 10_000 } = options;
  return {
    name: "auto-encoder",
    async fit(rows, count, width) {
      requireRows("auto-encoder", rows, count, width);
      const scale = robustScale(rows, count, width);
      const scaled = new Float64Array(count * width);
      scale(rows, count, scaled);
      const trained: Dense[][] = [];
      for (let network = 0; network < networks; network += 1) {
        trained.push(await train(scaled, { count, width, steps, sample, seed: seed * 1_000 + network }));
      }
      return (asked, askedCount) => {
        requireRows("auto-encoder", asked, askedCount, width);
        const inputs = new Float64Array(askedCount * width);
        scale(asked, askedCount, inputs);
        const errors = new Float64Array(askedCount);
        for (const network of trained) {
          const errorOf = squaredError(network);
          for (let row = 0; row < askedCount; row += 1) errors[row]! += errorOf(inputs, row * width);
        }
        return errors;
      };
    },
  };
}

interface Training {
  count: number;
  width: number;
  steps: number;
  sample: number;
  seed: number;
}

async function train(
  scaled: Float64Array,
  { count, width, steps, sample, seed }: Training,
): Promise<Dense[]> {
  const random = randomFrom(seed);
  const model = build(width, seed);
  const optimizer = tf.train.adam(LEARNING_RATE);
  model.compile({ optimizer, loss: "meanSquaredError" });
  const pool = Float32Array.from({ length: NOISE_POOL }, () => normal(random));
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  shuffle(order, random);
  const used = order.subarray(0, Math.min(sample, count));
  const batch = Math.min(BATCH, used.length);
  let at = 0;
  for (let step = 0; step < steps; step += 1) {
    if (at + batch > used.length) {
      shuffle(used, random);
      at = 0;
    }
    const { noisy, clean } = drawBatch(scaled, used.subarray(at, at + batch), { width, pool, random });
    at += batch;
    const input = tf.tensor2d(noisy, [batch, width]);
    const target = tf.tensor2d(clean, [batch, width]);
    await model.trainOnBatch(input, target);
    tf.dispose([input, target]);
  }
  const weights = model.getWeights().map((weight) => weight.dataSync().slice() as Float32Array);
  model.dispose();
  optimizer.dispose();
  const dense: Dense[] = [];
  for (let index = 0; index + 1 < weights.length; index += 2) {
    dense.push({ kernel: weights[index]!, bias: weights[index + 1]! });
  }
  return dense;
}

function build(width: number, seed: number): layers.LayersModel {
  const sizes = [HIDDEN, BOTTLENECK, HIDDEN, width];
  const input = layers.input({ shape: [width] });
  let output = input;
  for (const [index, units] of sizes.entries()) {
    output = layers.layers
      .dense({
        units,
        activation: index < sizes.length - 1 ? "relu" : "linear",
        kernelInitializer: layers.initializers.glorotUniform({ seed: seed * 10 + index }),
      })
      .apply(output) as layers.SymbolicTensor;
  }
  return layers.model({ inputs: input, outputs: output });
}

function drawBatch(
  scaled: Float64Array,
  members: Uint32Array,
  { width, pool, random }: { width: number; pool: Float32Array; random: Random },
): { noisy: Float32Array; clean: Float32Array } {
  const noisy = new Float32Array(members.length * width);
  const clean = new Float32Array(members.length * width);
  const level = NOISE[Math.floor(random() * NOISE.length)]!;
  let index = 0;
  for (const row of members) {
    let drawn = Math.floor(random() * NOISE_POOL);
    for (let feature = 0; feature < width; feature += 1) {
      const value = scaled[row * width + feature]!;
      clean[index] = value;
      noisy[index] = value + level * pool[drawn % NOISE_POOL]!;
      drawn += 1;
      index += 1;
    }
  }
  return { noisy, clean };
}

/** Rebuilds rows in plain JavaScript, which holds no tensor: answers how far off the row at `at` is. Reuses its buffers. */
function squaredError(network: readonly Dense[]): (inputs: Float64Array, at: number) => number {
  const buffers = network.map(({ bias }) => new Float64Array(bias.length));
  return (inputs, at) => {
    let values = inputs;
    let from = at;
    for (let layer = 0; layer < network.length; layer += 1) {
      const { kernel, bias } = network[layer]!;
      const outputs = buffers[layer]!;
      const units = outputs.length;
      outputs.set(bias);
      for (let start = 0; start < kernel.length; start += units, from += 1) {
        const value = values[from]!;
        if (value === 0) continue;
        for (let unit = 0; unit < units; unit += 1) outputs[unit]! += value * kernel[start + unit]!;
      }
      if (layer < network.length - 1) {
        for (let unit = 0; unit < units; unit += 1) if (outputs[unit]! < 0) outputs[unit] = 0;
      }
      values = outputs;
      from = 0;
    }
    let error = 0;
    for (let unit = 0; unit < values.length; unit += 1) error += (inputs[at + unit]! - values[unit]!) ** 2;
    return error;
  };
}
