import type { MetricDelta } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Route } from "#core/observation.ts";
import type { Update } from "./ris-message.ts";
import { createMatcher, type WatchedNetwork } from "./watched.ts";

/** How a prefix is seen: `unknown` until enough peers have said anything of it. */
type Visibility = "unknown" | "visible" | "partly" | "gone";

/** What is known of one prefix. */
export interface PrefixState {
  network: string;
  prefix: string;
  visibility: Visibility;
  /** Peers that spoke of it, and those of them that have a route now. */
  peers: number;
  visiblePeers: number;
  /** Origins and upstreams that enough peers see, most seen first. */
  origins: number[];
  upstreams: number[];
  /** Of those, what the table does not expect: "upstream 64500", "origin 64501". */
  unexpected: string[];
}

/** When a change is believed. */
export interface Belief {
  /** Peers that must agree on a route, an origin or an upstream. */
  minimumPeers: number;
  /**
   * Peers that must have withdrawn before a prefix is gone. Updates tell only of peers where something changed; a
   * few hundred others may hold their route in silence (BGPalerter asks for 40 as well).
   */
  minimumWithdrawals: number;
}

interface Peer {
  atMs: number;
  visible: boolean;
  path: readonly number[];
}

/** Peers followed a prefix; RIS has some 1,500. */
const MAX_PEERS = 4000;
/** Prefixes followed a network; a hijacker may announce any number of more specific ones. */
const MAX_PREFIXES = 256;

interface Tracked {
  network: WatchedNetwork;
  prefix: string;
  visibility: Visibility;
  peers: Map<string, Peer>;
  /** Origins and upstreams already told as unexpected, until nobody sees them. */
  told: Set<string>;
}

/**
 * The state of every watched prefix out of single peers' updates. Route observations come out only for what is
 * believed: that a prefix came or went, and that it is reached through an upstream, or from an origin, nobody expects.
 */
export interface Prefixes {
  take(update: Update): Route[];
  states(): PrefixState[];
  takeDeltas(): MetricDelta[];
  /** Updates for more specific prefixes than are followed. */
  readonly ignored: number;
}

export function createPrefixes(networks: readonly WatchedNetwork[], belief: Belief): Prefixes {
  const match = createMatcher(networks);
  const tracked = new Map<string, Tracked>();
  const perNetwork = new Map<WatchedNetwork, number>();
  const book = new MetricsBook();
  let ignored = 0;

  /** What lies in a watched prefix is followed, and so is whatever else a watched network originates. */
  function trackedAt(prefix: string, path: readonly number[]): Tracked | undefined {
    const known = tracked.get(prefix);
    if (known) return known;
    const network = match(prefix) ?? networks.find(({ asn }) => asn === originOf(path));
    if (!network) return undefined;
    const count = perNetwork.get(network) ?? 0;
    if (count >= MAX_PREFIXES) {
      ignored += 1;
      return undefined;
    }
    perNetwork.set(network, count + 1);
    const fresh: Tracked = { network, prefix, visibility: "unknown", peers: new Map(), told: new Set() };
    tracked.set(prefix, fresh);
    return fresh;
  }

  function note(update: Update, prefix: string, visible: boolean): Route[] {
    const state = trackedAt(prefix, visible ? update.path : []);
    if (!state) return [];
    const key = `${update.collector} ${update.peer}`;
    const path = visible ? update.path : [];
    const known = state.peers.get(key);
    // A message that two subscriptions ask for may come twice.
    if (known?.atMs === update.atMs && known.visible === visible && samePath(known.path, path)) return [];
    if (!known && state.peers.size >= MAX_PEERS) {
      ignored += 1;
      return [];
    }
    state.peers.set(key, { atMs: update.atMs, visible, path });
    const { values } = book.bucket("route", [state.network.name, prefix], update.atMs);
    values[visible ? 0 : 1] = values[visible ? 0 : 1]! + 1;
    values[2] = visiblePeers(state);
    return [...comingOrGoing(state, update), ...unexpected(state, update)];
  }

  function comingOrGoing(state: Tracked, update: Update): Route[] {
    const before = state.visibility;
    state.visibility = visibilityOf(state, belief);
    const was = before === "visible" || before === "partly";
    const is = state.visibility === "visible" || state.visibility === "partly";
    if (state.visibility === "gone" && before !== "gone") return [route(state, update, "withdraw")];
    return is && !was ? [route(state, update, "announce")] : [];
  }

  /** A route through an upstream, or from an origin, that the table does not expect, once enough peers see it. */
  function unexpected(state: Tracked, update: Update): Route[] {
    const { network } = state;
    const expected = new Set(network.upstreams.map(({ asn }) => asn));
    const news: Route[] = [];
    const strange = new Set<string>();
    for (const [asn, count] of seen(state, originOf)) {
      if (asn !== network.asn && count >= belief.minimumPeers) strange.add(`origin ${asn}`);
    }
    for (const [asn, count] of seen(state, upstreamOf)) {
      if (!expected.has(asn) && count >= belief.minimumPeers) strange.add(`upstream ${asn}`);
    }
    for (const what of strange) if (!state.told.has(what)) news.push(route(state, update, "announce"));
    state.told = strange;
    return news;
  }

  return {
    take(update) {
      const withdrawn = update.withdrawn.flatMap((prefix) => note(update, prefix, false));
      return withdrawn.concat(update.announced.flatMap((prefix) => note(update, prefix, true)));
    },
    states: () =>
      [...tracked.values()].map((state) => ({
        network: state.network.name,
        prefix: state.prefix,
        visibility: state.visibility,
        peers: state.peers.size,
        visiblePeers: visiblePeers(state),
        origins: believed(seen(state, originOf), belief),
        upstreams: believed(seen(state, upstreamOf), belief),
        unexpected: [...state.told],
      })),
    takeDeltas: () => book.take(),
    get ignored() {
      return ignored;
    },
  };
}

function route({ prefix }: Tracked, update: Update, event: Route["event"]): Route {
  const { atMs, peer, collector, path } = update;
  if (event === "withdraw") return { type: "route", atMs, prefix, event, peer, collector };
  return { type: "route", atMs, prefix, event, path, originAs: originOf(path), peer, collector };
}

function visiblePeers({ peers }: Tracked): number {
  let count = 0;
  for (const { visible } of peers.values()) if (visible) count += 1;
  return count;
}

function visibilityOf(state: Tracked, { minimumPeers, minimumWithdrawals }: Belief): Visibility {
  const visible = visiblePeers(state);
  const withdrawn = state.peers.size - visible;
  if (withdrawn >= minimumWithdrawals && visible < minimumPeers) return "gone";
  // What is gone stays gone until enough peers have it back.
  if (visible < minimumPeers) return state.visibility === "visible" ? "partly" : state.visibility;
  return withdrawn >= minimumPeers && withdrawn > visible ? "partly" : "visible";
}

function samePath(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((asn, index) => asn === other[index]);
}

const originOf = (path: readonly number[]) => path.at(-1);

/** The network before the origin, which may stand in the path several times over (prepending). */
function upstreamOf(path: readonly number[]): number | undefined {
  const origin = path.at(-1);
  return path.findLast((asn) => asn !== origin);
}

/** How many peers see each value of `of`. */
function seen(state: Tracked, of: (path: readonly number[]) => number | undefined): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { visible, path } of state.peers.values()) {
    const value = visible ? of(path) : undefined;
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function believed(counts: Map<number, number>, { minimumPeers }: Belief): number[] {
  const enough = [...counts].filter(([, count]) => count >= minimumPeers);
  return enough.sort(([, one], [, other]) => other - one).map(([asn]) => asn);
}
