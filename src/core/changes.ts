import type { AccountState } from "#core/account-state.ts";
import { CELL, CHANGES } from "#core/cells.ts";
import { isFlagged } from "#core/flagged.ts";
import { focusChange, focusStatistic, resetFocus, thresholdFor, updateFocus } from "#core/focus.ts";
import { HOUR_MS, MINUTE_MS } from "#core/metrics.ts";

/**
 * Change points of an account's hashrate. With the baseline H0 (hashes per millisecond) and accepted work W a share,
 * a gap of Δt is H0·Δt/W of operational time, and shares are a unit Poisson process on it whatever vardiff does.
 */

/** Shares and time a baseline is learned from before anything is tested against it. */
const LEARN_SHARES = 60;
const LEARN_MS = 2 * HOUR_MS;
/** A change smaller than this (log2 of the ratio) is drift and not news: the baseline follows it silently. */
const LEAST_LOG2 = 0.4;
/**
 * Alarm threshold in nats. Real accounts are over-dispersed (restarts, churn of machines), so it stands above the
 * threshold for one false alarm in 10^6 shares of a pure Poisson process.
 */
const THRESHOLD = thresholdFor(1e6) + 4;
/** A rate below this part of the baseline is silence: the baseline is kept for the return. */
const SILENCE = 0.02;
/** Size of a change to silence or back from it, as log2: the floor, not a measurement. */
export const SILENCE_LOG2 = -Math.log2(SILENCE);
/**
 * The baseline forgets with this time constant once it is learned. It stays where it is while the account is flagged:
 * what was flagged is not learned. A step that the detector tells is the new level all the same, or it would tell the
 * same step with every share.
 */
const BASELINE_MS = 48 * HOUR_MS;

/** A change point: when it began, log2 of new over old rate, and its log-likelihood ratio in nats. */
export interface Change {
  atMs: number;
  log2Ratio: number;
  logLikelihoodRatio: number;
}

/** Gives an accepted share of `work` hashes to the detector. Returns the change it reveals, if any. */
export function changeByShare(state: AccountState, work: number, atMs: number): Change | undefined {
  const { doubles, at } = state.place;
  const rate = doubles[at + CELL.baseRate] as number;
  if (rate === 0) {
    learn(state, work, atMs);
    return undefined;
  }
  const elapsed = atMs - (doubles[at + CELL.clockMs] as number);
  if (doubles[at + CELL.silent] === 1) return comeBack(state, atMs);
  updateFocus(doubles, at + CELL.focus, 1, elapsed > 0 ? (rate * elapsed) / work : 0);
  if (elapsed > 0) {
    doubles[at + CELL.clockMs] = atMs;
    const keep = isFlagged(state) ? 1 : Math.exp(-elapsed / BASELINE_MS);
    doubles[at + CELL.baseRate] = rate * keep + (work / elapsed) * (1 - keep);
  }
  doubles[at + CELL.baseWork] = work;
  return alarm(state, atMs);
}

/** Gives time without a share to the detector: silence is evidence. Call about once a minute of event time. */
export function changeByTick(state: AccountState, atMs: number): Change | undefined {
  const { doubles, at } = state.place;
  const rate = doubles[at + CELL.baseRate] as number;
  const elapsed = atMs - (doubles[at + CELL.clockMs] as number);
  if (rate === 0 || doubles[at + CELL.silent] === 1 || elapsed < MINUTE_MS) return undefined;
  updateFocus(doubles, at + CELL.focus, 0, (rate * elapsed) / (doubles[at + CELL.baseWork] as number));
  doubles[at + CELL.clockMs] = atMs;
  if (!isFlagged(state)) doubles[at + CELL.baseRate] = rate * Math.exp(-elapsed / BASELINE_MS);
  state.dirty = true;
  return alarm(state, atMs);
}

function learn(state: AccountState, work: number, atMs: number): void {
  const { doubles, at } = state.place;
  if (doubles[at + CELL.baseShares] === 0) doubles[at + CELL.baseFromMs] = atMs;
  else (doubles[at + CELL.baseWork] as number) += work;
  const shares = (doubles[at + CELL.baseShares] as number) + 1;
  doubles[at + CELL.baseShares] = shares;
  const elapsed = atMs - (doubles[at + CELL.baseFromMs] as number);
  if (shares < LEARN_SHARES || elapsed < LEARN_MS) return;
  doubles[at + CELL.baseRate] = (doubles[at + CELL.baseWork] as number) / elapsed;
  doubles[at + CELL.baseWork] = work;
  doubles[at + CELL.clockMs] = atMs;
  resetFocus(doubles, at + CELL.focus);
}

function comeBack(state: AccountState, atMs: number): Change {
  const { doubles, at } = state.place;
  doubles[at + CELL.silent] = 0;
  doubles[at + CELL.clockMs] = atMs;
  resetFocus(doubles, at + CELL.focus);
  const last = lastChange(state);
  return remember(state, {
    atMs,
    log2Ratio: SILENCE_LOG2,
    logLikelihoodRatio: last?.logLikelihoodRatio ?? THRESHOLD,
  });
}

function alarm(state: AccountState, atMs: number): Change | undefined {
  const { doubles, at } = state.place;
  if (focusStatistic(doubles, at + CELL.focus) < THRESHOLD) return undefined;
  const { ratio, logLikelihoodRatio, operationalTime } = focusChange(doubles, at + CELL.focus);
  const rate = doubles[at + CELL.baseRate] as number;
  const sinceMs = (operationalTime * (doubles[at + CELL.baseWork] as number)) / rate;
  resetFocus(doubles, at + CELL.focus);
  const log2Ratio = Math.max(-12, Math.min(12, Math.log2(Math.max(ratio, SILENCE))));
  const news = Math.abs(log2Ratio) >= LEAST_LOG2;
  if (ratio <= SILENCE) doubles[at + CELL.silent] = 1;
  else if (news || !isFlagged(state)) doubles[at + CELL.baseRate] = rate * ratio;
  if (!news) return undefined;
  const startMs = Math.max(atMs - sinceMs, doubles[at + CELL.firstMs] as number);
  return remember(state, { atMs: startMs, log2Ratio, logLikelihoodRatio });
}

function remember(state: AccountState, change: Change): Change {
  const { doubles, at } = state.place;
  const count = doubles[at + CELL.changeCount] as number;
  const slot = at + CELL.changes + 3 * (count % CHANGES);
  doubles[slot] = change.atMs;
  doubles[slot + 1] = change.log2Ratio;
  doubles[slot + 2] = change.logLikelihoodRatio;
  doubles[at + CELL.changeCount] = count + 1;
  (doubles[at + (change.log2Ratio > 0 ? CELL.weekUp : CELL.weekDown)] as number) += 1;
  return change;
}

function lastChange(state: AccountState): Change | undefined {
  return changesOf(state).at(-1);
}

/** Whether any change point is remembered: most accounts have none. */
export function hasChanges({ place: { doubles, at } }: AccountState): boolean {
  return (doubles[at + CELL.changeCount] as number) > 0;
}

/** The remembered change points, oldest first. */
export function changesOf(state: AccountState): Change[] {
  const { doubles, at } = state.place;
  const count = doubles[at + CELL.changeCount] as number;
  const changes: Change[] = [];
  for (let index = Math.max(0, count - CHANGES); index < count; index += 1) {
    const slot = at + CELL.changes + 3 * (index % CHANGES);
    changes.push({
      atMs: doubles[slot] as number,
      log2Ratio: doubles[slot + 1] as number,
      logLikelihoodRatio: doubles[slot + 2] as number,
    });
  }
  return changes;
}
