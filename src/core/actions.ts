import { type AccountState, mainCountry } from "#core/account-state.ts";
import { BITMAP, CELL, effectiveHours, KNOWN_WORDS, WORD } from "#core/cells.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";
import { hoursEvidence, isOfficeHour, PYONGYANG_OFFSET } from "#core/operator-hours.ts";
import { distinct, held, hold, holds, marked } from "#core/sketch.ts";
import { utcOffset } from "#core/time-zones.ts";

/**
 * What people do to an account: the name of a worker, or of a program, that was never seen before was set up by
 * somebody, and so was a program that takes another's place. The hours of these actions tell on whose clock that
 * somebody lives.
 */

/** Names that come within so long of an account's first share are its fleet coming online. */
const SETTLE_HOURS = 12;
/** A name is awaited so many times as long as the account takes to show one before what is new is news. */
const WAITS = 4;
/** Where a name is told by a share alone it comes late, by as long as a machine takes to a share: at most so long. */
const LATEST_HOURS = 4;

/**
 * Notes the name of a worker or a program, by its hash; true when it is new to the account. `login` says that it was
 * told as it was set up, by a login, and not by whatever share came first. Off the hot path: asked for what the day has
 * not seen.
 */
export function noteName(state: AccountState, hash: number, atMs: number, login: boolean): boolean {
  const { words, wordAt } = state.place;
  const known = wordAt + WORD.known;
  if (holds(words, known, KNOWN_WORDS, hash)) return false;
  const before = holds(words, wordAt + WORD.knownBefore, KNOWN_WORDS, hash);
  if (!before && isNews(state, atMs, login)) noteAction(state, atMs);
  hold(words, known, KNOWN_WORDS, hash);
  return !before;
}

/**
 * Notes that a program is back which was seen before, though not on the day before, when others were: somebody changed
 * what the machines mine with.
 */
export function noteReturningAgent(state: AccountState, hash: number, atMs: number): void {
  const { doubles, words, at, wordAt } = state.place;
  const yesterday = wordAt + WORD.yesterday + BITMAP.agents.at;
  if (atMs < (doubles[at + CELL.actionsFromMs] as number)) return;
  const others = distinct(words, yesterday, yesterday, BITMAP.agents.words) > 0;
  if (others && !marked(words, yesterday, BITMAP.agents.words, hash)) noteAction(state, atMs);
}

/** Whether a name that was never seen is news, or one of a fleet that is not seen through yet. */
function isNews(state: AccountState, atMs: number, login: boolean): boolean {
  const { doubles, words, at, wordAt } = state.place;
  if (atMs < (doubles[at + CELL.actionsFromMs] as number)) return false;
  const ageHours = (atMs - (doubles[at + CELL.firstMs] as number)) / HOUR_MS;
  if (ageHours < SETTLE_HOURS) return false;
  const sharesAnHour = (doubles[at + CELL.dayShares] as number) / effectiveHours(ageHours, 24);
  const waitHours = held(words, wordAt + WORD.known, KNOWN_WORDS) / sharesAnHour;
  return ageHours >= WAITS * waitHours && (login || waitHours <= LATEST_HOURS);
}

/** Notes an action on the clocks that the operator features read. What is set up within an hour is one action. */
function noteAction(state: AccountState, atMs: number): void {
  const { doubles, at } = state.place;
  const hour = Math.floor(atMs / HOUR_MS);
  if (hour === doubles[at + CELL.actionHour]) return;
  doubles[at + CELL.actionHour] = hour;
  const utcHours = (atMs % DAY_MS) / HOUR_MS;
  const angle = (utcHours / 24) * 2 * Math.PI;
  const offset = utcOffset(mainCountry(state));
  (doubles[at + CELL.quarterActions] as number) += 1;
  (doubles[at + CELL.quarterActionsCos] as number) += Math.cos(angle);
  (doubles[at + CELL.quarterActionsSin] as number) += Math.sin(angle);
  if (isOfficeHour(utcHours, PYONGYANG_OFFSET)) (doubles[at + CELL.quarterPyongyang] as number) += 1;
  if (offset !== undefined && isOfficeHour(utcHours, offset))
    (doubles[at + CELL.quarterLocal] as number) += 1;
  (doubles[at + CELL.quarterHoursEvidence] as number) += hoursEvidence(utcHours, offset);
}
