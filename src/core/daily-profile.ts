import type { AccountState } from "#core/account-state.ts";
import { CELL, HOURS, WORD } from "#core/cells.ts";
import { HOUR_MS } from "#core/metrics.ts";

/** Whole days of the hourly ring that a profile is told from: the running hour takes the seventh's place. */
const MOST_DAYS = HOURS / 24 - 1;
const LEAST_DAYS = 2;
/** No hour is expected to be quieter than this part of the mean: a share in it must not be infinitely surprising. */
const LEAST_FACTOR = 0.05;

/** By hour of the day, reused. */
const sums = new Float64Array(24);
const squares = new Float64Array(24);

/**
 * Work that an account does in this hour of the day, as a factor of its mean: 1 where no daily profile is to be seen.
 * Gamma-Poisson: the hour's factor is gamma-distributed around 1 among the hours of the day, its observed mean has the
 * noise of a few days, and what is expected is the posterior mean. Both variances are moments of the last two to six
 * whole days: that of the hours' means among the hours, and that of the days within an hour. Restarts and bursts,
 * which come on one day, count as noise and not as profile.
 */
export function dailyFactor(state: AccountState, hour: number): number {
  const { doubles, floats, at, wordAt } = state.place;
  const first = Math.floor((doubles[at + CELL.firstMs] as number) / HOUR_MS) + 1;
  const days = Math.min(MOST_DAYS, Math.floor((hour - first) / 24));
  if (days < LEAST_DAYS) return 1;
  sums.fill(0);
  squares.fill(0);
  let total = 0;
  for (let back = 1; back <= 24 * days; back += 1) {
    const work = floats[wordAt + WORD.hourWork + ((hour - back) % HOURS)] as number;
    const slot = back % 24;
    (sums[slot] as number) += work;
    (squares[slot] as number) += work * work;
    total += work;
  }
  if (total === 0) return 1;
  const mean = total / (24 * days);
  let among = 0;
  let within = 0;
  for (let slot = 0; slot < 24; slot += 1) {
    const own = (sums[slot] as number) / days;
    among += (own - mean) ** 2 / 23;
    within += ((squares[slot] as number) - own * own * days) / (days - 1) / 24;
  }
  const noise = within / days;
  const profile = among - noise;
  if (profile <= 0) return 1;
  // Hours lie 24 apart: the present one is slot 0.
  const own = (sums[0] as number) / days;
  return Math.max(LEAST_FACTOR, (own * profile + mean * noise) / (profile + noise) / mean);
}
