import { createHash } from "node:crypto";

/** The client's fingerprint, how many bytes of the connection must be there before asking again, or why it has none. */
export type ClientHello = { fingerprint: string } | { needed: number } | { reason: string };

const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** Largest hello read; those of browsers with post-quantum key shares have about 2 kB. One record holds as much (RFC 8446, 5.1). */
const MAX_HELLO_BYTES = 16_384;
/** Records one hello may be cut into: OpenSSL and NSS need one. */
const MAX_RECORDS = 16;
/** Bytes on the wire of what is read at most. */
const MAX_BYTES = MAX_HELLO_BYTES + MAX_RECORDS * RECORD_HEADER;
const MALFORMED = { reason: "malformed TLS hello" };
const EMPTY_HASH = "0".repeat(12);
const [SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS] = [0, 13, 16, 43];
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
  [0x0002, "s2"],
]);

/** Collects the beginning of a connection until its hello is whole. Holds at most the largest hello and its headers. */
export class ClientHelloReader {
  #bytes = Buffer.alloc(0);
  #held = 0;
  #needed = RECORD_HEADER;

  /** What was pushed, while more is needed. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#held);
  }

  /** The chunk is copied. After an answer that is not `needed` it must not be called again. */
  push(chunk: Buffer): ClientHello {
    const wanted = chunk.subarray(0, MAX_BYTES - this.#held);
    const held = this.#held + wanted.length;
    if (held > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(held, 2 * this.#bytes.length, 512));
      this.#bytes.copy(grown, 0, 0, this.#held);
      this.#bytes = grown;
    }
    wanted.copy(this.#bytes, this.#held);
    this.#held = held;
    if (held < this.#needed) return { needed: this.#needed };
    const read = readClientHello(this.#bytes.subarray(0, held));
    if ("needed" in read) this.#needed = read.needed;
    return read;
  }
}

/**
 * Reads the first bytes of a connection as a TLS client's hello (RFC 8446, 4.1.2) and gives its JA4 fingerprint, as FoxIO's
 * technical details define it: what the client's TLS library and its settings look like, whatever the address. Never throws.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = joinRecords(bytes);
  if (!Buffer.isBuffer(message)) return message;
  const cursor = new Cursor(message.subarray(4));
  const legacyVersion = cursor.number(2);
  cursor.take(32);
  cursor.list(1);
  const ciphers = cursor.list(2).numbers(2);
  cursor.list(1);
  const extensions = cursor.left > 0 ? readExtensions(cursor.list(2)) : NO_EXTENSIONS;
  if (cursor.broken || cursor.left > 0 || extensions === null) return MALFORMED;
  return { fingerprint: fingerprint(legacyVersion, ciphers.filter(isReal), extensions) };
}

interface Extensions {
  types: number[];
  versions: number[];
  signatureAlgorithms: number[];
  alpn: Buffer;
}

const NO_EXTENSIONS: Extensions = { types: [], versions: [], signatureAlgorithms: [], alpn: Buffer.alloc(0) };

/** The handshake message that the records hold, with its header of four bytes. */
function joinRecords(bytes: Buffer): Buffer | Exclude<ClientHello, { fingerprint: string }> {
  const fragments: Buffer[] = [];
  let length = 0;
  for (let at = 0, count = 0; ; count += 1) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE) return MALFORMED;
    if (bytes.length < at + RECORD_HEADER) return { needed: at + RECORD_HEADER };
    const size = bytes.readUInt16BE(at + 3);
    if (bytes[at + 1] !== 3 || size === 0 || size > MAX_HELLO_BYTES || count === MAX_RECORDS)
      return MALFORMED;
    at += RECORD_HEADER;
    if (at + size > MAX_BYTES) return MALFORMED;
    if (bytes.length < at + size) return { needed: at + size };
    fragments.push(bytes.subarray(at, at + size));
    length += size;
    at += size;
    if (length < 4) continue;
    const message = fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
    const whole = 4 + message.readUIntBE(1, 3);
    if (message[0] !== CLIENT_HELLO || whole > MAX_HELLO_BYTES) return MALFORMED;
    if (length >= whole) return message.subarray(0, whole);
  }
}

function readExtensions(list: Cursor): Extensions | null {
  const read = { ...NO_EXTENSIONS, types: [] as number[] };
  while (list.left > 0) {
    const type = list.number(2);
    const content = list.list(2);
    if (isReal(type)) read.types.push(type);
    if (type === SUPPORTED_VERSIONS) read.versions = content.list(1).numbers(2).filter(isReal);
    if (type === SIGNATURE_ALGORITHMS) read.signatureAlgorithms = content.list(2).numbers(2);
    const names = type === ALPN ? content.list(2) : null;
    if (names) read.alpn = names.list(1).rest();
    if (list.broken || content.broken || names?.broken) return null;
  }
  return read;
}

function fingerprint(legacyVersion: number, ciphers: number[], extensions: Extensions): string {
  const { types, versions, signatureAlgorithms, alpn } = extensions;
  const version = VERSIONS.get(versions.length > 0 ? Math.max(...versions) : legacyVersion) ?? "00";
  const name = types.includes(SERVER_NAME) ? "d" : "i";
  const counts = [ciphers, types].map(({ length }) => String(Math.min(length, 99)).padStart(2, "0")).join("");
  const sorted = types.filter((type) => type !== SERVER_NAME && type !== ALPN);
  const offered = [hexList(sorted.sort(ascending))];
  if (signatureAlgorithms.length > 0) offered.push(hexList(signatureAlgorithms));
  const ciphersHash = ciphers.length > 0 ? hash(hexList(ciphers.sort(ascending))) : EMPTY_HASH;
  const offeredHash = types.length > 0 ? hash(offered.join("_")) : EMPTY_HASH;
  return `t${version}${name}${counts}${alpnMark(alpn)}_${ciphersHash}_${offeredHash}`;
}

/** First and last character of the first protocol offered; of its hexadecimal form where one is no letter or digit. */
function alpnMark(alpn: Buffer): string {
  if (alpn.length === 0) return "00";
  const text = alpn.toString("latin1");
  const shown = /^[0-9A-Za-z](?:.*[0-9A-Za-z])?$/s.test(text) ? text : alpn.toString("hex");
  return `${shown[0]}${shown.at(-1)}`;
}

/** GREASE (RFC 8701) is random on purpose: 0x0a0a, 0x1a1a, … 0xfafa. */
function isReal(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff);
}

function ascending(one: number, other: number): number {
  return one - other;
}

function hexList(values: readonly number[]): string {
  return values.map((value) => value.toString(16).padStart(4, "0")).join(",");
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Reads forwards and never beyond its end: what is not there is 0 or empty, and `broken` says so. */
class Cursor {
  broken = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(size: number): Buffer {
    if (size > this.left) this.broken = true;
    const taken = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at = Math.min(this.#at + size, this.#bytes.length);
    return taken;
  }

  rest(): Buffer {
    return this.take(this.left);
  }

  number(size: number): number {
    const taken = this.take(size);
    return this.broken ? 0 : taken.readUIntBE(0, size);
  }

  /** What is behind a length of `size` bytes. */
  list(size: number): Cursor {
    const inner = new Cursor(this.take(this.number(size)));
    inner.broken = this.broken;
    return inner;
  }

  numbers(size: number): number[] {
    const values: number[] = [];
    while (this.left >= size) values.push(this.number(size));
    return values;
  }
}
