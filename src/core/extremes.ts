/**
 * Thresholds for metrics that are no counts, by extreme-value theory: SPOT and DSPOT (Siffer, Fouque, Termier &
 * Largouët, Anomaly Detection in Streams with Extreme Value Theory, KDD 2017). What a value exceeds a high threshold t
 * by is nearly generalised Pareto whatever the values' own distribution is (Pickands 1975), so the value that is exceeded
 * with probability q is known without having been seen: t + σ/ξ·((q·n/N)^−ξ − 1) for N peaks over t in n values.
 *
 * Two things differ from the paper, both measured at q = 10⁻³ on independent exponential, Gaussian and heavy-tailed
 * values. An exceedance is learned from, cut to what is exceeded with probability q/10: leaving it out, as the paper does,
 * thins the very tail that is fitted, and exceedances came 2.2 to 3.2 times as often as asked for after 1,000 values of
 * warm-up and 4.2 to 5.5 times after 168; cut, 1.1 to 1.2 and 1.5 to 1.7 times. And the fit is Zhang & Stephens'
 * (Technometrics 51, 2009), a mean over the profile likelihood whose maximum Grimshaw's procedure finds: after 168 values that
 * maximum gives 1.9 to 2.5 times, the method of moments 1.9 to 2.2. At q = 10⁻⁴ 168 values are too few: 2.3 to 3.9 times.
 */

/** How a metric's extremes are looked for. */
export interface ExtremeOptions {
  /** Probability that a value of an unchanged metric exceeds the threshold. */
  risk: number;
  /** Values learned from before any is tested. */
  warmUp: number;
  /** Part of the values seen in warm-up that lie below the threshold peaks are counted from. */
  level: number;
  /** Peaks kept for the fit, the latest. */
  peaks: number;
  /** Values whose mean a value is compared with, to follow drift (DSPOT); 0: none (SPOT). */
  depth: number;
}

/** A value beyond what an unchanged metric exceeds with the probability asked for. */
export interface Exceedance {
  value: number;
  threshold: number;
}

/** A value that is not a number or infinite. */
export class ExtremeInputError extends RangeError {
  override name = "ExtremeInputError";
}

/** With fewer peaks nothing is tested: a metric that never varies has no tail to learn. */
const LEAST_PEAKS = 10;
/** What is learned of an exceedance: at most the value of a probability so much smaller than the risk. */
const CUT = 10;

/** Tells the upper extremes of one stream. Bounded: `peaks` and `depth` numbers, and `warmUp` until it has learned. */
export class Extremes {
  readonly #options: ExtremeOptions;
  readonly #peaks: Float64Array;
  /** The values compared with, a ring. */
  readonly #recent: Float64Array;
  #taken = 0;
  #sum = 0;
  /** The values of the warm-up, until it is over. */
  #early: Float64Array | undefined;
  #seen = 0;
  #base = 0;
  #peakCount = 0;
  #bound = Number.POSITIVE_INFINITY;
  #cut = Number.POSITIVE_INFINITY;
  /** The value before exceeded: another that does is of the same event, and teaches nothing more. */
  #exceeded = false;

  constructor(options: ExtremeOptions) {
    this.#options = options;
    this.#peaks = new Float64Array(options.peaks);
    this.#recent = new Float64Array(options.depth);
    this.#early = new Float64Array(options.warmUp);
  }

