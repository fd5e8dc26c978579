import type { Batch } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";

/** Different reasons kept until the next batch; more are folded into one entry. */
const MAX_REASONS = 100;

/** How observations leave a queue. */
export interface BatchOptions {
  /** Largest batch. */
  maxBatch: number;
  /** How long a batch may wait to grow, in milliseconds: each one costs its taker a commit. */
  lingerMs: number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Stands between what must not wait (a forwarded connection) and what may be slow (everything behind the collector).
 * Holds at most `limit` observations; further ones are dropped, counted in `dropped` and told as a refusal.
 */
export class ObservationQueue {
  dropped = 0;
  readonly #place: string;
  readonly #limit: number;
  #observations: Observation[] = [];
  #refusals = new Map<string, Refusal & { count: number }>();
  #wake: () => void = () => {};

  constructor(place: string, limit: number) {
    this.#place = place;
    this.#limit = limit;
  }

  push(observation: Observation): void {
    if (this.#observations.length >= this.#limit) {
      this.dropped += 1;
      this.refuse("dropped: the queue is full", this.#place);
      return;
    }
    this.#observations.push(observation);
    if (this.#observations.length === 1) this.#wake();
  }

  /** Counts bad input by reason; `place` of the first one is kept. Reasons are constants, never the input itself. */
  refuse(reason: string, place: string, count = 1): void {
    const kept =
      this.#refusals.has(reason) || this.#refusals.size < MAX_REASONS - 1 ? reason : "further reasons";
    const known = this.#refusals.get(kept);
    if (known) known.count += count;
    else this.#refusals.set(kept, { reason: kept, place, count });
    if (this.#refusals.size === 1) this.#wake();
  }

  /** Yields what has come, oldest first, until `signal` aborts; what is queued then is not handed over. */
  async *batches(signal: AbortSignal, options: BatchOptions): AsyncGenerator<Batch> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      if (this.#observations.length === 0 && this.#refusals.size === 0) await this.#arrival();
      if (this.#observations.length < options.maxBatch) await options.sleep(options.lingerMs, signal);
      if (signal.aborted) return;
      const observations = this.#take(options.maxBatch);
      const batch: Batch = { observations };
      if (this.#refusals.size > 0) {
        batch.refusals = [...this.#refusals.values()];
        this.#refusals = new Map();
      }
      yield batch;
    }
  }

  #take(maxBatch: number): Observation[] {
    if (this.#observations.length > maxBatch) return this.#observations.splice(0, maxBatch);
    const taken = this.#observations;
    this.#observations = [];
    return taken;
  }

  async #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = () => {};
  }
}
