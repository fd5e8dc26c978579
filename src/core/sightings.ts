import type { AccountState } from "#core/account-state.ts";
import type { Origin } from "#core/origin.ts";
import type { Match, Subject } from "#core/screening.ts";

/** Kept until they are taken; further ones are counted, and seen again when the source next changes. */
const MAX_SIGHTINGS = 100_000;

/** What an account is known by and screened for: its name, a source's address, or a payout address, also a former one. */
export interface Holding {
  kind: "account" | "source" | "payout";
  pool: string;
  account: string;
  value: string;
  /** Of a source. */
  origin?: Origin;
}

/** What something known met when that was last acted upon: what a screening flag of its account rests on. */
export interface Standing extends Omit<Holding, "origin"> {
  matches: readonly Match[];
}

/** Something to be screened at once: an account, a source or a payout address not seen before. */
export interface Sighting extends Holding {
  atMs: number;
}

/** All that one account is screened for. */
export function* holdingsOf(state: AccountState): Generator<Holding> {
  const { pool, account, payoutAddress, formerPayouts, sources } = state;
  yield { kind: "account", pool, account, value: account };
  if (payoutAddress !== "") yield { kind: "payout", pool, account, value: payoutAddress };
  for (const value of formerPayouts) yield { kind: "payout", pool, account, value };
  for (const [index, { origin }] of sources.entries()) {
    // One address with several agents is several sources.
    if (sources.findIndex((other) => other.origin.ip === origin.ip) < index) continue;
    yield { kind: "source", pool, account, value: origin.ip, origin };
  }
}

/** As what it is held against the lists. */
export function subjectOf({ kind }: Pick<Holding, "kind">): Subject {
  return kind === "source" ? "network" : "address";
}

/** Sightings that wait to be screened, in order. */
export class Sightings {
  #waiting: Sighting[] = [];
  /** Sightings put off because too many waited. */
  dropped = 0;

  push(sighting: Sighting): void {
    if (this.#waiting.length < MAX_SIGHTINGS) this.#waiting.push(sighting);
    else this.dropped += 1;
  }

  take(): Sighting[] {
    const waiting = this.#waiting;
    if (waiting.length > 0) this.#waiting = [];
    return waiting;
  }
}
