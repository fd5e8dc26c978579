import { exponential, type Random } from "#core/random.ts";
import type { RateDetector } from "./rate-detectors.ts";

/** How long a detector runs on a process that never changes, in shares. */
export interface RunLength {
  mean: number;
  /** Of the mean; runs to a false alarm are close to exponential, so about mean/√runs. */
  standardError: number;
}

/**
 * Mean time to a false alarm at `threshold`, from `runs` simulated runs. The statistic is read just before every share
 * too, where a fall in rate speaks loudest: the limit of a timer that ticks without end, so a real timer alarms less.
 */
export function falseAlarmRunLength(
  detector: RateDetector,
  threshold: number,
  runs: number,
  random: Random,
): RunLength {
  let sum = 0;
  let squares = 0;
  for (let run = 0; run < runs; run += 1) {
    detector.reset();
    let shares = 0;
    for (;;) {
      detector.advance(exponential(random));
      if (detector.statistic() >= threshold) break;
      detector.share();
      shares += 1;
      if (detector.statistic() >= threshold) break;
    }
    sum += shares;
    squares += shares * shares;
  }
  const mean = sum / runs;
  return { mean, standardError: Math.sqrt((squares / runs - mean * mean) / runs) };
}

/**
 * The threshold at which the mean time to a false alarm is `gammaShares`. Times to a false alarm are close to
 * exponential, so in `gammaShares` shares a detector at that threshold stays quiet with probability 1/e: it is that
 * quantile of the highest statistic of `runs` runs.
 */
export function calibrateThreshold(
  detector: RateDetector,
  gammaShares: number,
  runs: number,
  random: Random,
): number {
  const highest = Float64Array.from({ length: runs }, () => {
    detector.reset();
    let high = 0;
    for (let shares = 0; shares < gammaShares; shares += 1) {
      detector.advance(exponential(random));
      high = Math.max(high, detector.statistic());
      detector.share();
      high = Math.max(high, detector.statistic());
    }
    return high;
  });
  return highest.sort()[Math.floor(runs / Math.E)]!;
}

/** How a delay is measured. */
export interface DelayOptions {
  /** Rate after the change over the rate before. */
  ratio: number;
  threshold: number;
  /** Shares before the change; a run that alarms in them is started again. */
  warmUpShares: number;
  /** Operational time between two ticks of the timer. */
  tick: number;
  /** A run is cut off here, in operational time: its delay is a lower limit. */
  limit: number;
}

/** Operational time from a change to its alarm, ticks included: one simulated run. */
export function detectionDelay(detector: RateDetector, options: DelayOptions, random: Random): number {
  const { ratio, threshold, warmUpShares, tick, limit } = options;
  for (let shares = 0; shares < warmUpShares; shares += 1) {
    if (shares === 0) detector.reset();
    detector.advance(exponential(random));
    detector.share();
    if (detector.statistic() >= threshold) shares = -1;
  }
  let elapsed = 0;
  while (elapsed < limit) {
    let gap = ratio === 0 ? Number.POSITIVE_INFINITY : exponential(random) / ratio;
    for (; gap > tick && elapsed < limit; gap -= tick) {
      detector.advance(tick);
      elapsed += tick;
      if (detector.statistic() >= threshold) return elapsed;
    }
    if (elapsed >= limit) break;
    detector.advance(gap);
    detector.share();
    elapsed += gap;
    if (detector.statistic() >= threshold) return elapsed;
  }
  return limit;
}
