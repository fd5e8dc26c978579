import { bitcoin } from "./bitcoin.ts";
import type { LedgerContext, Moment, SessionIdentity } from "./ledger-context.ts";
import { LineFramer } from "./line-framer.ts";
import { readMessage } from "./message.ts";
import { SessionLedger } from "./session-ledger.ts";

/** Which way bytes go: `up` from the miner to the pool, `down` from the pool to the miner. */
export type Direction = "up" | "down";

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

/** Decoders of line-framed stratum; `maxLineBytes` bounds a message. Memory per connection is bounded throughout. */
export function createDecoderFactory(context: LedgerContext, maxLineBytes: number): DecoderFactory {
  return (identity, moment) => {
    const ledger = new SessionLedger(context, identity);
    const framers = { up: new LineFramer(maxLineBytes), down: new LineFramer(maxLineBytes) };
    const { counters } = context;
    ledger.opened(moment);

    function read(direction: Direction, line: string, at: Moment): void {
      const message = readMessage(line);
      if (message === null) {
        if (line.trim() === "") return;
        counters.malformed += 1;
        context.refuse("not a JSON message", identity.session);
        return;
      }
      counters.messages += 1;
      if (direction === "up") bitcoin.fromMiner(message, at, ledger);
      else bitcoin.fromPool(message, at, ledger);
    }

    return {
      push(direction, chunk, at) {
        const framer = framers[direction];
        const before = framer.oversized;
        for (const line of framer.push(chunk)) read(direction, line, at);
        for (let count = before; count < framer.oversized; count += 1) {
          counters.oversized += 1;
          context.refuse("message longer than the limit", identity.session);
        }
      },
      gap(direction) {
        framers[direction].gap();
        // A set_difficulty may be among what is missing: shares are not counted at a guess.
        if (direction === "down") ledger.difficulty = Number.NaN;
      },
      kernelRoundTrip: (at, milliseconds) => ledger.kernelRoundTrip(at, milliseconds),
      close: (at, reason) => ledger.closed(at, reason),
    };
  };
}
