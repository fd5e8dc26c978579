import { type AccountState, roll } from "#core/account-state.ts";
import { CELL, CHANGES } from "#core/cells.ts";
import { dailyFactor } from "#core/daily-profile.ts";
import { isFlagged } from "#core/flagged.ts";
import { HOUR_MS } from "#core/metrics.ts";
import {
  type Change,
  emptyDetector,
  isSilent,
  type RateDetector,
  rateByShare,
  rateByTick,
  THRESHOLD,
  ticks,
} from "#core/rate-changes.ts";

/** Change points of an account's hashrate: its detector stands in its cells, and the last changes are remembered there. */

/** The detector of the account at hand. Hot path: filled anew for each, never made anew. */
const own = emptyDetector();

function detectorOf(state: AccountState, atMs: number): RateDetector {
  const { doubles, at } = state.place;
  const hour = Math.floor(atMs / HOUR_MS);
  if (hour > (doubles[at + CELL.factorHour] as number)) {
    doubles[at + CELL.factorHour] = hour;
    doubles[at + CELL.factor] = dailyFactor(state, hour);
  }
  own.cells = doubles;
  own.baseline = at + CELL.baseline;
  own.focus = at + CELL.focus;
  own.firstMs = doubles[at + CELL.firstMs] as number;
  own.lastNats = isSilent(doubles, own.baseline) ? lastNats(state) : 0;
  own.held = isFlagged(state);
  own.factor = doubles[at + CELL.factor] as number;
  return own;
}

/** Gives an accepted share of `work` hashes to the detector. Returns the change it reveals, if any. */
export function changeByShare(state: AccountState, work: number, atMs: number): Change | undefined {
  const change = rateByShare(detectorOf(state, atMs), work, atMs);
  return change && remember(state, change);
}

/** Gives time without a share to the detector: silence is evidence. Call about once a minute of event time. */
export function changeByTick(state: AccountState, atMs: number): Change | undefined {
  const { doubles, at } = state.place;
  if (!ticks(doubles, at + CELL.baseline, atMs)) return undefined;
  roll(state, atMs);
  const change = rateByTick(detectorOf(state, atMs), atMs);
  state.dirty = true;
  return change && remember(state, change);
}

/** Work expected of the account in this hour of the day over its mean, as of its last share or tick. */
export function factorOf({ place: { doubles, at } }: AccountState): number {
  return (doubles[at + CELL.factor] as number) || 1;
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

function lastNats({ place: { doubles, at } }: AccountState): number {
  const count = doubles[at + CELL.changeCount] as number;
  return count === 0 ? THRESHOLD : (doubles[at + CELL.changes + 3 * ((count - 1) % CHANGES) + 2] as number);
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
