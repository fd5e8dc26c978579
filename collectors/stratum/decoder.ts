import { ClientHelloReader } from "./client-hello.ts";
import { type Dialect, type Opaque, recognise, sniff } from "./dialects.ts";
import type { Direction, LedgerContext, Moment, SessionIdentity } from "./ledger-context.ts";
import { LineFramer } from "./line-framer.ts";
import { readMessage } from "./message.ts";
import { SessionLedger } from "./session-ledger.ts";

/**
 * Reads a copy of what goes through one connection and tells what it means. It only listens: nothing it does reaches
 * the connection. Calls come in the order the bytes came.
 */
export interface Decoder {
  push(direction: Direction, chunk: Buffer, moment: Moment): void;
  /** Bytes of this direction are missing before the next ones. */
  gap(direction: Direction): void;
  kernelRoundTrip(moment: Moment, milliseconds: number): void;
  close(moment: Moment, reason: string): void;
}

/** What makes a decoder for a connection that has just been opened. */
export type DecoderFactory = (identity: SessionIdentity, moment: Moment) => Decoder;

/** How decoders treat their connections. */
export interface DecoderOptions {
  /** Bounds a message. */
  maxLineBytes: number;
  /** Tell sessions only of connections known to speak stratum: among a network's traffic, not in front of a pool. */
  onlyRecognised?: boolean;
}

/** Lines that are no JSON before the first message: then it is no stratum either. */
const MAX_STRANGE_LINES = 16;

/**
 * Decoders that recognise a connection's dialect by its content. What is no line-framed JSON is told as an opaque session:
 * its opening, its close and nothing between. Memory per connection is bounded throughout.
 */
export function createDecoderFactory(context: LedgerContext, options: DecoderOptions): DecoderFactory {
  return (identity, moment) => new ConnectionDecoder(context, options, identity, moment);
}

class ConnectionDecoder implements Decoder {
  readonly #ledger: SessionLedger;
  readonly #options: DecoderOptions;
  readonly #openedAt: Moment;
  #framers: Record<Direction, LineFramer> | null;
  #dialect: Dialect | null = null;
  #opaque: Opaque | null = null;
  /** While a TLS client's hello is being read. */
  #hello: ClientHelloReader | null = null;
  #told = false;
  #sniffing: boolean;
  #strangeLines = 0;

  constructor(context: LedgerContext, options: DecoderOptions, identity: SessionIdentity, moment: Moment) {
    this.#ledger = new SessionLedger(context, identity);
    this.#options = options;
    this.#openedAt = moment;
    this.#framers = { up: new LineFramer(options.maxLineBytes), down: new LineFramer(options.maxLineBytes) };
    this.#sniffing = !identity.midStream;
    if (!options.onlyRecognised) this.#tellOpening();
  }

  push(direction: Direction, chunk: Buffer, moment: Moment): void {
    if (this.#sniffing && direction === "up") this.#sniff(chunk);
    if (this.#hello !== null && direction === "up") this.#readHello(this.#hello, chunk, moment);
    if (this.#framers === null) return;
    const framer = this.#framers[direction];
    const before = framer.oversized;
    for (const line of framer.push(chunk)) this.#read(direction, line, moment);
    for (let count = before; count < framer.oversized; count += 1) this.#count("oversized");
  }

  gap(direction: Direction): void {
    this.#framers?.[direction].gap();
    if (direction === "up") this.#hello = null;
    // A set_difficulty may be among what is missing: shares are not counted at a guess.
    if (direction === "down") this.#ledger.forgetDifficulty();
  }

  kernelRoundTrip(moment: Moment, milliseconds: number): void {
    this.#ledger.kernelRoundTrip(moment, milliseconds);
  }

  close(moment: Moment, reason: string): void {
    if (!this.#told) return;
    this.#ledger.closed(moment, this.#opaque === null ? reason : `${this.#opaque}, not decoded; ${reason}`);
  }

  #sniff(chunk: Buffer): void {
    const opaque = sniff(chunk);
    if (opaque !== null) this.#giveUp(opaque);
    else if (chunk.some((byte) => byte > 0x20)) this.#sniffing = false;
  }

  #giveUp(opaque: Opaque): void {
    this.#sniffing = false;
    this.#opaque = opaque;
    this.#framers = null;
    this.#ledger.context.counters.opaque += 1;
    if (opaque !== "tls") return;
    this.#ledger.identity.tls = true;
    this.#hello = new ClientHelloReader();
  }

  #readHello(hello: ClientHelloReader, chunk: Buffer, moment: Moment): void {
    const read = hello.push(chunk);
    if ("needed" in read) return;
    this.#hello = null;
    if ("reason" in read) return;
    this.#ledger.identity.tlsFingerprint = read.fingerprint;
    if (this.#told) this.#ledger.opened(moment);
  }

  #read(direction: Direction, line: string, moment: Moment): void {
    if (this.#framers === null) return;
    const message = readMessage(line);
    if (message === null) {
      if (line.trim() === "") return;
      if (this.#dialect !== null || !this.#options.onlyRecognised) this.#count("malformed");
      this.#strangeLines += 1;
      if (this.#dialect === null && this.#strangeLines >= MAX_STRANGE_LINES) this.#giveUp("unknown");
      return;
    }
    this.#ledger.context.counters.messages += 1;
    if (this.#dialect === null) {
      this.#dialect = recognise(message, direction)?.(this.#ledger) ?? null;
      if (this.#dialect === null) return;
      this.#tellOpening();
    }
    if (direction === "up") this.#dialect.fromMiner(message, moment);
    else this.#dialect.fromPool(message, moment);
  }

  #tellOpening(): void {
    if (this.#told) return;
    this.#told = true;
    this.#ledger.opened(this.#openedAt);
  }

  #count(what: "oversized" | "malformed"): void {
    const { context, identity } = this.#ledger;
    context.counters[what] += 1;
    context.refuse(
      what === "oversized" ? "message longer than the limit" : "not a JSON message",
      identity.session,
    );
  }
}
