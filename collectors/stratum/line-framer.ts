const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
/** A carry buffer at most this large is kept between lines; a larger one is given back. */
const KEPT_BYTES = 4096;

/**
 * Cuts one direction of a connection into lines, whatever way the network cut it into packets. Holds one unfinished
 * line of at most `maxLineBytes`, in one buffer that grows by doubling, so that a sender of single bytes costs no more
 * memory than its bytes. A longer line is skipped up to its newline and counted in `oversized`.
 */
export class LineFramer {
  oversized = 0;
  readonly #maxLineBytes: number;
  #carry: Buffer = EMPTY;
  #held = 0;
  #skipping = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of the unfinished line held. */
  get held(): number {
    return this.#held;
  }

  /** The lines this chunk completes, without newline, in order; broken UTF-8 becomes U+FFFD. Never throws. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (this.#skipping) this.#skipping = false;
      else if (this.#held + end - from > this.#maxLineBytes) this.oversized += 1;
      else lines.push(this.#finish(chunk, from, end));
      this.#release();
      from = end + 1;
    }
    if (from < chunk.length && !this.#skipping) this.#hold(chunk, from);
    return lines;
  }

  /** Says that bytes are missing here: what is held is given up, and decoding goes on after the next newline. */
  gap(): void {
    this.#release();
    this.#skipping = true;
  }

  #finish(chunk: Buffer, from: number, end: number): string {
    if (this.#held === 0) return chunk.toString("utf8", from, end);
    this.#hold(chunk.subarray(0, end), from);
    return this.#carry.toString("utf8", 0, this.#held);
  }

  #hold(chunk: Buffer, from: number): void {
    const held = this.#held + chunk.length - from;
    if (held > this.#maxLineBytes) {
      this.oversized += 1;
      this.gap();
      return;
    }
    if (held > this.#carry.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(held, 2 * this.#carry.length, 256), this.#maxLineBytes),
      );
      this.#carry.copy(grown, 0, 0, this.#held);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#held, from);
    this.#held = held;
  }

  #release(): void {
    this.#held = 0;
    if (this.#carry.length > KEPT_BYTES) this.#carry = EMPTY;
  }
}
