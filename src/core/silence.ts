import type { AccountState } from "#core/account-state.ts";
import { CELL, HOURS, WORD } from "#core/cells.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";

/** Mean work of the hours of the week that had any; 0 where none had. */
export function activeRate({ place: { floats, wordAt } }: AccountState): number {
  let active = 0;
  let sum = 0;
  for (let slot = 0; slot < HOURS; slot += 1) {
    const work = floats[wordAt + WORD.hourWork + slot] as number;
    if (work === 0) continue;
    active += 1;
    sum += work;
  }
  return active === 0 ? 0 : sum / active;
}

/** How an account worked in the hours of the week that had work. */
export interface Gait {
  /** Mean work of such an hour, and its standard deviation as a part of it; 0 where there was none. */
  rate: number;
  deviation: number;
  /** Such hours, and the shares in them. */
  hours: number;
  shares: number;
  /** Mean length of the pauses between them; 0 where there is none. */
  pauseHours: number;
}

/** The gait of the hours that are over; the running one is not among them. */
export function gaitOf({ place: { doubles, floats, at, wordAt } }: AccountState): Gait {
  const newest = doubles[at + CELL.hour] as number;
  let [hours, shares, sum, squares] = [0, 0, 0, 0];
  let [pauses, idle, running] = [0, 0, -1];
  for (let hour = Math.max(0, newest - HOURS + 1); hour <= newest; hour += 1) {
    const work = floats[wordAt + WORD.hourWork + (hour % HOURS)] as number;
    if (work === 0) {
      if (running >= 0) running += 1;
      continue;
    }
    hours += 1;
    shares += floats[wordAt + WORD.hourShares + (hour % HOURS)] as number;
    sum += work;
    squares += work * work;
    if (running > 0) {
      pauses += 1;
      idle += running;
    }
    running = 0;
  }
  const rate = hours === 0 ? 0 : sum / hours;
  const variance = hours === 0 ? 0 : Math.max(0, squares / hours - rate * rate);
  return {
    rate,
    deviation: rate === 0 ? 0 : Math.sqrt(variance) / rate,
    hours,
    shares,
    pauseHours: pauses === 0 ? 0 : idle / pauses,
  };
}

/** Notes, once, that an account has been silent for a day, while the ring still holds what was before. */
export function noteQuiet(state: AccountState, atMs: number): void {
  const { doubles, at } = state.place;
  const lastMs = doubles[at + CELL.lastShareMs] as number;
  if (lastMs === 0 || atMs - lastMs < DAY_MS || lastMs === doubles[at + CELL.quietFromMs]) return;
  doubles[at + CELL.quietFromMs] = lastMs;
  doubles[at + CELL.quietWork] = activeRate(state);
}

/**
 * Notes that work is back after a day or more. Call before the share is the last one. A late share, from before the
 * silence or from its first day, is no return. Hot path.
 */
export function noteReturn(state: AccountState, atMs: number): void {
  const { doubles, at } = state.place;
  const quietFromMs = doubles[at + CELL.quietFromMs] as number;
  if (quietFromMs === 0 || quietFromMs !== doubles[at + CELL.lastShareMs] || atMs - quietFromMs < DAY_MS)
    return;
  doubles[at + CELL.returnMs] = atMs;
  (doubles[at + CELL.quarterReturns] as number) += 1;
  doubles[at + CELL.silentHours] = (atMs - quietFromMs) / HOUR_MS;
  doubles[at + CELL.workBefore] = doubles[at + CELL.quietWork] as number;
}
