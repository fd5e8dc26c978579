import type { Job } from "#core/observation.ts";
import type { Holding, Sightings } from "#core/sightings.ts";

/** Coinbase addresses remembered per pool; beyond it they are all screened anew. */
const MAX_OUTPUTS = 1000;

/** What a pool's own coinbase is called where an account's name stands. */
const coinbaseOf = (pool: string) => `coinbase of ${pool}`;

/** Addresses that pools' coinbases pay. */
export class Outputs {
  /** By pool, those that were screened already. */
  readonly #known = new Map<string, Set<string>>();

  /** Lets a job's addresses be screened where they are new to its pool. */
  note({ pool, outputs = [], atMs }: Job, sightings: Sightings): void {
    let known = this.#known.get(pool);
    if (!known || known.size > MAX_OUTPUTS) {
      known = new Set();
      this.#known.set(pool, known);
    }
    for (const { address } of outputs) {
      if (known.has(address)) continue;
      known.add(address);
      sightings.push({ kind: "payout", pool, account: coinbaseOf(pool), value: address, atMs });
    }
  }

  /** Every address that stands, once a pool. */
  *holdings(): Generator<Holding> {
    for (const [pool, addresses] of this.#known) {
      for (const value of addresses) yield { kind: "payout", pool, account: coinbaseOf(pool), value };
    }
  }
}
