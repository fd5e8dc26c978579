import {
  BITMAP_WORDS,
  CELL,
  type Cells,
  DAY_CELLS,
  HOURS,
  KNOWN_HOURS,
  KNOWN_WORDS,
  MONTH_CELLS,
  MONTH_HOURS,
  type Place,
  QUARTER_CELLS,
  QUARTER_HOURS,
  WEEK_CELLS,
  WORD,
} from "#core/cells.ts";
import { resetFocus } from "#core/focus.ts";
import { HOUR_MS } from "#core/metrics.ts";
import type { Bucket } from "#core/metrics-book.ts";
import type { Origin } from "#core/origin.ts";
import { noteQuiet, noteReturn } from "#core/silence.ts";
import { hashText } from "#core/sketch.ts";
import type { CloseLook } from "#core/watched.ts";

/** Payout addresses remembered beside the current one. */
const MAX_FORMER = 4;
/** Most accounts never change theirs: they share one array. */
const NONE: readonly string[] = Object.freeze([]);

/** One address and agent that an account mined from. `work` decays with 168 hours. */
export interface Source {
  origin: Origin;
  agent: string;
  shares: number;
  work: number;
  firstMs: number;
  lastMs: number;
  /** The metrics bucket its last share counted in, while it is open. */
  bucket: Bucket | undefined;
  /** The same for the account's own series, where it has one. */
  accountBucket: Bucket | undefined;
  /** The watched network it stands in, where it is one. */
  network: string | undefined;
}

/** What is known of one account: numbers in a compact place, and the few texts that matter. */
export interface AccountState {
  readonly pool: string;
  readonly account: string;
  readonly place: Place;
  sources: Source[];
  /** The source of the latest observation: the next one most likely has it too. */
  latest: Source | undefined;
  payoutAddress: string;
  /** Addresses it was paid to before, the latest first; bounded. */
  formerPayouts: readonly string[];
  /** Changed since the last checkpoint. */
  dirty: boolean;
  /** Keeps its own series in the metrics, and `closeLook` with what is found beside them. */
  watched: boolean;
  closeLook: CloseLook | undefined;
  /** The bucket of that series its last share counted in, while it is open. */
  bucket: Bucket | undefined;
}

/**
 * An account never seen before. What is set up before `actionsFromMs` is not taken for somebody's action: when the
 * analysis itself has just started, everything looks new.
 */
export function createAccount(
  pool: string,
  account: string,
  cells: Cells,
  atMs: number,
  actionsFromMs: number,
): AccountState {
  const place = cells.take();
  const { doubles, at } = place;
  doubles[at + CELL.firstMs] = atMs;
  doubles[at + CELL.lastMs] = atMs;
  doubles[at + CELL.hour] = Math.floor(atMs / HOUR_MS);
  doubles[at + CELL.actionsFromMs] = actionsFromMs;
  for (const cell of [CELL.tcpToday, CELL.tcpYesterday, CELL.appToday, CELL.appYesterday])
    doubles[at + cell] = Number.POSITIVE_INFINITY;
  resetFocus(doubles, at + CELL.focus);
  return {
    pool,
    account,
    place,
    sources: [],
    latest: undefined,
    payoutAddress: "",
    formerPayouts: NONE,
    dirty: true,
    watched: false,
    closeLook: undefined,
    bucket: undefined,
  };
}

/** What is left of sums that decay with a day, a week, a month and a quarter after so many hours. */
function decayOf(hours: number): readonly [number, number, number, number] {
  const left = (timeConstant: number): number => Math.exp(-hours / timeConstant);
  return [left(24), left(HOURS), left(MONTH_HOURS), left(QUARTER_HOURS)];
}
const HOUR_DECAY = decayOf(1);

/** Brings the running sums to the hour of `atMs`: closes hours into the rings, lets sums decay, turns the day's bitmaps. */
export function roll(state: AccountState, atMs: number): void {
  const { doubles, floats, words, at, wordAt } = state.place;
  const hour = Math.floor(atMs / HOUR_MS);
  const before = doubles[at + CELL.hour] as number;
  const passed = hour - before;
  if (passed <= 0) return;
  state.dirty = true;
  const slot = before % HOURS;
  floats[wordAt + WORD.hourShares + slot] = doubles[at + CELL.hourShares] as number;
  floats[wordAt + WORD.hourWork + slot] = doubles[at + CELL.hourWork] as number;
  noteQuiet(state, atMs);
  doubles[at + CELL.hourShares] = 0;
  doubles[at + CELL.hourWork] = 0;
  for (let skipped = 1; skipped <= Math.min(passed, HOURS); skipped += 1) {
    floats[wordAt + WORD.hourShares + ((before + skipped) % HOURS)] = 0;
    floats[wordAt + WORD.hourWork + ((before + skipped) % HOURS)] = 0;
  }
  // Most often one hour has passed.
  const [dayDecay, weekDecay, monthDecay, quarterDecay] = passed === 1 ? HOUR_DECAY : decayOf(passed);
  for (const cell of DAY_CELLS) (doubles[at + cell] as number) *= dayDecay;
  for (const cell of WEEK_CELLS) (doubles[at + cell] as number) *= weekDecay;
  for (const cell of MONTH_CELLS) (doubles[at + cell] as number) *= monthDecay;
  for (const cell of QUARTER_CELLS) (doubles[at + cell] as number) *= quarterDecay;
  for (const source of state.sources) source.work *= weekDecay;
  const days = Math.floor(hour / 24) - Math.floor(before / 24);
  if (days > 0) {
    const today = wordAt + WORD.today;
    if (days === 1) words.copyWithin(wordAt + WORD.yesterday, today, today + BITMAP_WORDS);
    else words.fill(0, wordAt + WORD.yesterday, wordAt + WORD.yesterday + BITMAP_WORDS);
    words.fill(0, today, today + BITMAP_WORDS);
    doubles[at + CELL.tcpYesterday] =
      days === 1 ? (doubles[at + CELL.tcpToday] as number) : Number.POSITIVE_INFINITY;
    doubles[at + CELL.appYesterday] =
      days === 1 ? (doubles[at + CELL.appToday] as number) : Number.POSITIVE_INFINITY;
    doubles[at + CELL.tcpToday] = Number.POSITIVE_INFINITY;
    doubles[at + CELL.appToday] = Number.POSITIVE_INFINITY;
  }
  const generations = Math.floor(hour / KNOWN_HOURS) - Math.floor(before / KNOWN_HOURS);
  if (generations > 0) {
    const known = wordAt + WORD.known;
    const older = wordAt + WORD.knownBefore;
    if (generations === 1) words.copyWithin(older, known, known + KNOWN_WORDS);
    else words.fill(0, older, older + KNOWN_WORDS);
    words.fill(0, known, known + KNOWN_WORDS);
  }
  doubles[at + CELL.hour] = hour;
}

