/**
 * Change of rate in a Poisson process, online and exact: Poisson-FOCuS (Ward, Dilillo, Eckley & Fearnhead, JASA 2023,
 * arXiv 2208.01494), in both directions, on operational time (expected shares under the baseline).
 *
 * A window that starts at share τ and holds N events in operational time E has, for a rate ρ times the baseline, the
 * log-likelihood ratio N·ln ρ − E·(ρ − 1), at most N·ln(N/E) − N + E. The statistic is its maximum over every start
 * and every ρ. Only starts on the convex hull of the path (E, N) can reach it, so a start that left the hull never
 * comes back: about ln(n) of them are kept, and a share costs constant work on average.
 *
 * A detector is a slice of the caller's Float64Array, so that a million of them are one block of memory. Hot path:
 * nothing here allocates, except `focusChange`.
 */

/**
 * Starts kept a direction. On 10⁷ shares of a stationary process about 8 are alive and 25 at most; with room for 20 the
 * statistic differs from the unbounded one in 1 reading of 90, by .07 at most (with 16: 1 of 13, by 1.0). A baseline
 * that bends for days keeps more. At the cap the start that the statistic misses least makes room, see `makeRoom`.
 */
const CAPACITY = 20;

// Layout of one detector: a header, then two runs of (operational time, events) pairs, oldest start first.
const TIME = 0;
const EVENTS = 1;
const LAST_START_EVENTS = 2;
const UP_COUNT = 3;
const DOWN_COUNT = 4;
const UP = 5;
const DOWN = UP + 2 * CAPACITY;

/** Cells of the caller's array that one two-sided detector needs. */
export const FOCUS_CELLS = DOWN + 2 * CAPACITY;

/** Events or operational time that cannot be: not a number, negative, infinite, or a fraction of an event. */
export class FocusInputError extends RangeError {
  override name = "FocusInputError";
}

/** Starts the detector at `at` afresh; the next call of `updateFocus` measures its operational time from here. */
export function resetFocus(cells: Float64Array, at: number): void {
  cells.fill(0, at, at + FOCUS_CELLS);
  cells[at + LAST_START_EVENTS] = -1;
}

/**
 * Adds `events` (0 for a timer tick, 1 for a share; parts where shares of many difficulties are counted in one unit)
 * that ended `operationalTime` = H₀·Δt/(D·2³²) expected shares since the last call. Constant work on average. Throws FocusInputError and changes nothing when either cannot be.
 *
 * Starts are the instants of shares and of the reset. A start at a tick could fall as close before a share as the timer
 * likes, and its ratio would have no bound; for a fall in rate the share before it is the better start anyway. Shares
 * with one time stamp (an operational time of 0) count as one instant: read the statistic after the last of them.
 */
export function updateFocus(cells: Float64Array, at: number, events: number, operationalTime: number): void {
  if (!(operationalTime >= 0 && operationalTime < Number.POSITIVE_INFINITY)) {
    throw new FocusInputError(`operational time must be finite and not negative, got ${operationalTime}`);
  }
  if (!(events >= 0 && events < Number.POSITIVE_INFINITY)) {
    throw new FocusInputError(`events must be finite and not negative, got ${events}`);
  }
  const time = cells[at + TIME]!;
  const before = cells[at + EVENTS]!;
  const now = time + operationalTime;
  // The last instant becomes a start only when time moves on, so that no window has an operational time of 0.
  if (now > time && before !== cells[at + LAST_START_EVENTS]) {
    addStart(cells, at + UP_COUNT, at + UP, time, before, 1);
    addStart(cells, at + DOWN_COUNT, at + DOWN, time, before, -1);
    cells[at + LAST_START_EVENTS] = before;
  }
  cells[at + TIME] = now;
  cells[at + EVENTS] = before + events;
}

/**
 * Puts a start on the hull of one direction (1: lower hull, slopes rising from 1; −1: upper hull, slopes falling from 1)
 * and drops those that can never again be the best one.
 */
function addStart(
  cells: Float64Array,
  counter: number,
  first: number,
  time: number,
  events: number,
  direction: 1 | -1,
): void {
  let count = cells[counter]!;
  while (count > 0) {
    const last = first + 2 * (count - 1);
    const gained = events - cells[last + 1]!;
    const elapsed = time - cells[last]!;
    // Since the last start the rate has not moved in this direction: starting now is at least as good for ever.
    let useless = direction * (gained - elapsed) <= 0;
    if (!useless && count > 1) {
      const gainedBefore = cells[last + 1]! - cells[last - 1]!;
      const elapsedBefore = cells[last]! - cells[last - 2]!;
      useless = direction * (gainedBefore * elapsed - gained * elapsedBefore) >= 0;
    }
    if (!useless) break;
    count -= 1;
  }
  if (count === CAPACITY) count = makeRoom(cells, first);
  cells[first + 2 * count] = time;
  cells[first + 2 * count + 1] = events;
  cells[counter] = count + 1;
}

