import { focusChange, focusStatistic, resetFocus, thresholdFor, updateFocus } from "#core/focus.ts";
import { HOUR_MS, MINUTE_MS } from "#core/metrics.ts";

/**
 * Change points of a hashrate, an account's or a worker's. With the baseline H0 (hashes per millisecond), the factor f
 * of the hour in the account's daily profile and accepted work W a share, a gap of Δt is H0·f·Δt/W of operational time,
 * and shares are a unit Poisson process on it whatever vardiff does.
 *
 * Many connections share one account, each at its own difficulty, and a new one begins low: the next share's W says
 * nothing of what the others were about to do. So work is counted in units of U, known before the share is: it makes W/U
 * events where H0·f·Δt/U were expected, a martingale whatever the mixture. U is the contraharmonic mean of the last shares'
 * work, at which the variance of such a sum is its mean as a Poisson count's is; where all difficulties are one it is W.
 *
 * Real miners scatter more than Poisson (restarts, churn of machines): counts are taken for gamma-Poisson, their variance
 * φ times their mean, and a log-likelihood ratio is divided by φ (quasi-likelihood: Wedderburn, Biometrika 1974). φ is
 * learned from the squared residuals of whole hours.
 */

/** Shares and time a baseline is learned from before anything is tested against it. */
const LEARN_SHARES = 60;
const LEARN_MS = 2 * HOUR_MS;
/** A change smaller than this (log2 of the ratio) is drift and not news: the baseline follows it silently. */
const LEAST_LOG2 = 0.4;
/** Alarm threshold in nats, by simulation: one false alarm in 10^6 shares (focus.ts). */
export const THRESHOLD = thresholdFor(1e6);
/** φ of what is not known yet, its bounds, and the hours it forgets with. */
const DISPERSION = { first: 2, least: 1, most: 50, hours: 168 };
/** No hour's squared residual counts for more: an outage is a change and no scatter. */
const MOST_RESIDUAL = 50;
/** A rate below this part of the baseline is silence: the baseline is kept for the return. */
const SILENCE = 0.02;
/** Shares whose work the unit is a mean of. */
const UNIT_SHARES = 128;
/** No share counts for more events than this: a difficulty raised a hundredfold is no hundred shares. */
const MOST_EVENTS = 4;
/** Size of a change to silence or back from it, as log2: the floor, not a measurement. */
export const SILENCE_LOG2 = -Math.log2(SILENCE);
/**
 * The baseline forgets with this time constant once it is learned. It stays where it is while the account is flagged:
 * what was flagged is not learned. A step that the detector tells is the new level all the same, or it would tell the
 * same step with every share.
 */
const BASELINE_MS = 48 * HOUR_MS;

// Layout of a baseline.
/** Hashes per millisecond; 0 while it is being learned. */
const RATE = 0;
/** While the rate is being learned the sum of work, and of its square; then their means over the last shares. */
const WORK = 1;
const SHARES = 2;
const FROM_MS = 3;
/** 1 while it is silent after a change to nothing. */
const SILENT = 4;
/** Instant up to which operational time was given to the detector. */
const CLOCK_MS = 5;
/** φ; 0 while the rate is being learned. */
const SCATTER = 6;
/** The running hour (since the epoch), its shares, and how many were expected. */
const HOUR = 7;
const HOUR_SHARES = 8;
const HOUR_EXPECTED = 9;
const SQUARES = 10;
/** Cells of a baseline. */
export const BASELINE_CELLS = 11;

/** Where one detector's numbers stand, and what it must know beside them. Callers fill one anew and reuse it: hot path. */
export interface RateDetector {
  cells: Float64Array;
  /** The first of its `BASELINE_CELLS`. */
  baseline: number;
  /** The first of its `FOCUS_CELLS`. */
  focus: number;
  /** When it was first seen: no change began before. */
  firstMs: number;
  /** Log-likelihood ratio of the last change, nats: a return tells that of the silence it ends. */
  lastNats: number;
  /** Of a flagged account: the baseline stays. */
  held: boolean;
  /** Work expected in this hour of the day over the mean (daily-profile.ts). */
  factor: number;
}

/** A detector to be filled in. */
export const emptyDetector = (): RateDetector => ({
  cells: new Float64Array(0),
  baseline: 0,
  focus: 0,
  firstMs: 0,
  lastNats: 0,
  held: false,
  factor: 1,
});

/** A change point: when it began, log2 of new over old rate, and its log-likelihood ratio in nats. */
export interface Change {
  atMs: number;
  log2Ratio: number;
  logLikelihoodRatio: number;
}

/** Gives an accepted share of `work` hashes to a detector. Returns the change it reveals, if any. */
export function rateByShare(detector: RateDetector, work: number, atMs: number): Change | undefined {
  const { cells, baseline: at, factor } = detector;
  const rate = cells[at + RATE] as number;
  if (rate === 0) {
    learn(detector, work, atMs);
    return undefined;
  }
  const elapsed = atMs - (cells[at + CLOCK_MS] as number);
  if (cells[at + SILENT] === 1) return comeBack(detector, atMs);
  const unit = Math.max(unitOf(cells, at), work / MOST_EVENTS);
  pass(detector, work / unit, elapsed > 0 ? (rate * factor * elapsed) / unit : 0, atMs);
  if (elapsed > 0) {
    cells[at + CLOCK_MS] = atMs;
    const keep = detector.held ? 1 : Math.exp((-factor * elapsed) / BASELINE_MS);
    cells[at + RATE] = rate * keep + (work / (factor * elapsed)) * (1 - keep);
  }
  (cells[at + WORK] as number) += (work - (cells[at + WORK] as number)) / UNIT_SHARES;
  (cells[at + SQUARES] as number) += (work * work - (cells[at + SQUARES] as number)) / UNIT_SHARES;
  return alarm(detector, atMs);
}

