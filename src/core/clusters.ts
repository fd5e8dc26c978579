import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";
import { placesOf } from "#core/places.ts";

/** Accounts that act as one, and what they show together. */
export interface Cluster {
  members: AccountState[];
  /** Different places of the watch tier with at least 2 % of a member's work. */
  watchPlaces: number;
  /** Sum of the members' evidence that actions and restarts keep Pyongyang's hours, nats. */
  hoursEvidence: number;
  /** Payouts of the month near a reporting threshold. */
  nearThreshold: number;
}

/** A cluster larger than this has grown together by chance; it says nothing. */
const MOST = 64;

/** Union-find over accounts, and the sums of each set when it is first asked for. Made anew for each window. */
export class Clusters {
  readonly #parent = new Map<AccountState, AccountState>();
  #sets: Map<AccountState, Cluster> | undefined;

  /** Puts accounts into one set. */
  join(members: readonly AccountState[]): void {
    const root = this.#root(members[0] as AccountState);
    for (const state of members) this.#parent.set(this.#root(state), root);
  }

  /** The set of an account; undefined where it stands alone or the set is too large to mean anything. */
  of(state: AccountState): Cluster | undefined {
    if (!this.#parent.has(state)) return undefined;
    this.#sets ??= this.#gather();
    const cluster = this.#sets.get(this.#root(state));
    return cluster && cluster.members.length <= MOST ? cluster : undefined;
  }

  #root(state: AccountState): AccountState {
    let at = state;
    for (;;) {
      const up = this.#parent.get(at);
      if (up === undefined || up === at) break;
      at = up;
    }
    this.#parent.set(state, at);
    return at;
  }

  #gather(): Map<AccountState, Cluster> {
    const sets = new Map<AccountState, AccountState[]>();
    for (const state of this.#parent.keys()) {
      const root = this.#root(state);
      const members = sets.get(root);
      if (members) members.push(state);
      else sets.set(root, [state]);
    }
    const clusters = new Map<AccountState, Cluster>();
    for (const [root, members] of sets) if (members.length > 1) clusters.set(root, sum(members));
    return clusters;
  }
}

function sum(members: AccountState[]): Cluster {
  const places = new Set<string>();
  let hoursEvidence = 0;
  let nearThreshold = 0;
  for (const state of members.slice(0, MOST)) {
    const { doubles, at } = state.place;
    hoursEvidence += doubles[at + CELL.quarterHoursEvidence] as number;
    hoursEvidence += doubles[at + CELL.quarterRestartEvidence] as number;
    nearThreshold += doubles[at + CELL.monthNearThreshold] as number;
    for (const { country, watch, part } of placesOf(state)) if (watch && part >= 0.02) places.add(country);
  }
  return { members, watchPlaces: places.size, hoursEvidence, nearThreshold };
}
