import { classifyAgent } from "#core/agents.ts";
import {
  ACCOUNT_BYTES,
  BITMAP,
  BITMAP_WORDS,
  bytesOf,
  CELL,
  type Cells,
  DAY_CELLS,
  HOURS,
  type Place,
  WEEK_CELLS,
  WORD,
} from "#core/cells.ts";
import { resetFocus } from "#core/focus.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";
import type { Bucket } from "#core/metrics-book.ts";
import type { LookUpOrigin, Origin } from "#core/origin.ts";
import { hashText, mark, marked, nameTemplate } from "#core/sketch.ts";
import { utcOffset } from "#core/time-zones.ts";

/** Sources remembered per account; the one least recently seen gives way. */
export const MAX_SOURCES = 8;
const PYONGYANG_OFFSET = 9;

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
  /** Changed since the last checkpoint. */
  dirty: boolean;
  /** Keeps its own series in the metrics. */
  watched: boolean;
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
  for (const cell of [CELL.tcpToday, CELL.tcpYesterday, CELL.appToday, CELL.appYesterday]) {
    doubles[at + cell] = Number.POSITIVE_INFINITY;
  }
  resetFocus(doubles, at + CELL.focus);
  return {
    pool,
    account,
    place,
    sources: [],
    latest: undefined,
    payoutAddress: "",
    dirty: true,
    watched: false,
  };
}

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
  doubles[at + CELL.hourShares] = 0;
  doubles[at + CELL.hourWork] = 0;
  for (let skipped = 1; skipped <= Math.min(passed, HOURS); skipped += 1) {
    floats[wordAt + WORD.hourShares + ((before + skipped) % HOURS)] = 0;
    floats[wordAt + WORD.hourWork + ((before + skipped) % HOURS)] = 0;
  }
  const dayDecay = Math.exp(-passed / 24);
  const weekDecay = Math.exp(-passed / HOURS);
  for (const cell of DAY_CELLS) (doubles[at + cell] as number) *= dayDecay;
  for (const cell of WEEK_CELLS) (doubles[at + cell] as number) *= weekDecay;
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
  doubles[at + CELL.hour] = hour;
}

/** Notes what a human did (set up a worker, an agent, an address) on the clocks that the operator features read. */
function noteAction(state: AccountState, atMs: number): void {
  const { doubles, at } = state.place;
  if (atMs < (doubles[at + CELL.actionsFromMs] as number)) return;
  const utcHours = (atMs % DAY_MS) / HOUR_MS;
  const angle = (utcHours / 24) * 2 * Math.PI;
  (doubles[at + CELL.weekActions] as number) += 1;
  (doubles[at + CELL.weekActionsCos] as number) += Math.cos(angle);
  (doubles[at + CELL.weekActionsSin] as number) += Math.sin(angle);
  if (isOfficeHour(utcHours, PYONGYANG_OFFSET)) (doubles[at + CELL.weekPyongyang] as number) += 1;
  const offset = utcOffset(mainCountry(state));
  if (offset !== undefined && isOfficeHour(utcHours, offset)) (doubles[at + CELL.weekLocal] as number) += 1;
}

