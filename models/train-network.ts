import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { FEATURES } from "#core/features.ts";
import { ENCODED, encodeRisk, encodeRow, RISK_FEATURES, type Scaler } from "./encode.ts";
import { HIDE_FROM_NETWORK, hider } from "./hide.ts";
import { buildNetwork, CLASSES, type Sizes } from "./network.ts";
import { createRandom, type Random } from "./simulate/random.ts";

/** Rows to learn from, with the class of each. */
export interface Examples {
  rows: Float32Array;
  count: number;
  /** Index into CLASSES. */
  classes: Uint8Array;
  /** How much each row counts, 1 on average. */
  weights: Float64Array;
}

export interface Schedule {
  epochs: number;
  batch: number;
  learningRate: number;
}

export const SCHEDULE: Schedule = { epochs: 10, batch: 512, learningRate: 0.002 };

/** Weight of the rebuilding loss beside the typology loss. */
const REBUILD_WEIGHT = 0.3;
const NOISE = 0.05;
/** Pull of every kernel towards zero. */
const DECAY = 1e-5;

/**
 * Trains the whole network. The same rows, seed and schedule give the same weights bit for bit on one backend:
 * initialisers are seeded, rows are shuffled by our own numbers, and nothing runs in parallel.
 */
export async function trainNetwork(
  examples: Examples,
  options: {
    scaler: Scaler;
    sizes: Sizes;
    schedule: Schedule;
    seed: number;
    onProgress?: (part: number) => void;
  },
): Promise<layers.LayersModel> {
  const { scaler, sizes, schedule, seed, onProgress } = options;
  const network = buildNetwork(sizes, seed);
  const random = createRandom(seed, "train");
  const risk = trainRisk(examples, sizes, schedule, random.fork("risk"));
  const trunk = layers.model({
    inputs: network.inputs[0] as layers.SymbolicTensor,
    outputs: [network.outputs[0], network.outputs[1]] as layers.SymbolicTensor[],
  });
  const optimizer = tf.train.adam(schedule.learningRate);
  trunk.compile({ optimizer, loss: [rebuildingLoss, typologyLoss] });
  const order = Uint32Array.from({ length: examples.count }, (_, index) => index);
  const total = schedule.epochs * Math.floor(examples.count / schedule.batch);
  let done = 0;
  for (let epoch = 0; epoch < schedule.epochs; epoch += 1) {
    shuffle(order, random);
    // The rate falls to a tenth along a cosine: late steps polish.
    const phase = epoch / Math.max(1, schedule.epochs - 1);
    const rate = schedule.learningRate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * phase)));
    (optimizer as unknown as { learningRate: number }).learningRate = rate;
    for (let from = 0; from + schedule.batch <= examples.count; from += schedule.batch) {
      const batch = drawBatch(examples, scaler, order.subarray(from, from + schedule.batch), random);
      await trunk.trainOnBatch(batch.input, batch.targets);
      tf.dispose([batch.input, ...batch.targets]);
      done += 1;
      if (done % 50 !== 0 && done !== total) continue;
      onProgress?.(done / total);
      // What goes on beside (trees that grow, an interrupt) is heard.
      await setImmediate();
    }
  }
  network.getLayer("risk1").setWeights([risk.kernel1, risk.bias1]);
  network.getLayer("risk").setWeights([risk.kernel2, risk.bias2]);
  tf.dispose([...Object.values(risk)]);
  optimizer.dispose();
  return network;
}

/** Stands for a missing feature in a target: far beyond any standard score. */
const MISSING = 100;

/** Mean square error over the features that are present in the target. */
function rebuildingLoss(target: tf.Tensor, rebuilt: tf.Tensor): tf.Scalar {
  const present = tf.cast(tf.less(target, MISSING / 2), "float32");
  const error = tf.mul(tf.square(tf.sub(rebuilt, target)), present);
  return tf.mul(tf.mean(error), REBUILD_WEIGHT) as tf.Scalar;
}

/** Cross-entropy; rows of the target are one-hot times their weight, since `sampleWeight` is not supported. */
function typologyLoss(target: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1))) as tf.Scalar;
}

