import type { Layout } from "./layout.ts";
import { type Convention, type Numbered, Sequence } from "./sequence.ts";

/** Templates kept for one observation domain. Routers send fewer than 30. */
const MAX_TEMPLATES = 256;
/** Exporting processes (source ports) whose sequence is followed in one domain. */
const MAX_SEQUENCES = 8;
/** Samplers, and interfaces, whose rate is kept in one domain. */
const MAX_RATES = 4096;
/** Data sets held in one domain for templates that have not come. */
const MAX_HELD = 64;
/** A template neither sent nor used for so long is forgotten. */
const TEMPLATE_LIFE_MS = 24 * 3_600_000;

/** What all domains together hold, kept here so that spoofed exporters cannot add up. */
export interface Budget {
  templates: number;
  heldBytes: number;
}
/** All data sets held together, in bytes. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** A data set that came before its template, with the clocks of its message. */
export interface Held {
  bytes: Uint8Array;
  exportMs: number;
  shiftMs: number;
  uptimeMs: number;
}

interface Template {
  layout: Layout;
  seenMs: number;
  /** Has data been read with it? What has never been is the first to go. */
  used: boolean;
}

function keepBelow<Key>(map: Map<Key, unknown>, most: number): void {
  if (map.size < most) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** One observation domain of one exporter in one protocol version: its templates, sampling rates and sequences. */
export class Domain {
  readonly version: number;
  readonly id: number;
  /** Sampling rate by sampler id, and by interface. */
  readonly samplers = new Map<number, number>();
  readonly interfaces = new Map<number, number>();
  /** Rate of everything those two do not name; 1 is unsampled. */
  sampling = 1;
  /** When the exporter booted, as an options record told; NaN when none did. */
  bootMs = Number.NaN;
  /** How this exporter is known to count, for sequences yet to come. */
  convention: Convention;
  readonly #budget: Budget;
  readonly #templates = new Map<number, Template>();
  readonly #sequences = new Map<number, Sequence>();
  readonly #held = new Map<number, Held[]>();
  #heldSets = 0;

  constructor(version: number, id: number, budget: Budget) {
    this.version = version;
    this.id = id;
    this.#budget = budget;
    this.convention = version === 9 || version === 0 ? "datagrams" : "records-before";
  }

  /**
   * Follows the count of the process behind this source port, for a restarted exporter counts anew and from another
   * one. Returns how many records are newly known to be lost. A new process may be the successor of one that will
   * never send again: what the others miss is told at once.
   */
  follow(port: number, numbered: Numbered): number {
    let lost = 0;
    let sequence = this.#sequences.get(port);
    if (!sequence) {
      for (const other of this.#sequences.values()) lost += other.close();
      keepBelow(this.#sequences, MAX_SEQUENCES);
      sequence = new Sequence(this.convention);
      this.#sequences.set(port, sequence);
    }
    lost += sequence.observe(numbered);
    this.convention = sequence.convention;
    return lost;
  }

  /** The layout of a template still in force, marked as used. */
  layout(id: number, nowMs: number): Layout | undefined {
    const template = this.#templates.get(id);
    if (!template) return undefined;
    if (nowMs - template.seenMs > TEMPLATE_LIFE_MS) {
      this.#forget(id);
      return undefined;
    }
    template.seenMs = nowMs;
    template.used = true;
    return template.layout;
  }

  /** Keeps a template; says whether it changed anything. */
  define(id: number, layout: Layout, nowMs: number): "new" | "same" | "redefined" {
    const known = this.#templates.get(id);
    if (known && known.layout.options === layout.options && sameFields(known.layout, layout)) {
      known.seenMs = nowMs;
      return "same";
    }
    if (!known) {
      if (this.#templates.size >= MAX_TEMPLATES) this.#forget(this.#leastUseful());
      this.#budget.templates += 1;
    }
    this.#templates.set(id, { layout, seenMs: nowMs, used: false });
    return known ? "redefined" : "new";
  }

  /** The oldest template no data was read with; the oldest of all when every one was. */
  #leastUseful(): number {
    for (const [id, template] of this.#templates) if (!template.used) return id;
    return this.#templates.keys().next().value ?? -1;
  }

  #forget(id: number): void {
    if (this.#templates.delete(id)) this.#budget.templates -= 1;
  }

  get size(): number {
    return this.#templates.size;
  }

  templates(): Iterable<readonly [number, Layout]> {
    return this.#templates.entries().map(([id, template]) => [id, template.layout] as const);
  }

  setRate(of: Map<number, number>, id: number, rate: number): void {
    if (!of.has(id)) keepBelow(of, MAX_RATES);
    of.set(id, rate);
  }

  /** Holds a data set until its template comes. Returns how many sets, older ones or this, had to be given up. */
  hold(id: number, held: Held): number {
    let givenUp = 0;
    while (this.#heldSets >= MAX_HELD || this.#budget.heldBytes + held.bytes.length > MAX_HELD_BYTES) {
      const oldest = this.#held.keys().next();
      if (oldest.done) return givenUp + 1;
      givenUp += this.release(oldest.value).length;
    }
    const waiting = this.#held.get(id);
    if (waiting) waiting.push(held);
    else this.#held.set(id, [held]);
    this.#heldSets += 1;
    this.#budget.heldBytes += held.bytes.length;
    return givenUp;
  }

  /** Hands over, and forgets, what waited for a template. */
  release(id: number): readonly Held[] {
    const waiting = this.#held.get(id);
    if (!waiting) return [];
    this.#held.delete(id);
    this.#heldSets -= waiting.length;
    for (const held of waiting) this.#budget.heldBytes -= held.bytes.length;
    return waiting;
  }

  /** Gives back everything it took from the budget. */
  close(): number {
    let givenUp = 0;
    for (const id of [...this.#held.keys()]) givenUp += this.release(id).length;
    for (const id of [...this.#templates.keys()]) this.#forget(id);
    return givenUp;
  }
}

function sameFields(one: Layout, other: Layout): boolean {
  return (
    one.fields.length === other.fields.length &&
    one.fields.every((value, index) => value === other.fields[index])
  );
}
