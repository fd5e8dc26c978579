/** A datagram out of the ring. `bytes` is overwritten by the next read. */
export interface Arrived {
  bytes: Uint8Array;
  address: string;
  port: number;
}

/** What the two threads share: a ring of bytes, and counters that only grow (modulo 2^32). */
export interface SharedRing {
  bytes: SharedArrayBuffer;
  control: SharedArrayBuffer;
}

/** Places in `control`. Written and read are positions in bytes, the others counts. */
const WRITTEN = 0;
const READ = 1;
const RECEIVED = 2;
const DROPPED = 3;
const REFUSED = 4;
const CONTROLS = 5;

/**
 * [record length, 32 bits][payload length, 16][port, 16][address length, 8], padded to 16, then payload and address, padded
 * to 8. The payload is aligned because shared memory is copied by the word where both ends are, and else by the byte.
 */
const HEADER_BYTES = 16;
/** In place of a record's length: the rest of the ring is unused, the next record is at its start. */
const WRAPPED = 0xffff_ffff;
/** Any UDP payload with its header and the longest address must fit twice. */
const MIN_BYTES = 1 << 18;

/** Makes a ring of at least so many bytes, rounded up to a power of two. */
export function createSharedRing(bytes: number): SharedRing {
  const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, MIN_BYTES)));
  return {
    bytes: new SharedArrayBuffer(size),
    control: new SharedArrayBuffer(CONTROLS * Int32Array.BYTES_PER_ELEMENT),
  };
}

/**
 * The receiving thread's end. Exactly one writer: it needs no lock. Datagrams come in bursts from one exporter, so that
 * its address is turned into bytes, and back, only when it changes.
 */
export class RingWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #control: Int32Array;
  readonly #mask: number;
  #address = "";
  #addressBytes = new Uint8Array();

  constructor(ring: SharedRing) {
    this.#bytes = new Uint8Array(ring.bytes);
    this.#view = new DataView(ring.bytes);
    this.#control = new Int32Array(ring.control);
    this.#mask = ring.bytes.byteLength - 1;
  }

  /** Copies a datagram in. Where there is no room it is dropped and counted. */
  write(payload: Uint8Array, address: string, port: number): void {
    Atomics.add(this.#control, RECEIVED, 1);
    if (address !== this.#address) {
      this.#address = address;
      this.#addressBytes = Buffer.from(address, "latin1");
    }
    const length = (HEADER_BYTES + address.length + payload.length + 7) & ~7;
    const written = Atomics.load(this.#control, WRITTEN);
    const start = written & this.#mask;
    const untilEnd = this.#mask + 1 - start;
    const needed = length > untilEnd ? untilEnd + length : length;
    const used = (written - Atomics.load(this.#control, READ)) >>> 0;
    if (used + needed > this.#mask) {
      Atomics.add(this.#control, DROPPED, 1);
      return;
    }
    if (length > untilEnd) this.#view.setUint32(start, WRAPPED, true);
    const at = length > untilEnd ? 0 : start;
    this.#view.setUint32(at, length, true);
    this.#view.setUint16(at + 4, payload.length, true);
    this.#view.setUint16(at + 6, port, true);
    this.#bytes[at + 8] = address.length;
    this.#bytes.set(payload, at + HEADER_BYTES);
    this.#bytes.set(this.#addressBytes, at + HEADER_BYTES + payload.length);
    // Publishes the record: what stands before it in this thread is visible to whoever sees the new position.
    Atomics.store(this.#control, WRITTEN, (written + needed) | 0);
    Atomics.notify(this.#control, WRITTEN);
  }

  /** Counts a datagram that came from where none may. */
  refuse(): void {
    Atomics.add(this.#control, RECEIVED, 1);
    Atomics.add(this.#control, REFUSED, 1);
  }
}

/** The decoding thread's end. Exactly one reader. */
export class RingReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #address = "";
  readonly #control: Int32Array;
  readonly #mask: number;
  readonly #scratch = new Uint8Array(65_536);

  constructor(ring: SharedRing) {
    this.#bytes = Buffer.from(ring.bytes);
    this.#view = new DataView(ring.bytes);
    this.#control = new Int32Array(ring.control);
    this.#mask = ring.bytes.byteLength - 1;
  }

  /** The oldest datagram; nothing when there is none. */
  read(): Arrived | undefined {
    const written = Atomics.load(this.#control, WRITTEN);
    let position = Atomics.load(this.#control, READ);
    if (position === written) return undefined;
    let at = position & this.#mask;
    if (this.#view.getUint32(at, true) === WRAPPED) {
      position += this.#mask + 1 - at;
      at = 0;
    }
    const length = this.#view.getUint32(at, true);
    const payloadLength = this.#view.getUint16(at + 4, true);
    const port = this.#view.getUint16(at + 6, true);
    const from = at + HEADER_BYTES;
    const to = from + payloadLength;
    const address = this.#addressAt(to, to + this.#bytes[at + 8]!);
    // A copy, so that the room can be given back at once and decoding is on memory no other thread sees.
    const bytes = this.#scratch.subarray(0, payloadLength);
    bytes.set(this.#bytes.subarray(from, to));
    Atomics.store(this.#control, READ, (position + length) | 0);
    return { bytes, address, port };
  }

  /** The same text as long as it is the same address. */
  #addressAt(from: number, to: number): string {
    let same = to - from === this.#address.length;
    for (let at = from; same && at < to; at += 1)
      same = this.#bytes[at] === this.#address.charCodeAt(at - from);
    if (!same) this.#address = this.#bytes.toString("latin1", from, to);
    return this.#address;
  }

  /** Resolves when there is something to read, or when `wake` is called. */
  async readable(): Promise<void> {
    const read = Atomics.load(this.#control, READ);
    const waiting = Atomics.waitAsync(this.#control, WRITTEN, read);
    if (waiting.async) await waiting.value;
  }

  wake(): void {
    Atomics.notify(this.#control, WRITTEN);
  }

  /** Datagrams that came, those that found the ring full, and those from where none may. */
  counts(): { datagrams: number; dropped: number; refused: number } {
    const count = (place: number) => Atomics.load(this.#control, place) >>> 0;
    return { datagrams: count(RECEIVED), dropped: count(DROPPED), refused: count(REFUSED) };
  }
}
