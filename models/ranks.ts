/** Part of the values, the largest, by which the tail beyond them is told; twenty at least. */
const TAIL_PART = 0.01;
const LEAST_TAIL = 20;

/**
 * Where a number stands among those of honest accounts, on a scale of log odds: ln of the part below over the part
 * above. Evidence from different scales becomes comparable so, and adds up. Among the values this is their empirical
 * rank. Beyond the hundredth that is largest, an exponential tail: the mean excess over a high threshold is all that so
 * few values tell of it (Pickands 1975, with shape 0).
 */
export class Ranks {
  readonly #sorted: Float64Array;
  /** Threshold of the tail, log odds there, and mean excess over it. */
  readonly #from: number;
  readonly #fromOdds: number;
  readonly #excess: number;

  constructor(values: Float64Array) {
    this.#sorted = values.slice().sort();
    const count = values.length;
    const tail = Math.min(count, Math.max(LEAST_TAIL, Math.ceil(TAIL_PART * count)));
    const largest = this.#sorted.subarray(count - tail);
    this.#from = largest[0] ?? Number.NaN;
    this.#fromOdds = this.#empirical(this.#from);
    this.#excess = largest.reduce((sum, value) => sum + value - this.#from, 0) / tail;
  }

  /** Log odds of a value's rank; values below all others and above them have finite ones. */
  of(value: number): number {
    if (!(value > this.#from) || this.#excess === 0) return this.#empirical(value);
    // ln((1 - p) / p) with p far below 1: each mean excess makes it one more.
    return this.#fromOdds + (value - this.#from) / this.#excess;
  }

  /** The largest value whose log odds are no more than so many; all up to it have no more either. */
  upTo(odds: number): number {
    return largestWith(this.#sorted, odds);
  }

  /** The value that has such log odds. */
  at(odds: number): number {
    if (odds > this.#fromOdds) return this.#from + (odds - this.#fromOdds) * this.#excess;
    const count = this.#sorted.length;
    const above = (count + 1) / (1 + Math.exp(odds)) - 0.5;
    return this.#sorted[Math.min(count - 1, Math.max(0, Math.round(count - above)))] as number;
  }

  #empirical(value: number): number {
    return rankOdds(this.#sorted, value);
  }
}

/** Log odds of a value's rank among ascending ones: equal values stand above it. */
export function rankOdds(sorted: ArrayLike<number>, value: number): number {
  const above = (sorted.length - countBelow(sorted, value) + 0.5) / (sorted.length + 1);
  return Math.log((1 - above) / above);
}

/** The largest of ascending values whose log odds are no more than so many; minus infinity where none's are. */
export function largestWith(sorted: Float64Array, odds: number): number {
  return sorted.findLast((value) => rankOdds(sorted, value) <= odds) ?? Number.NEGATIVE_INFINITY;
}

/** How many of ascending values are less than one. */
export const countBelow = (sorted: ArrayLike<number>, value: number): number =>
  firstWhere(sorted, (one) => one >= value);

/** How many of ascending values are no more than one. */
export const countUpTo = (sorted: ArrayLike<number>, value: number): number =>
  firstWhere(sorted, (one) => one > value);

/** Index of the first value that is so, where all after it are. */
function firstWhere(sorted: ArrayLike<number>, isSo: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(sorted[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