function shuffle(order: Uint32Array, random: Random): void {
  for (let index = order.length - 1; index > 0; index -= 1) {
    const other = random.integer(0, index);
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
}

/** One batch: what the network sees is noisy and has holes; what it must rebuild is whole. */
function drawBatch(examples: Examples, scaler: Scaler, chosen: Uint32Array, random: Random) {
  const width = FEATURES.length;
  const seen = new Float32Array(chosen.length * ENCODED);
  const clean = new Float32Array(chosen.length * width);
  const classes = new Float32Array(chosen.length * CLASSES.length);
  for (let at = 0; at < chosen.length; at += 1) {
    const row = chosen[at] as number;
    encodeRow(scaler, examples.rows, row, seen, at);
    for (let column = 0; column < width; column += 1) {
      const place = at * ENCODED + column;
      clean[at * width + column] = seen[place + width] === 0 ? MISSING : (seen[place] as number);
    }
    classes[at * CLASSES.length + (examples.classes[row] as number)] = examples.weights[row] as number;
  }
  const draw = hider(HIDE_FROM_NETWORK, random);
  for (let at = 0; at < chosen.length; at += 1) {
    const hidden = draw();
    for (let column = 0; column < width; column += 1) {
      const place = at * ENCODED + column;
      if (seen[place + width] === 0) continue;
      if (hidden[column] === 1) {
        seen[place] = 0;
        seen[place + width] = 0;
      } else seen[place] = (seen[place] as number) + NOISE * (random.next() + random.next() - 1) * 2.45;
    }
  }
  return {
    input: tf.tensor2d(seen, [chosen.length, ENCODED]),
    targets: [
      tf.tensor2d(clean, [chosen.length, width]),
      tf.tensor2d(classes, [chosen.length, CLASSES.length]),
    ],
  };
}

/**
 * The monotone head, on its own variables: kernels are softplus of what is learned, so they are never negative and
 * the gradient always exists. Answers the kernels as they are used.
 */
function trainRisk(examples: Examples, sizes: Sizes, schedule: Schedule, random: Random) {
  const inputs = RISK_FEATURES.length;
  const draw = (count: number, spread: number) =>
    Float32Array.from({ length: count }, () => -2 + spread * random.normal());
  const raw1 = tf.variable(tf.tensor2d(draw(inputs * sizes.risk, 0.5), [inputs, sizes.risk]));
  const raw2 = tf.variable(tf.tensor2d(draw(sizes.risk, 0.5), [sizes.risk, 1]));
  const bias1 = tf.variable(tf.tensor1d(Float32Array.from({ length: sizes.risk }, () => -random.next())));
  const bias2 = tf.variable(tf.tensor1d([-2]));
  const optimizer = tf.train.adam(schedule.learningRate * 5);
  const order = Uint32Array.from({ length: examples.count }, (_, index) => index);
  for (let epoch = 0; epoch < Math.min(3, schedule.epochs); epoch += 1) {
    shuffle(order, random);
    for (let from = 0; from + schedule.batch <= examples.count; from += schedule.batch) {
      const risky = new Float32Array(schedule.batch * inputs);
      const campaign = new Float32Array(schedule.batch);
      const weights = new Float32Array(schedule.batch);
      for (let at = 0; at < schedule.batch; at += 1) {
        const row = order[from + at] as number;
        encodeRisk(examples.rows, row, risky, at);
        campaign[at] = examples.classes[row] === 0 ? 0 : 1;
        weights[at] = examples.weights[row] as number;
      }
      optimizer.minimize(() => {
        const hidden = tf.tanh(
          tf.add(tf.matMul(tf.tensor2d(risky, [schedule.batch, inputs]), tf.softplus(raw1)), bias1),
        );
        const logit = tf.add(tf.matMul(hidden as tf.Tensor2D, tf.softplus(raw2)), bias2);
        const target = tf.tensor2d(campaign, [schedule.batch, 1]);
        // Cross-entropy of a logit: softplus(l) - t*l.
        const each = tf.sub(tf.softplus(logit), tf.mul(target, logit));
        const loss = tf.mean(tf.mul(each, tf.tensor2d(weights, [schedule.batch, 1])));
        return tf.add(loss, tf.mul(DECAY, tf.sum(tf.softplus(raw1)))) as tf.Scalar;
      });
    }
  }
  const weights = {
    kernel1: tf.softplus(raw1),
    bias1: tf.clone(bias1),
    kernel2: tf.softplus(raw2),
    bias2: tf.clone(bias2),
  };
  tf.dispose([raw1, raw2, bias1, bias2]);
  optimizer.dispose();
  return weights;
}