function isOfficeHour(utcHours: number, offset: number): boolean {
  const local = (utcHours + offset + 24) % 24;
  return local >= 9 && local < 18;
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
 * Finds or makes the source of an observation; a new one has `shares` 0. Hot path: an address is looked up when it is
 * new to the account, and again once an hour, since networks change hands and databases are replaced.
 */
export function sourceOf(
  state: AccountState,
  ip: string,
  agent: string,
  atMs: number,
  lookUpOrigin: LookUpOrigin,
): Source {
  let found = state.latest;
  if (found === undefined || found.origin.ip !== ip || found.agent !== agent) {
    found = undefined;
    for (const source of state.sources) if (source.origin.ip === ip && source.agent === agent) found = source;
  }
  if (found !== undefined && Math.floor(found.lastMs / HOUR_MS) === Math.floor(atMs / HOUR_MS)) {
    if (atMs > found.lastMs) found.lastMs = atMs;
    state.latest = found;
    return found;
  }
  const origin = lookUpOrigin(ip, atMs);
  // The address may be spelled in another way than the origin's own.
  if (found === undefined) {
    for (const source of state.sources) {
      if (source.origin.ip === origin.ip && source.agent === agent) found = source;
    }
  }
  if (found === undefined) {
    found = { origin, agent, shares: 0, work: 0, firstMs: atMs, lastMs: atMs, bucket: undefined };
    if (state.sources.length < MAX_SOURCES) state.sources.push(found);
    else state.sources[leastRecent(state.sources)] = found;
    noteSource(state, origin, agent, atMs);
  } else if (Math.floor(found.lastMs / DAY_MS) !== Math.floor(atMs / DAY_MS)) {
    noteSource(state, origin, agent, atMs);
  }
  if (found.origin !== origin) found.bucket = undefined;
  found.origin = origin;
  found.lastMs = Math.max(found.lastMs, atMs);
  state.latest = found;
  return found;
}

function leastRecent(sources: readonly Source[]): number {
  let index = 0;
  for (let at = 1; at < sources.length; at += 1) {
    if ((sources[at] as Source).lastMs < (sources[index] as Source).lastMs) index = at;
  }
  return index;
}

function noteSource(state: AccountState, origin: Origin, agent: string, atMs: number): void {
  const { doubles, words, at, wordAt } = state.place;
  const today = wordAt + WORD.today;
  const yesterday = wordAt + WORD.yesterday;
  const address = hashText(origin.ip);
  const { addresses, agents } = BITMAP;
  const knownAddress = marked(words, yesterday + addresses.at, addresses.words, address);
  if (mark(words, today + addresses.at, addresses.words, address) && !knownAddress) {
    (doubles[at + CELL.daySources] as number) += 1;
  }
  if (agent === "") return;
  const agentHash = hashText(agent);
  doubles[at + CELL.agentHash] = agentHash;
  const knownAgent = marked(words, yesterday + agents.at, agents.words, agentHash);
  if (mark(words, today + agents.at, agents.words, agentHash) && !knownAgent) noteAction(state, atMs);
}

/** Notes a worker's name; a worker not seen for two days is somebody's action. */
export function noteWorker(state: AccountState, worker: string, atMs: number): void {
  const { doubles, words, at, wordAt } = state.place;
  const { workers, templates } = BITMAP;
  const hash = hashText(worker);
  if (!mark(words, wordAt + WORD.today + workers.at, workers.words, hash)) return;
  // Some pools put the account before the worker's own name; every account would then have a template of its own.
  const own = worker.startsWith(`${state.account}.`) ? worker.slice(state.account.length + 1) : worker;
  const template = hashText(nameTemplate(own));
  mark(words, wordAt + WORD.today + templates.at, templates.words, template);
  if (marked(words, wordAt + WORD.yesterday + workers.at, workers.words, hash)) return;
  doubles[at + CELL.templateHash] = template;
  noteAction(state, atMs);
}

/** Adds accepted work from a source to the sums that say where work comes from. */
export function noteOrigin(state: AccountState, source: Source, work: number): void {
  const { doubles, at } = state.place;
  const { kind, tier, country } = source.origin;
  source.shares += 1;
  source.work += work;
  (doubles[at + CELL.dayLocated] as number) += work;
  (doubles[at + CELL.weekLocated] as number) += work;
  if (country === "ZZ") (doubles[at + CELL.dayUnknown] as number) += work;
  if (kind === "hosting") (doubles[at + CELL.dayHosting] as number) += work;
  else if (kind === "vpn" || kind === "tor" || kind === "relay")
    (doubles[at + CELL.dayHidden] as number) += work;
  else if (kind === "satellite") (doubles[at + CELL.daySatellite] as number) += work;
  if (tier === "comprehensive") (doubles[at + CELL.dayComprehensive] as number) += work;
  else if (tier === "watch") (doubles[at + CELL.weekWatch] as number) += work;
  if (source.agent === "") return;
  const { proxy, rental } = classifyAgent(source.agent);
  (doubles[at + CELL.dayAgented] as number) += work;
  if (proxy) (doubles[at + CELL.dayProxyAgent] as number) += work;
  if (rental) (doubles[at + CELL.dayRentalAgent] as number) += work;
}

/** Notes a payout. True when it went to an address the account was not paid to before. */
export function notePayout(
  state: AccountState,
  address: string,
  nearThreshold: boolean,
  atMs: number,
): boolean {
  const { doubles, at } = state.place;
  (doubles[at + CELL.weekPayouts] as number) += 1;
  if (nearThreshold) (doubles[at + CELL.weekNearThreshold] as number) += 1;
  if (address === state.payoutAddress) return false;
  if (state.payoutAddress !== "") {
    (doubles[at + CELL.weekAddressChanges] as number) += 1;
    noteAction(state, atMs);
  }
  state.payoutAddress = address;
  doubles[at + CELL.payoutHash] = hashText(address);
  return true;
}

/** Notes round trips, keeping the day's least: a minimum is what queues and slow miners cannot lower. */
export function noteRoundTrips(
  state: AccountState,
  rttMs: number | undefined,
  appRttMs: number | undefined,
): void {
  const { doubles, at } = state.place;
  if (rttMs !== undefined && rttMs < (doubles[at + CELL.tcpToday] as number))
    doubles[at + CELL.tcpToday] = rttMs;
  if (appRttMs !== undefined && appRttMs < (doubles[at + CELL.appToday] as number))
    doubles[at + CELL.appToday] = appRttMs;
}

interface Texts {
  pool: string;
  account: string;
  payoutAddress: string;
  sources: [ip: string, agent: string, shares: number, work: number, firstMs: number, lastMs: number][];
}

/** The state as bytes, for a checkpoint: length of the texts (32 bits, little-endian), the texts as JSON, the numbers. */
export function writeAccount(state: AccountState): Uint8Array {
  const texts: Texts = {
    pool: state.pool,
    account: state.account,
    payoutAddress: state.payoutAddress,
    sources: state.sources.map(({ origin, agent, shares, work, firstMs, lastMs }) => [
      origin.ip,
      agent,
      shares,
      work,
      firstMs,
      lastMs,
    ]),
  };
  const head = new TextEncoder().encode(JSON.stringify(texts));
  const numbers = bytesOf(state.place);
  const bytes = new Uint8Array(4 + head.length + numbers.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  bytes.set(numbers, 4 + head.length);
  return bytes;
}

/** Reads `writeAccount`'s bytes. Undefined where they have another layout (written by another version). */
export function readAccount(
  bytes: Uint8Array,
  cells: Cells,
  lookUpOrigin: LookUpOrigin,
): AccountState | undefined {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length !== 4 + length + ACCOUNT_BYTES) return undefined;
  const place = cells.take();
  const numbers = bytesOf(place);
  const texts = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Texts;
  numbers.set(bytes.subarray(4 + length));
  const sources = texts.sources.map(([ip, agent, shares, work, firstMs, lastMs]) => ({
    origin: lookUpOrigin(ip, lastMs),
    agent,
    shares,
    work,
    firstMs,
    lastMs,
    bucket: undefined,
  }));
  const { pool, account, payoutAddress } = texts;
  return { pool, account, place, sources, latest: undefined, payoutAddress, dirty: false, watched: false };
}
