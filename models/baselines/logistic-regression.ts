import { type LabelledBaseline, requireRows } from "./baseline.ts";
import { standardScale } from "./scaler.ts";

/** How the weights are found. */
export interface LogisticOptions {
  /** Pull of the weights towards 0, a row. */
  ridge?: number;
  steps?: number;
}

/** At this length of the gradient the weights have settled. */
const SETTLED = 1e-6;

/**
 * Logistic regression on standardised features with a ridge, classes weighted to be equal, by gradient descent with
 * Nesterov's momentum and restarts: no randomness, the same weights every time. Scores are probabilities.
 */
export function logisticRegression(options: LogisticOptions = {}): LabelledBaseline {
  const { ridge = 1e-4, steps = 500 } = options;
  return {
    name: "logistic regression",
    fit(rows, count, width, labels) {
      requireRows("logistic regression", rows, count, width);
      const scale = standardScale(rows, count, width);
      const scaled = new Float64Array(count * width);
      scale(rows, count, scaled);
      const weights = descend(scaled, count, width, { labels, ridge, steps });
      return (asked, askedCount) => {
        requireRows("logistic regression", asked, askedCount, width);
        const inputs = new Float64Array(askedCount * width);
        scale(asked, askedCount, inputs);
        return Float64Array.from({ length: askedCount }, (_, row) =>
          sigmoid(linear(inputs, row, width, weights)),
        );
      };
    },
  };
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** The last weight is the constant. */
function linear(inputs: Float64Array, row: number, width: number, weights: Float64Array): number {
  let sum = weights[width]!;
  for (let feature = 0; feature < width; feature += 1)
    sum += inputs[row * width + feature]! * weights[feature]!;
  return sum;
}

function descend(
  inputs: Float64Array,
  count: number,
  width: number,
  options: { labels: ArrayLike<number>; ridge: number; steps: number },
): Float64Array {
  const { labels, ridge, steps } = options;
  let positives = 0;
  for (let row = 0; row < count; row += 1) positives += labels[row] === 1 ? 1 : 0;
  if (positives === 0 || positives === count)
    throw new RangeError("logistic regression: both classes are needed");
  const weightOf = [0.5 / (count - positives), 0.5 / positives];
  // Standardised features have a mean squared length of width + 1 with the constant: a quarter of it bounds the
  // curvature of each class's mean loss on average; backtracking guards what the average does not.
  let rate = 4 / (width + 1);
  const weights = new Float64Array(width + 1);
  const ahead = new Float64Array(width + 1);
  const gradient = new Float64Array(width + 1);
  const before = new Float64Array(width + 1);
  let momentum = 0;
  let last = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step += 1) {
    const loss = lossAndGradient(ahead, gradient);
    if (loss > last) {
      // Too far: go back, slower and without momentum.
      rate *= 0.7;
      weights.set(before);
      momentum = 0;
      ahead.set(weights);
      last = Number.POSITIVE_INFINITY;
      continue;
    }
    last = loss;
    if (Math.hypot(...gradient) < SETTLED) break;
    before.set(weights);
    momentum += 1;
    const push = momentum / (momentum + 3);
    for (let index = 0; index <= width; index += 1) {
      weights[index] = ahead[index]! - rate * gradient[index]!;
      ahead[index] = weights[index]! + push * (weights[index]! - before[index]!);
    }
  }
  return weights;

  function lossAndGradient(at: Float64Array, into: Float64Array): number {
    let loss = 0;
    into.fill(0);
    for (let row = 0; row < count; row += 1) {
      const label = labels[row] === 1 ? 1 : 0;
      const value = linear(inputs, row, width, at);
      const weight = weightOf[label]!;
      // log(1 + e^−|value|) never overflows.
      loss += weight * (Math.max(value, 0) - label * value + Math.log1p(Math.exp(-Math.abs(value))));
      const error = weight * (sigmoid(value) - label);
      for (let feature = 0; feature < width; feature += 1)
        into[feature]! += error * inputs[row * width + feature]!;
      into[width]! += error;
    }
    for (let feature = 0; feature < width; feature += 1) {
      loss += (ridge / 2) * at[feature]! ** 2;
      into[feature]! += ridge * at[feature]!;
    }
    return loss;
  }
}
