import type { Origin } from "#core/origin.ts";

/** Kept until they are taken; further ones are counted, and seen again when the source next changes. */
const MAX_SIGHTINGS = 100_000;

/** Something to be screened at once: an account, a source or a payout address not seen before. */
export interface Sighting {
  kind: "account" | "source" | "payout";
  pool: string;
  account: string;
  value: string;
  origin?: Origin;
  atMs: number;
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
