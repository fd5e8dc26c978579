import type { Job } from "#core/observation.ts";

/** Jobs remembered as told. */
const MAX_TOLD = 1024;
/** Jobs told on top of one block: some pools give every connection its own job ids. */
const MAX_PER_BLOCK = 64;

/**
 * Tells each of a pool's jobs once, however many connections it is announced on, and at most a stated number a block.
 * What is not told is counted in `folded`.
 */
export class JobBoard {
  folded = 0;
  readonly #emit: (job: Job) => void;
  #told = new Set<string>();
  #prevHash = "";
  #onBlock = 0;

  constructor(emit: (job: Job) => void) {
    this.#emit = emit;
  }

  /** `complete` fills in what costs time to decode; it is called only where the job is told. */
  announce(job: Job, complete: () => void): void {
    const key = `${job.jobId} ${job.prevHash}`;
    if (this.#told.has(key)) return;
    if (job.prevHash !== this.#prevHash) {
      this.#prevHash = job.prevHash;
      this.#onBlock = 0;
    }
    if (this.#onBlock >= MAX_PER_BLOCK) {
      this.folded += 1;
      return;
    }
    this.#onBlock += 1;
    this.#told.add(key);
    if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.keys().next().value!);
    complete();
    this.#emit(job);
  }
}
