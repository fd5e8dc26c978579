import { setImmediate } from "node:timers";
import type { Decoder } from "./decoder.ts";
import type { Direction, Moment } from "./ledger-context.ts";

/** One connection's decoder as the backlog drives it; null once it failed. */
export interface Decoding {
  decoder: Decoder | null;
  /** Directions whose bytes were dropped since the last ones that were kept. */
  lost: Set<Direction> | null;
}

interface Entry {
  decoding: Decoding;
  direction: Direction | "close";
  /** Null stands for bytes that were dropped here. */
  chunk: Buffer | null;
  moment: Moment;
  reason: string;
}

/** Bounds and clock of a backlog. */
export interface BacklogOptions {
  /** Bytes that may wait to be decoded; further ones are forwarded all the same and dropped here. */
  limitBytes: number;
  /** Longest run of decoding before sockets are served again, in milliseconds. */
  sliceMs: number;
  tick: () => number;
  /** A decoder threw; it is not called again. */
  onFailure: (error: unknown) => void;
}

/** What an entry costs beside its bytes, so that a flood of tiny packets is bounded too. */
const ENTRY_BYTES = 256;
/** How many entries are decoded between two looks at the clock. */
const ENTRIES_A_LOOK = 4;

/**
 * Decodes copies of forwarded bytes after everything readable has been forwarded: in the event loop's check phase, a
 * bounded slice at a time. A decoder that is slow or throws costs observations, never a miner's connection.
 */
export class DecodeBacklog {
  droppedBytes = 0;
  failures = 0;
  readonly #options: BacklogOptions;
  #entries: Entry[] = [];
  #next = 0;
  #bytes = 0;
  #scheduled = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Bytes waiting now, with what keeping them costs. */
  get bytes(): number {
    return this.#bytes;
  }

  push(decoding: Decoding, direction: Direction, chunk: Buffer, moment: Moment): void {
    if (decoding.decoder === null) return;
    if (this.#bytes + chunk.length + ENTRY_BYTES > this.#options.limitBytes) {
      this.droppedBytes += chunk.length;
      decoding.lost ??= new Set();
      decoding.lost.add(direction);
      return;
    }
    if (decoding.lost?.delete(direction)) this.#add({ decoding, direction, chunk: null, moment, reason: "" });
    this.#bytes += chunk.length + ENTRY_BYTES;
    this.#add({ decoding, direction, chunk, moment, reason: "" });
  }

  close(decoding: Decoding, moment: Moment, reason: string): void {
    this.#add({ decoding, direction: "close", chunk: null, moment, reason });
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#run());
    }
  }

  #run(): void {
    const end = this.#options.tick() + this.#options.sliceMs;
    do {
      for (let count = 0; count < ENTRIES_A_LOOK && this.#next < this.#entries.length; count += 1) {
        this.#decode(this.#entries[this.#next++]!);
      }
    } while (this.#next < this.#entries.length && this.#options.tick() < end);
    if (this.#next < this.#entries.length) {
      if (this.#next > 1024) this.#compact();
      setImmediate(() => this.#run());
      return;
    }
    this.#compact();
    this.#scheduled = false;
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#next);
    this.#next = 0;
  }

  #decode({ decoding, direction, chunk, moment, reason }: Entry): void {
    if (chunk !== null) this.#bytes -= chunk.length + ENTRY_BYTES;
    if (decoding.decoder === null) return;
    try {
      if (direction === "close") decoding.decoder.close(moment, reason);
      else if (chunk === null) decoding.decoder.gap(direction);
      else decoding.decoder.push(direction, chunk, moment);
    } catch (error) {
      decoding.decoder = null;
      this.failures += 1;
      this.#options.onFailure(error);
    }
  }
}
