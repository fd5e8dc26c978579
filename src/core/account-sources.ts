import type { AccountState, Source } from "#core/account-state.ts";
import { noteName, noteReturningAgent } from "#core/actions.ts";
import { classifyAgent } from "#core/agents.ts";
import { BITMAP, CELL, KNOWN_WORDS, WORD } from "#core/cells.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";
import type { LookUpOrigin, Origin } from "#core/origin.ts";
import { hashText, holds, mark, marked, nameTemplate } from "#core/sketch.ts";

/** Sources remembered per account; the one least recently seen gives way. */
const MAX_SOURCES = 8;

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
    found = {
      origin,
      agent,
      shares: 0,
      work: 0,
      firstMs: atMs,
      lastMs: atMs,
      bucket: undefined,
      accountBucket: undefined,
      network: undefined,
    };
    if (state.sources.length < MAX_SOURCES) state.sources.push(found);
    else state.sources[leastRecent(state.sources)] = found;
    noteSource(state, origin, agent, atMs);
  } else if (Math.floor(found.lastMs / DAY_MS) !== Math.floor(atMs / DAY_MS)) {
    noteSource(state, origin, agent, atMs);
  }
  if (found.origin !== origin) {
    found.bucket = undefined;
    found.accountBucket = undefined;
  }
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
  const { addresses } = BITMAP;
  const knownAddress = marked(words, yesterday + addresses.at, addresses.words, address);
  if (mark(words, today + addresses.at, addresses.words, address) && !knownAddress) {
    (doubles[at + CELL.daySources] as number) += 1;
  }
  if (agent !== "") noteAgent(state, agent, atMs, false);
}

/** Notes the program a miner mines with. `login` as in `noteName`. */
export function noteAgent(state: AccountState, agent: string, atMs: number, login: boolean): void {
  const { doubles, words, at, wordAt } = state.place;
  const { agents } = BITMAP;
  const hash = hashText(agent);
  doubles[at + CELL.agentHash] = hash;
  const first = mark(words, wordAt + WORD.today + agents.at, agents.words, hash);
  if (!noteName(state, hash, atMs, login) && first) noteReturningAgent(state, hash, atMs);
}

/** Notes a worker's name. `login` as in `noteName`. Hot path: most are known, and were seen today. */
export function noteWorker(state: AccountState, worker: string, atMs: number, login = false): void {
  const { doubles, words, at, wordAt } = state.place;
  const { workers, templates } = BITMAP;
  const hash = hashText(worker);
  const first = mark(words, wordAt + WORD.today + workers.at, workers.words, hash);
  if (!first && holds(words, wordAt + WORD.known, KNOWN_WORDS, hash)) return;
  // Some pools put the account before the worker's own name; every account would then have a template of its own.
  const own = worker.startsWith(`${state.account}.`) ? worker.slice(state.account.length + 1) : worker;
  const template = hashText(nameTemplate(own));
  mark(words, wordAt + WORD.today + templates.at, templates.words, template);
  if (noteName(state, hash, atMs, login)) doubles[at + CELL.templateHash] = template;
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