/**
 * Drops the inner start that costs the statistic least. Without it a neighbour stands in, and the maximum falls by at
 * most |ln ρ| times its distance from the chord of its neighbours, where ρ is the rate at which both neighbours are
 * equal; to first order |ln ρ| = 2·|ln s| for a chord of slope s. The oldest start stays, so no slow change is forgotten.
 */
function makeRoom(cells: Float64Array, first: number): number {
  let victim = 1;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < CAPACITY - 1; index += 1) {
    const cell = first + 2 * index;
    const slope = (cells[cell + 3]! - cells[cell - 1]!) / (cells[cell + 2]! - cells[cell - 2]!);
    const chord = cells[cell - 1]! + slope * (cells[cell]! - cells[cell - 2]!);
    const loss = Math.abs(Math.log(slope) * (chord - cells[cell + 1]!));
    if (loss < least) {
      least = loss;
      victim = index;
    }
  }
  cells.copyWithin(first + 2 * victim, first + 2 * (victim + 1), first + 2 * CAPACITY);
  return CAPACITY - 1;
}

/** Best start of the last `scan`, as a cell, and what it reached: a result without allocation. */
let bestStart = -1;
let bestRatio = 0;

/** Looks through the starts of one direction for one that beats `bestRatio`. */
function scan(cells: Float64Array, at: number, count: number, first: number, direction: 1 | -1): void {
  const time = cells[at + TIME]!;
  const events = cells[at + EVENTS]!;
  for (let cell = first; cell < first + 2 * count; cell += 2) {
    const n = events - cells[cell + 1]!;
    const e = time - cells[cell]!;
    const excess = n - e;
    // ln x ≤ x − 1 gives the ratio's upper bound (n − e)²/e, which saves most logarithms.
    if (direction * excess <= 0 || excess * excess <= bestRatio * e) continue;
    const ratio = n === 0 ? e : n * Math.log(n / e) - excess;
    if (ratio > bestRatio) {
      bestRatio = ratio;
      bestStart = cell;
    }
  }
}

/** The largest log-likelihood ratio over both directions and every start; 0 where nothing speaks for a change. */
export function focusStatistic(cells: Float64Array, at: number): number {
  bestRatio = 0;
  bestStart = -1;
  scan(cells, at, cells[at + UP_COUNT]!, at + UP, 1);
  scan(cells, at, cells[at + DOWN_COUNT]!, at + DOWN, -1);
  return bestRatio;
}

/** A change of rate as its most likely start has it. */
export interface RateChange {
  /** 1: the rate rose, −1: it fell, 0: nothing speaks for a change. */
  direction: 1 | -1 | 0;
  /** Rate since the change over the baseline's; 1 where there is none. */
  ratio: number;
  logLikelihoodRatio: number;
  /** Events since the change. */
  events: number;
  /** Operational time since the change: the shares the baseline expects. */
  operationalTime: number;
}

/** The change that `focusStatistic` measures. */
export function focusChange(cells: Float64Array, at: number): RateChange {
  const logLikelihoodRatio = focusStatistic(cells, at);
  if (bestStart < 0) return { direction: 0, ratio: 1, logLikelihoodRatio, events: 0, operationalTime: 0 };
  const events = cells[at + EVENTS]! - cells[bestStart + 1]!;
  const operationalTime = cells[at + TIME]! - cells[bestStart]!;
  const direction = bestStart < at + DOWN ? 1 : -1;
  return { direction, ratio: events / operationalTime, logLikelihoodRatio, events, operationalTime };
}

/**
 * Mean shares to a false alarm for thresholds 2, 4, 6, …: 20,000 to 60 simulated runs each, standard errors .5 to 13 %,
 * the timer ticking without end. Made by `assay evaluate change --thresholds`.
 */
const FALSE_ALARM_SHARES = [4.04, 28.1, 168, 1026, 6423, 41747, 279506, 1.87e6];
const THRESHOLD_STEP = 2;

/**
 * Threshold on `focusStatistic` for a mean time between false alarms of `gammaShares` shares, 5 to 10¹². Linear in
 * ln γ between simulated thresholds and beyond the last of them, where the true curve bends the other way (its slope
 * grows towards 1): there false alarms are rarer than asked, never more frequent. Throws FocusInputError outside.
 */
export function thresholdFor(gammaShares: number): number {
  if (!(gammaShares >= 5 && gammaShares <= 1e12)) {
    throw new FocusInputError(`shares between false alarms must be 5 to 1e12, got ${gammaShares}`);
  }
  const above = FALSE_ALARM_SHARES.findIndex((shares) => shares > gammaShares);
  const upper = above < 0 ? FALSE_ALARM_SHARES.length - 1 : above;
  const low = Math.log(FALSE_ALARM_SHARES[upper - 1]!);
  const high = Math.log(FALSE_ALARM_SHARES[upper]!);
  return THRESHOLD_STEP * (upper + (Math.log(gammaShares) - low) / (high - low));
}
