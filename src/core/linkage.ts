import type { AccountState } from "#core/account-state.ts";
import { CELL, HOURS, WORD } from "#core/cells.ts";
import { changesOf } from "#core/changes.ts";
import { HOUR_MS } from "#core/metrics.ts";

/**
 * What accounts share, from the past alone: a source network, a payout address, the pair of agent and worker-name
 * template, the TLS fingerprint. Only *rare* attributes link; what many accounts share (a carrier's network, a popular image) links nobody.
 */

/** Links of one account: numbers of other accounts that share each attribute, and how a linked pair behaves. */
export interface Links {
  network: number;
  payout: number;
  template: number;
  /** No column of the model: it makes partners, whose work and changes are compared. */
  tls: number;
  /** 0..1: closeness of a linked pair's work to a steady 80:20 to 90:10. */
  split: number;
  /** Change points of the week within ten minutes of a linked account's. */
  coincidence: number;
  /** The linked accounts, at most `MAX_PARTNERS`, for evidence. */
  partners: AccountState[];
}

/** Partners looked at per account: pairwise comparison stays bounded. */
const MAX_PARTNERS = 16;
/** An attribute shared by more accounts than this (or 1 % of all, if that is more) is not rare. */
const RARE = 12;
/**
 * A program gives one TLS fingerprint to all who use that build of it: it is rare only where it is so among the
 * accounts that have one.
 */
const RARE_TLS = 0.1;
const COINCIDENCE_MS = 10 * 60_000;
const SPLIT_HOURS = 72;

/** The network an address stands in for linkage: /24 of IPv4, /48 of IPv6; "" where sharing it means nothing. */
function networkOf(ip: string): string {
  if (ip.includes(":")) return ip.split(":").slice(0, 3).join(":");
  const cut = ip.lastIndexOf(".");
  return cut > 0 ? ip.slice(0, cut) : "";
}

type Attribute = "network" | "payout" | "template" | "tls";

const SHARED_KINDS = new Set(["hosting", "vpn", "tor", "relay", "private", "reserved"]);

/** Finds the links among all accounts of one pool. */
export function link(accounts: readonly AccountState[]): Map<AccountState, Links> {
  const groups = {
    network: new Map<string, AccountState[]>(),
    payout: new Map<string, AccountState[]>(),
    template: new Map<string, AccountState[]>(),
    tls: new Map<string, AccountState[]>(),
  };
  let fingerprinted = 0;
  for (const state of accounts) {
    const { doubles, at } = state.place;
    for (const network of new Set(
      state.sources.filter((s) => !SHARED_KINDS.has(s.origin.kind)).map((s) => networkOf(s.origin.ip)),
    )) {
      if (network !== "") join(groups.network, network, state);
    }
    const payout = doubles[at + CELL.payoutHash] as number;
    if (payout !== 0) join(groups.payout, String(payout), state);
    const template = doubles[at + CELL.templateHash] as number;
    const agent = doubles[at + CELL.agentHash] as number;
    if (template !== 0 && agent !== 0) join(groups.template, `${template}/${agent}`, state);
    const tls = doubles[at + CELL.tlsHash] as number;
    if (tls === 0) continue;
    fingerprinted += 1;
    join(groups.tls, String(tls), state);
  }
  const limit = Math.max(RARE, accounts.length / 100);
  const links = new Map<AccountState, Links>();
  for (const [attribute, byValue] of Object.entries(groups) as [Attribute, Map<string, AccountState[]>][]) {
    const most = attribute === "tls" ? Math.min(limit, fingerprinted * RARE_TLS) : limit;
    for (const members of byValue.values()) {
      if (members.length > 1 && members.length <= most) spread(links, attribute, members);
    }
  }
  for (const [state, found] of links) compare(state, found);
  return links;
}

/** Links of an account that shares nothing. */
export const NO_LINKS: Links = {
  network: 0,
  payout: 0,
  template: 0,
  tls: 0,
  split: 0,
  coincidence: 0,
  partners: [],
};

function join(groups: Map<string, AccountState[]>, value: string, state: AccountState): void {
  const members = groups.get(value);
  if (members) members.push(state);
  else groups.set(value, [state]);
}

function spread(links: Map<AccountState, Links>, attribute: Attribute, members: AccountState[]): void {
  for (const state of members) {
    let found = links.get(state);
    if (!found) {
      found = { ...NO_LINKS, partners: [] };
      links.set(state, found);
    }
    found[attribute] = Math.max(found[attribute], members.length - 1);
    for (const other of members) {
      if (other !== state && found.partners.length < MAX_PARTNERS && !found.partners.includes(other)) {
        found.partners.push(other);
      }
    }
  }
}

