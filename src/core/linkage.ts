import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";
import { type Cluster, Clusters } from "#core/clusters.ts";
import { networkOf } from "#core/network-of.ts";
import { comparePair, discountSplit, NO_SIGNS, type PairSigns } from "#core/pairs.ts";
import { type Succession, successions } from "#core/succession.ts";

/**
 * What accounts share, from the past alone: a source network, a payout address, the pair of agent and worker-name
 * template, the TLS fingerprint. Only *rare* attributes link; what many accounts share (a carrier's network, a popular image) links nobody.
 */

/** Links of one account: numbers of other accounts that share each attribute, and how it stands to them. */
export interface Links extends PairSigns {
  network: number;
  payout: number;
  template: number;
  /** No column of the model: it makes partners, whose work and changes are compared. */
  tls: number;
  /** The linked accounts, at most `MAX_PARTNERS`, for evidence. */
  partners: AccountState[];
  /** An account it seems to go on from, or that goes on from it. */
  succession: Succession | undefined;
  /** The accounts that act as one with it, itself among them; undefined where there is no other. */
  cluster: Cluster | undefined;
}

type Attribute = "network" | "payout" | "template" | "tls";

/** Partners looked at per account: pairwise comparison stays bounded. */
const MAX_PARTNERS = 16;
/** An attribute shared by more accounts than this is not rare. */
const RARE = 12;
/**
 * A program gives one TLS fingerprint to all who use that build of it: it is rare only where it is so among the
 * accounts that have one.
 */
const RARE_TLS = 0.1;
/** How few accounts may share an attribute for them to count as one: a habit of naming is commoner than an address. */
const SAME_HANDS: Readonly<Record<Attribute, number>> = {
  network: RARE,
  payout: RARE,
  template: 4,
  tls: 0,
};

/** From so many nats on an account and its successor count as one: of accounts that meet by chance one in fifty has more. */
const SAME_NATS = 3;

const SHARED_KINDS = new Set(["hosting", "vpn", "tor", "relay", "private", "reserved"]);

/** Finds the links among all accounts of one pool, as of `atMs`. Hot path: every account, at every window. */
export function link(accounts: readonly AccountState[], atMs: number): Map<AccountState, Links> {
  const groups: Record<Attribute, Groups> = {
    network: new Groups(),
    payout: new Groups(),
    template: new Groups(),
    tls: new Groups(),
  };
  let fingerprinted = 0;
  for (const state of accounts) {
    const { doubles, at } = state.place;
    let before = -1;
    for (const { origin } of state.sources) {
      if (SHARED_KINDS.has(origin.kind)) continue;
      const network = networkOf(origin.ip);
      if (network !== before) groups.network.join(network, state);
      before = network;
    }
    const payout = doubles[at + CELL.payoutHash] as number;
    if (payout !== 0) groups.payout.join(payout, state);
    const template = doubles[at + CELL.templateHash] as number;
    const agent = doubles[at + CELL.agentHash] as number;
    // Two hashes of 32 bits in one number: exact up to 2^53, and beyond it still as good as a hash.
    if (template !== 0 && agent !== 0) groups.template.join(template * 2_097_152 + agent, state);
    const tls = doubles[at + CELL.tlsHash] as number;
    if (tls === 0) continue;
    fingerprinted += 1;
    groups.tls.join(tls, state);
  }
  const links = new Map<AccountState, Links>();
  const clusters = new Clusters();
  for (const attribute of ["network", "payout", "template", "tls"] as const) {
    const most = attribute === "tls" ? Math.min(RARE, fingerprinted * RARE_TLS) : RARE;
    for (const members of groups[attribute].shared()) {
      if (members.length > most) continue;
      spread(links, attribute, members);
      if (members.length <= SAME_HANDS[attribute]) clusters.join(members);
    }
  }
  for (const [state, succession] of successions(accounts, atMs)) {
    linksOf(links, state).succession = succession;
    if (succession.nats >= SAME_NATS) clusters.join([succession.former, succession.later]);
  }
  comparePairs(links);
  for (const [state, found] of links) found.cluster = clusters.of(state);
  return links;
}

/** Compares every account with its partners; two that are each other's partners, once for both. */
function comparePairs(links: ReadonlyMap<AccountState, Links>): void {
  const done = new Set<AccountState>();
  for (const [state, found] of links) {
    for (const partner of found.partners) {
      const theirs = links.get(partner);
      const mutual = theirs?.partners.includes(state) ?? false;
      if (mutual && done.has(partner)) continue;
      comparePair(state, partner, found, mutual ? theirs : undefined);
    }
    done.add(state);
  }
  for (const found of links.values()) discountSplit(found);
}

/** Accounts by an attribute's value. Most values are one account's: that needs no list. */
class Groups {
  readonly #of = new Map<number, AccountState | AccountState[]>();

  /** Accounts join one after the other: who has joined a value before stands last there. */
  join(value: number, state: AccountState): void {
    const found = this.#of.get(value);
    if (found === undefined) this.#of.set(value, state);
    else if (Array.isArray(found)) {
      if (found.length <= RARE && found.at(-1) !== state) found.push(state);
    } else if (found !== state) this.#of.set(value, [found, state]);
  }

  /** What two accounts or more share. */
  *shared(): Generator<AccountState[]> {
    for (const found of this.#of.values()) if (Array.isArray(found)) yield found;
  }
}

/** Links of an account that shares nothing. */
export const NO_LINKS: Links = {
  network: 0,
  payout: 0,
  template: 0,
  tls: 0,
  ...NO_SIGNS,
  partners: [],
  succession: undefined,
  cluster: undefined,
};

function linksOf(links: Map<AccountState, Links>, state: AccountState): Links {
  let found = links.get(state);
  if (!found) {
    found = { ...NO_LINKS, partners: [] };
    links.set(state, found);
  }
  return found;
}

function spread(links: Map<AccountState, Links>, attribute: Attribute, members: AccountState[]): void {
  for (const state of members) {
    const found = linksOf(links, state);
    found[attribute] = Math.max(found[attribute], members.length - 1);
    for (const other of members) {
      if (other !== state && found.partners.length < MAX_PARTNERS && !found.partners.includes(other)) {
        found.partners.push(other);
      }
    }
  }
}
