import type { AccountState } from "#core/account-state.ts";
import { CELL, HOURS, WHOLE_HOURS, WORD } from "#core/cells.ts";
import { changesOf, hasChanges } from "#core/changes.ts";
import { HOUR_MS } from "#core/metrics.ts";
import type { Change } from "#core/rate-changes.ts";

/** How two linked accounts stand to each other; of several partners the strongest sign counts. */
export interface PairSigns {
  /** 0..1: closeness of the pair's work to a steady 80:20 to 90:10; see `discountSplit`. */
  split: number;
  /** Partners with enough common work to tell a split from. */
  compared: number;
  /** Standard errors by which the hourly rates of the pair move together, or against each other (Fisher's z). */
  together: number;
  /** Change points within ten minutes of the partner's. */
  coincidence: number;
}

export const NO_SIGNS: PairSigns = { split: 0, compared: 0, together: 0, coincidence: 0 };

const COINCIDENCE_MS = 10 * 60_000;
/** Hours and days with work of both that a split is told from. */
const LEAST_HOURS = 12;
const LEAST_DAYS = 3;
/** Hours that a correlation is told from. */
const LEAST_TOGETHER = 24;

/** Compares two linked accounts over the week's hours and raises what `into` holds, and the other's signs where asked. */
export function comparePair(
  one: AccountState,
  other: AccountState,
  into: PairSigns,
  intoOther?: PairSigns,
): void {
  const together = compareHours(one, other);
  const split = Math.max(closeness(hours, LEAST_HOURS), closeness(days, LEAST_DAYS));
  const compared = hours.count >= LEAST_HOURS || days.count >= LEAST_DAYS ? 1 : 0;
  for (const signs of intoOther ? [into, intoOther] : [into]) {
    signs.split = Math.max(signs.split, split);
    signs.compared += compared;
    signs.together = Math.max(signs.together, together);
  }
  if (!hasChanges(one) || !hasChanges(other)) return;
  const [mine, theirs] = [changesOf(one), changesOf(other)];
  into.coincidence += coincidences(theirs, mine);
  if (intoOther) intoOther.coincidence += coincidences(mine, theirs);
}

/**
 * Each partner compared is a try: among n of them n times as many splits stand by chance. If of those found with one
 * partner half are real, of those found with n it is 1/(1 + n): the factor is the ratio of the two. Applied once, after
 * the last comparison.
 */
export function discountSplit(signs: PairSigns): void {
  signs.split *= 2 / (1 + Math.max(1, signs.compared));
}

/** How many of one account's changes fell together with any of another's. */
function coincidences(changes: readonly Change[], others: readonly Change[]): number {
  return changes.filter(({ atMs }) => others.some((other) => Math.abs(other.atMs - atMs) <= COINCIDENCE_MS))
    .length;
}

/** Shares of the first account in the pair's work: how many, their sum and the sum of their squares. */
interface Parts {
  count: number;
  sum: number;
  squares: number;
}

/** Sums over the hours and the days with work of both; filled anew for each pair: hot path. */
const hours: Parts = { count: 0, sum: 0, squares: 0 };
const days: Parts = { count: 0, sum: 0, squares: 0 };

/** Fills `hours` and `days`; answers by how many standard errors the two series move together. */
function compareHours(one: AccountState, other: AccountState): number {
  const [mineAt, theirsAt] = [one.place.at, other.place.at];
  const [mineOf, theirsOf] = [one.place.doubles, other.place.doubles];
  const newest = Math.min(mineOf[mineAt + CELL.hour] as number, theirsOf[theirsAt + CELL.hour] as number) - 1;
  const first =
    Math.floor(
      Math.max(mineOf[mineAt + CELL.firstMs] as number, theirsOf[theirsAt + CELL.firstMs] as number) /
        HOUR_MS,
    ) + 1;
  const known = Math.min(WHOLE_HOURS, newest - first + 1);
  clear(hours);
  clear(days);
  const [mineFloats, theirsFloats] = [one.place.floats, other.place.floats];
  const mineFirst = one.place.wordAt + WORD.hourWork;
  const theirsFirst = other.place.wordAt + WORD.hourWork;
  let [sumMine, sumTheirs, squareMine, squareTheirs, product] = [0, 0, 0, 0, 0];
  let [dayMine, dayTheirs, dayHours] = [0, 0, 0];
  let slot = newest % HOURS;
  for (let back = 0; back < known; back += 1) {
    const mine = mineFloats[mineFirst + slot] as number;
    const theirs = theirsFloats[theirsFirst + slot] as number;
    slot = slot === 0 ? HOURS - 1 : slot - 1;
    if (mine > 0 && theirs > 0) addPart(hours, mine / (mine + theirs));
    sumMine += mine;
    sumTheirs += theirs;
    squareMine += mine * mine;
    squareTheirs += theirs * theirs;
    product += mine * theirs;
    dayMine += mine;
    dayTheirs += theirs;
    dayHours += 1;
    if (dayHours < 24) continue;
    // Who splits by time works for one and then for the other: only the day holds both.
    if (dayMine > 0 && dayTheirs > 0) addPart(days, dayMine / (dayMine + dayTheirs));
    dayMine = 0;
    dayTheirs = 0;
    dayHours = 0;
  }
  return fisher(known, [sumMine, sumTheirs], [squareMine, squareTheirs], product);
}

function clear(parts: Parts): void {
  parts.count = 0;
  parts.sum = 0;
  parts.squares = 0;
}

function addPart(parts: Parts, share: number): void {
  parts.count += 1;
  parts.sum += share;
  parts.squares += share * share;
}

/** 1 where the larger of two accounts does a steady 80 to 90 % of their common work; 0 far from it. */
function closeness({ count, sum, squares }: Parts, least: number): number {
  if (count < least) return 0;
  const mean = sum / count;
  const spread = Math.sqrt(Math.max(0, squares / count - mean * mean));
  const larger = Math.max(mean, 1 - mean);
  const outside = larger < 0.8 ? 0.8 - larger : larger > 0.9 ? larger - 0.9 : 0;
  return Math.max(0, 1 - outside / 0.05) * Math.max(0, 1 - spread / 0.15);
}

/** |atanh r|·√(n − 3): the correlation of two series in standard errors; 0 where it cannot be told. */
function fisher(count: number, sum: number[], square: number[], product: number): number {
  if (count < LEAST_TOGETHER) return 0;
  const [a = 0, b = 0] = sum.map((one) => one / count);
  const varianceOne = (square[0] as number) / count - a * a;
  const varianceOther = (square[1] as number) / count - b * b;
  if (!(varianceOne > 1e-9 * a * a && varianceOther > 1e-9 * b * b)) return 0;
  const r = Math.abs(product / count - a * b) / Math.sqrt(varianceOne * varianceOther);
  return Math.atanh(Math.min(0.999, r)) * Math.sqrt(count - 3);
}