function compare(state: AccountState, found: Links): void {
  const changes = changesOf(state);
  let coincidence = 0;
  for (const partner of found.partners) {
    found.split = Math.max(found.split, splitCloseness(state, partner));
    for (const theirs of changesOf(partner)) {
      if (changes.some((mine) => Math.abs(mine.atMs - theirs.atMs) <= COINCIDENCE_MS)) coincidence += 1;
    }
  }
  found.coincidence = coincidence;
}

/** 1 where the larger of two accounts does a steady 80 to 90 % of their common work, hour by hour; 0 far from it. */
function splitCloseness(one: AccountState, other: AccountState): number {
  const newest =
    Math.min(
      one.place.doubles[one.place.at + CELL.hour] as number,
      other.place.doubles[other.place.at + CELL.hour] as number,
    ) - 1;
  let hours = 0;
  let sum = 0;
  let squares = 0;
  for (let back = 0; back < SPLIT_HOURS; back += 1) {
    const slot = (newest - back) % HOURS;
    const mine = one.place.floats[one.place.wordAt + WORD.hourWork + slot] as number;
    const theirs = other.place.floats[other.place.wordAt + WORD.hourWork + slot] as number;
    if (mine === 0 || theirs === 0) continue;
    const share = mine / (mine + theirs);
    hours += 1;
    sum += share;
    squares += share * share;
  }
  if (hours < 12) return 0;
  const mean = sum / hours;
  const spread = Math.sqrt(Math.max(0, squares / hours - mean * mean));
  const larger = Math.max(mean, 1 - mean);
  const outside = larger < 0.8 ? 0.8 - larger : larger > 0.9 ? larger - 0.9 : 0;
  return Math.max(0, 1 - outside / 0.05) * Math.max(0, 1 - spread / 0.15);
}

/** What `RouteEvents` knows, as it is kept over a restart. */
export interface RouteMemory {
  visible: [prefix: string, visible: boolean][];
  instants: number[];
}

/** Watched networks' comings and goings, for the coincidence of an account's changes with them. */
export class RouteEvents {
  readonly #state = new Map<string, boolean>();
  readonly #instants: number[] = [];

  /** Notes an announcement or withdrawal; a change of a prefix's visibility is an event. At most 512 are kept. */
  note(prefix: string, visible: boolean, atMs: number): void {
    const before = this.#state.get(prefix);
    this.#state.set(prefix, visible);
    if (before === undefined || before === visible) return;
    const last = this.#instants.at(-1);
    if (last !== undefined && atMs - last < COINCIDENCE_MS) return;
    this.#instants.push(atMs);
    if (this.#instants.length > 512) this.#instants.shift();
  }

  dump(): RouteMemory {
    return { visible: [...this.#state], instants: this.#instants };
  }

  load(memory: RouteMemory): void {
    for (const [prefix, visible] of memory.visible) this.#state.set(prefix, visible);
    this.#instants.push(...memory.instants);
  }

  /**
   * −log10 of the probability that as many of the account's recent change points fall within 15 minutes of an event
   * by chance: Poisson with the mean that the covered part of the week gives.
   */
  coincidence(state: AccountState, atMs: number): number {
    const from = atMs - HOURS * HOUR_MS;
    const events = this.#instants.filter((instant) => instant >= from && instant <= atMs);
    const changes = changesOf(state).filter((change) => change.atMs >= from);
    if (events.length === 0 || changes.length === 0) return 0;
    const halfMs = 15 * 60_000;
    const hits = changes.filter((change) =>
      events.some((event) => Math.abs(event - change.atMs) <= halfMs),
    ).length;
    const mean = changes.length * Math.min(1, (events.length * 2 * halfMs) / (HOURS * HOUR_MS));
    return -Math.log10(poissonTail(hits, mean));
  }
}

/** P(X ≥ k) of a Poisson variable, at least 1e-300. */
function poissonTail(k: number, mean: number): number {
  let term = Math.exp(-mean);
  for (let index = 1; index <= k; index += 1) term *= mean / index;
  if (k === 0) return 1;
  // The tail from k upwards, summed until the terms vanish: accurate where one minus the head would cancel.
  let tail = 0;
  for (let index = k; term > tail * 1e-12; index += 1) {
    tail += term;
    term *= mean / (index + 1);
  }
  return Math.min(1, Math.max(1e-300, tail));
}
