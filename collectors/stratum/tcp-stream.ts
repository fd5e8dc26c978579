/** Segments kept that came before the ones ahead of them. */
const MAX_WAITING = 64;

/** A piece of a stream: the next bytes, or null where bytes are missing. */
export type Piece<T> = { bytes: Buffer | null; when: T };

interface Waiting<T> {
  sequence: number;
  bytes: Buffer;
  length: number;
  when: T;
}

/**
 * Puts one direction of a TCP connection together again from segments that were recorded twice, out of order or not
 * at all. Bytes come out once and in order; where the receiver acknowledged what was never recorded, or too much waits
 * behind a hole, a gap comes out instead. Sequence numbers wrap at 2^32. `T` is whatever says when a segment came.
 */
export class TcpStream<T> {
  #next: number | null = null;
  #waiting: Waiting<T>[] = [];

  /** True when the stream's place is known, from a SYN or from data. */
  get started(): boolean {
    return this.#next !== null;
  }

  /** A SYN takes one number; data begins after it. */
  start(sequence: number): void {
    this.#next = (sequence + 1) >>> 0;
    this.#waiting = [];
  }

  /** Takes a segment with `length` bytes on the wire, of which `bytes` were recorded. */
  push(sequence: number, bytes: Buffer, length: number, when: T): Piece<T>[] {
    if (length === 0) return [];
    this.#next ??= sequence;
    if (before(this.#next, sequence)) {
      this.#keep({ sequence, bytes, length, when });
      return this.#waiting.length > MAX_WAITING ? this.#skip() : [];
    }
    const pieces: Piece<T>[] = [];
    this.#take({ sequence, bytes, length, when }, pieces);
    this.#drain(pieces);
    return pieces;
  }

  /** The receiver has everything before `sequence`: a hole there will not be filled. */
  acknowledge(sequence: number): Piece<T>[] {
    const first = this.#waiting[0];
    if (this.#next === null || !first || !before(this.#next, sequence) || before(sequence, first.sequence))
      return [];
    return this.#skip();
  }

  /** No more segments will come: what waits comes out, with gaps. */
  end(): Piece<T>[] {
    const pieces: Piece<T>[] = [];
    while (this.#waiting.length > 0) pieces.push(...this.#skip());
    return pieces;
  }

  #keep(segment: Waiting<T>): void {
    const at = this.#waiting.findIndex(({ sequence }) => !before(sequence, segment.sequence));
    if (at < 0) this.#waiting.push(segment);
    else this.#waiting.splice(at, 0, segment);
  }

  #skip(): Piece<T>[] {
    const first = this.#waiting[0]!;
    this.#next = first.sequence;
    const pieces: Piece<T>[] = [{ bytes: null, when: first.when }];
    this.#drain(pieces);
    return pieces;
  }

  #drain(pieces: Piece<T>[]): void {
    while (this.#waiting.length > 0 && !before(this.#next!, this.#waiting[0]!.sequence)) {
      this.#take(this.#waiting.shift()!, pieces);
    }
  }

  /** Takes a segment that begins at or before the next byte; what was seen already is cut off. */
  #take({ sequence, bytes, length, when }: Waiting<T>, pieces: Piece<T>[]): void {
    const seen = (this.#next! - sequence) >>> 0;
    if (seen >= length) return;
    if (seen < bytes.length) pieces.push({ bytes: bytes.subarray(seen), when });
    if (bytes.length < length) pieces.push({ bytes: null, when });
    this.#next = (sequence + length) >>> 0;
  }
}

/** True when `one` stands before `other` on the circle of 2^32 numbers. */
function before(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}