  /** Tests a value, then learns from it. Throws ExtremeInputError where it is no finite number. */
  take(value: number): Exceedance | undefined {
    if (!Number.isFinite(value)) throw new ExtremeInputError(`value must be finite, got ${value}`);
    const { depth } = this.#options;
    if (this.#taken < depth) {
      this.#follow(value);
      return undefined;
    }
    const mean = depth === 0 ? 0 : this.#sum / depth;
    const over = value - mean;
    if (this.#early) {
      this.#follow(value);
      this.#warmUp(this.#early, over);
      return undefined;
    }
    const threshold = this.#bound + mean;
    const exceeds = over > this.#bound;
    const again = exceeds && this.#exceeded;
    this.#exceeded = exceeds;
    if (again) return { value, threshold };
    const learned = Math.min(over, this.#cut);
    this.#follow(learned + mean);
    this.#seen += 1;
    if (learned > this.#base) {
      this.#keep(learned);
      this.#fit();
    }
    return exceeds ? { value, threshold } : undefined;
  }

  #follow(value: number): void {
    const { depth } = this.#options;
    if (depth === 0) return;
    this.#recent[this.#taken % depth] = value;
    this.#taken += 1;
    // Added up anew and not carried on: no error of rounding gathers over the years.
    this.#sum = 0;
    for (const each of this.#recent) this.#sum += each;
  }

  #warmUp(early: Float64Array, over: number): void {
    early[this.#seen] = over;
    this.#seen += 1;
    if (this.#seen < early.length) return;
    const sorted = early.slice().sort();
    this.#base = sorted[Math.floor(this.#options.level * sorted.length)] as number;
    for (const each of early) if (each > this.#base) this.#keep(each);
    this.#early = undefined;
    this.#fit();
  }

  #keep(over: number): void {
    this.#peaks[this.#peakCount % this.#peaks.length] = over - this.#base;
    this.#peakCount += 1;
  }

  #fit(): void {
    if (this.#peakCount < LEAST_PEAKS) return;
    const peaks = this.#peaks.subarray(0, Math.min(this.#peakCount, this.#peaks.length));
    const { shape, scale } = fitPareto(peaks);
    const beyond = (risk: number): number => {
      const part = (risk * this.#seen) / this.#peakCount;
      const steps = Math.abs(shape) < 1e-9 ? -Math.log(part) : (part ** -shape - 1) / shape;
      return this.#base + scale * steps;
    };
    this.#bound = beyond(this.#options.risk);
    this.#cut = beyond(this.#options.risk / CUT);
  }
}

/** Points of the profile likelihood that the mean is taken over, beside the root of the number of peaks (Zhang & Stephens 2009). */
const GRID = 20;

/**
 * Shape ξ and scale σ of the generalised Pareto distribution of some positive numbers, Zhang & Stephens' estimate. With
 * θ = −ξ/σ the likelihood has one free number: ξ is the mean of ln(1 − θ·y).
 */
export function fitPareto(excesses: Float64Array): { shape: number; scale: number } {
  const sorted = excesses.slice().sort();
  const count = sorted.length;
  const largest = sorted[count - 1] as number;
  const quarter = sorted[Math.max(0, Math.floor(count / 4 + 0.5) - 1)] as number;
  const shapeAt = (theta: number): number => {
    let sum = 0;
    for (const each of sorted) sum += Math.log1p(-theta * each);
    return sum / count;
  };
  const points = GRID + Math.floor(Math.sqrt(count));
  const thetas: number[] = [];
  const likelihoods: number[] = [];
  for (let point = 1; point <= points; point += 1) {
    const theta = 1 / largest + (1 - Math.sqrt(points / (point - 0.5))) / (3 * quarter);
    const shape = shapeAt(theta);
    // At 0 the distribution is exponential, and the ratio its limit, one over the mean: no grid point falls there but by accident.
    if (theta === 0 || !Number.isFinite(shape)) continue;
    thetas.push(theta);
    likelihoods.push(count * (Math.log(-theta / shape) - shape - 1));
  }
  const most = Math.max(...likelihoods);
  let weights = 0;
  let theta = 0;
  for (const [index, each] of thetas.entries()) {
    const weight = Math.exp((likelihoods[index] as number) - most);
    weights += weight;
    theta += weight * each;
  }
  theta /= weights;
  const shape = shapeAt(theta);
  return { shape, scale: -shape / theta };
}