/** Work that counts as one event: the contraharmonic mean of the last shares'. */
const unitOf = (cells: Float64Array, at: number): number =>
  (cells[at + SQUARES] as number) / (cells[at + WORK] as number);

/** Gives shares and operational time to the detector, and to the running hour, of which φ learns when it has passed. */
function pass(
  { cells, baseline: at, focus, held }: RateDetector,
  shares: number,
  operationalTime: number,
  atMs: number,
): void {
  updateFocus(cells, focus, shares, operationalTime);
  const hour = Math.floor(atMs / HOUR_MS);
  const expected = cells[at + HOUR_EXPECTED] as number;
  if (hour > (cells[at + HOUR] as number)) {
    if (expected > 0 && !held) {
      const residual = ((cells[at + HOUR_SHARES] as number) - expected) ** 2 / expected;
      const scatter = cells[at + SCATTER] as number;
      cells[at + SCATTER] = scatter + (Math.min(MOST_RESIDUAL, residual) - scatter) / DISPERSION.hours;
    }
    cells[at + HOUR] = hour;
    cells[at + HOUR_SHARES] = shares;
    cells[at + HOUR_EXPECTED] = operationalTime;
    return;
  }
  cells[at + HOUR_EXPECTED] = expected + operationalTime;
  (cells[at + HOUR_SHARES] as number) += shares;
}

/** Whether time alone can tell the detector of a baseline anything at `atMs`: it has learned, is not silent, and a minute has passed. */
export function ticks(cells: Float64Array, baseline: number, atMs: number): boolean {
  const waits = cells[baseline + RATE] === 0 || isSilent(cells, baseline);
  return !waits && atMs - (cells[baseline + CLOCK_MS] as number) >= MINUTE_MS;
}

/** Whether a detector waits for a return: what the last change told is only asked for then. */
export function isSilent(cells: Float64Array, baseline: number): boolean {
  return cells[baseline + SILENT] === 1;
}

/** Gives time without a share to a detector that `ticks`: silence is evidence. */
export function rateByTick(detector: RateDetector, atMs: number): Change | undefined {
  const { cells, baseline: at, factor } = detector;
  const rate = cells[at + RATE] as number;
  const elapsed = atMs - (cells[at + CLOCK_MS] as number);
  pass(detector, 0, (rate * factor * elapsed) / unitOf(cells, at), atMs);
  cells[at + CLOCK_MS] = atMs;
  if (!detector.held) cells[at + RATE] = rate * Math.exp((-factor * elapsed) / BASELINE_MS);
  return alarm(detector, atMs);
}

function learn({ cells, baseline: at, focus }: RateDetector, work: number, atMs: number): void {
  if (cells[at + SHARES] === 0) cells[at + FROM_MS] = atMs;
  else {
    (cells[at + WORK] as number) += work;
    (cells[at + SQUARES] as number) += work * work;
  }
  const shares = (cells[at + SHARES] as number) + 1;
  cells[at + SHARES] = shares;
  const elapsed = atMs - (cells[at + FROM_MS] as number);
  if (shares < LEARN_SHARES || elapsed < LEARN_MS) return;
  cells[at + RATE] = (cells[at + WORK] as number) / elapsed;
  (cells[at + WORK] as number) /= shares - 1;
  (cells[at + SQUARES] as number) /= shares - 1;
  cells[at + CLOCK_MS] = atMs;
  cells[at + SCATTER] = DISPERSION.first;
  begin(cells, at, focus);
}

/** Starts the detector and the running hour afresh: what was told as a change is no scatter. */
function begin(cells: Float64Array, at: number, focus: number): void {
  resetFocus(cells, focus);
  cells[at + HOUR_SHARES] = 0;
  cells[at + HOUR_EXPECTED] = 0;
}

function comeBack({ cells, baseline: at, focus, lastNats }: RateDetector, atMs: number): Change {
  cells[at + SILENT] = 0;
  cells[at + CLOCK_MS] = atMs;
  begin(cells, at, focus);
  return { atMs, log2Ratio: SILENCE_LOG2, logLikelihoodRatio: lastNats };
}

function alarm(detector: RateDetector, atMs: number): Change | undefined {
  const { cells, baseline: at, focus, factor } = detector;
  const scatter = Math.min(DISPERSION.most, Math.max(DISPERSION.least, cells[at + SCATTER] as number));
  if (focusStatistic(cells, focus) < THRESHOLD * scatter) return undefined;
  const { ratio, logLikelihoodRatio, operationalTime } = focusChange(cells, focus);
  const rate = cells[at + RATE] as number;
  const sinceMs = (operationalTime * unitOf(cells, at)) / (rate * factor);
  begin(cells, at, focus);
  const log2Ratio = Math.max(-12, Math.min(12, Math.log2(Math.max(ratio, SILENCE))));
  const news = Math.abs(log2Ratio) >= LEAST_LOG2;
  if (ratio <= SILENCE) cells[at + SILENT] = 1;
  else if (news || !detector.held) cells[at + RATE] = rate * ratio;
  if (!news) return undefined;
  return {
    atMs: Math.max(atMs - sinceMs, detector.firstMs),
    log2Ratio,
    logLikelihoodRatio: logLikelihoodRatio / scatter,
  };
}