/** Country with most of the recent sources' work, "ZZ" where there is none. */
export function mainCountry(state: AccountState): string {
  let best = "ZZ";
  let most = -1;
  for (const source of state.sources) {
    if (source.work > most && source.origin.country !== "ZZ") {
      most = source.work;
      best = source.origin.country;
    }
  }
  return best;
}

/** Adds accepted work. Late work counts for its own hour, and decayed as if it had come in time. Hot path. */
export function noteWork(state: AccountState, work: number, atMs: number): void {
  const { doubles, floats, at, wordAt } = state.place;
  const hour = Math.floor(atMs / HOUR_MS);
  if (hour > (doubles[at + CELL.hour] as number)) roll(state, atMs);
  noteReturn(state, atMs);
  state.dirty = true;
  if (atMs > (doubles[at + CELL.lastMs] as number)) doubles[at + CELL.lastMs] = atMs;
  if (atMs > (doubles[at + CELL.lastShareMs] as number)) doubles[at + CELL.lastShareMs] = atMs;
  const late = (doubles[at + CELL.hour] as number) - hour;
  if (late === 0) {
    (doubles[at + CELL.hourShares] as number) += 1;
    (doubles[at + CELL.hourWork] as number) += work;
    (doubles[at + CELL.dayShares] as number) += 1;
    (doubles[at + CELL.dayWork] as number) += work;
    (doubles[at + CELL.weekWork] as number) += work;
    return;
  }
  if (late < HOURS) {
    (floats[wordAt + WORD.hourShares + (hour % HOURS)] as number) += 1;
    (floats[wordAt + WORD.hourWork + (hour % HOURS)] as number) += work;
  }
  const dayPart = Math.exp(-late / 24);
  (doubles[at + CELL.dayShares] as number) += dayPart;
  (doubles[at + CELL.dayWork] as number) += work * dayPart;
  (doubles[at + CELL.weekWork] as number) += work * Math.exp(-late / HOURS);
}

/** Counts a share that was no work. */
export function noteRejected(state: AccountState, stale: boolean, atMs: number): void {
  roll(state, atMs);
  const { doubles, at } = state.place;
  (doubles[at + (stale ? CELL.dayStale : CELL.dayRejected)] as number) += 1;
  if (atMs > (doubles[at + CELL.lastMs] as number)) doubles[at + CELL.lastMs] = atMs;
  state.dirty = true;
}

/**
 * Notes a payout, with its worth in US dollars where a price is known. True when it went to another address than the
 * one before.
 */
export function notePayout(
  state: AccountState,
  payout: { address: string; nearThreshold: boolean; usd: number | undefined },
): boolean {
  const { address, nearThreshold, usd } = payout;
  const { doubles, at } = state.place;
  (doubles[at + CELL.monthPayouts] as number) += 1;
  if (nearThreshold) (doubles[at + CELL.monthNearThreshold] as number) += 1;
  if (usd !== undefined && usd > 0) {
    const log = Math.log10(usd);
    (doubles[at + CELL.monthPriced] as number) += 1;
    (doubles[at + CELL.monthUsdLog] as number) += log;
    (doubles[at + CELL.monthUsdLogSquare] as number) += log * log;
  }
  if (address === state.payoutAddress) return false;
  if (state.payoutAddress !== "") {
    (doubles[at + CELL.weekAddressChanges] as number) += 1;
    const others = state.formerPayouts.filter((former) => former !== address);
    state.formerPayouts = [state.payoutAddress, ...others].slice(0, MAX_FORMER);
  }
  state.payoutAddress = address;
  doubles[at + CELL.payoutHash] = hashText(address);
  return true;
}

/** Notes the TLS fingerprint of a connection the account mines from. */
export function noteTls(state: AccountState, fingerprint: string | undefined): void {
  if (fingerprint !== undefined) state.place.doubles[state.place.at + CELL.tlsHash] = hashText(fingerprint);
}
