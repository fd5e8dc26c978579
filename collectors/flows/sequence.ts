/**
 * How many records an exporter sent that never came. Exporters number their datagrams differently: NetFlow v5 counts
 * flows and v9 datagrams, IPFIX (RFC 7011 section 3.1) data records before the message; softflowd's IPFIX counts
 * its own message's records too, and not its options records. So no convention is believed on its version's word:
 * each claims where a datagram starts and ends in the exporter's count, and the one whose ends meet the next starts
 * wins. What is missing is then the length of the count less what was received, which neither a late datagram nor a
 * misjudged convention can falsify: both cancel out.
 */
export const CONVENTIONS = [
  "records-before",
  "records-with",
  "flows-before",
  "flows-with",
  "datagrams",
] as const;
export type Convention = (typeof CONVENTIONS)[number];
const DATAGRAMS = CONVENTIONS.indexOf("datagrams");

/** A gap must outlive this many datagrams to count as lost: reordering on real paths is shorter. */
const SETTLE = 8;
/** While the believed convention is contradicted, all old contradictions fade by this factor a datagram: software changes. */
const FADE = 0.9;
/** Contradictions counted at most, so that what is long refuted can be believed again within some thirty datagrams. */
const MAX_CONTRADICTIONS = 16;
/** A convention so much more contradicted than another is given up for it. */
const LEAD = 2;
/** Conventions this close to the best are as good as it: of what they say is missing, the least is told. */
const CLOSE = 0.5;
/** Further back than this many datagrams is not late but a restart. */
const LATE_DATAGRAMS = 64;
/** Further ahead than this many datagrams is not loss but a new count: nobody can say what happened between. */
const JUMP_DATAGRAMS = 100_000;

/** What one datagram says: its number, the records in it, and the exporter's clocks (uptime NaN where it has none). */
export interface Numbered {
  sequence: number;
  /** Data records of flows; NaN when a template was missing and they could not be counted. */
  flows: number;
  /** Data records of every kind, options among them; NaN likewise. */
  records: number;
  exportMs: number;
  uptimeMs: number;
}

/** The loss of one exporting process. `hint` is the convention its exporter was known for. */
export class Sequence {
  /** Records lost for certain, ever growing. */
  lost = 0;
  /** Datagrams that came after a later one. */
  late = 0;
  /** How often the count began anew. */
  restarts = 0;
  #believed: number;
  readonly #ends = new Float64Array(CONVENTIONS.length).fill(Number.NaN);
  readonly #missing = new Float64Array(CONVENTIONS.length);
  /** Datagrams that met another convention's expectation and not this one's. */
  readonly #contradictions = new Float64Array(CONVENTIONS.length);
  readonly #met = new Uint8Array(CONVENTIONS.length);
  /** The least missing count after each of the last datagrams, oldest first. */
  readonly #recent: number[] = [];
  #datagrams = 0;
  #flows = 0;
  #uptimeMs = Number.NaN;
  #exportMs = Number.NaN;

  constructor(hint: Convention) {
    this.#believed = CONVENTIONS.indexOf(hint);
  }

  get convention(): Convention {
    return CONVENTIONS[this.#believed]!;
  }

  /** Takes the next datagram and returns how many records are newly known to be lost (mostly 0). */
  observe(datagram: Numbered): number {
    if (datagram.flows >= 0) {
      this.#datagrams += 1;
      this.#flows += datagram.flows;
    }
    const fresh = this.#beginsAnew(datagram);
    if (fresh) {
      this.restarts += 1;
      this.#ends.fill(Number.NaN);
    }
    this.#met.fill(0);
    for (let index = 0; index < CONVENTIONS.length; index += 1) this.#follow(index, datagram);
    if (this.#met.includes(1)) this.#contradict();
    this.#uptimeMs = datagram.uptimeMs;
    this.#exportMs = datagram.exportMs;
    return this.#settle();
  }

  #beginsAnew(datagram: Numbered): boolean {
    const end = this.#ends[this.#believed]!;
    if (Number.isNaN(end)) return false;
    const start = startOf(this.#believed, datagram);
    const distance = (start - end) | 0;
    // Uptime moving back by over a second, with the count, is a reboot; the wrap after 49.7 days moves it on.
    if (distance < 0 && ((datagram.uptimeMs - this.#uptimeMs) | 0) < -1000) return true;
    if (distance < 0 && start === 0 && datagram.exportMs > this.#exportMs) return true;
    const unit = this.#believed === DATAGRAMS ? 1 : Math.max(1, this.#meanFlows());
    return distance < -LATE_DATAGRAMS * unit || distance > JUMP_DATAGRAMS * unit;
  }

  #follow(index: number, datagram: Numbered): void {
    const length = lengthOf(index, datagram);
    const start = startOf(index, datagram);
    const before = this.#ends[index]!;
    const end = (start + length) >>> 0;
    if (Number.isNaN(length) || Number.isNaN(before)) {
      this.#ends[index] = Number.isNaN(length) ? Number.NaN : end;
      return;
    }
    if (start === before) this.#met[index] = 1;
    const advance = (end - before) | 0;
    if (advance > 0) this.#ends[index] = end;
    else if (index === this.#believed && length > 0) this.late += 1;
    // Where datagrams are numbered, how many records the missing ones held is estimated by those that came before.
    const records = index === DATAGRAMS ? this.#meanFlows() : 1;
    this.#missing[index] = this.#missing[index]! + (Math.max(advance, 0) - length) * records;
  }

  #contradict(): void {
    const fade = this.#met[this.#believed] === 1 ? 1 : FADE;
    let best = this.#believed;
    for (let index = 0; index < CONVENTIONS.length; index += 1) {
      const contradicted = this.#contradictions[index]! * fade + 1 - this.#met[index]!;
      this.#contradictions[index] = Math.min(contradicted, MAX_CONTRADICTIONS);
      if (this.#contradictions[index]! < this.#contradictions[best]!) best = index;
    }
    if (this.#contradictions[best]! <= this.#contradictions[this.#believed]! - LEAD) this.#believed = best;
  }

  /** Nothing late is waited for any more: returns how many records are thereby newly known to be lost. */
  close(): number {
    return this.#tell(this.#recent.at(-1) ?? 0);
  }

  #settle(): number {
    const best = Math.min(...this.#contradictions);
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < CONVENTIONS.length; index += 1) {
      if (this.#contradictions[index]! > best + CLOSE) continue;
      least = Math.min(least, this.#missing[index]!);
    }
    this.#recent.push(least);
    if (this.#recent.length <= SETTLE) return 0;
    this.#recent.shift();
    return this.#tell(Math.min(...this.#recent));
  }

  #tell(missing: number): number {
    const newly = Math.round(missing) - this.lost;
    if (newly <= 0) return 0;
    this.lost += newly;
    return newly;
  }

  #meanFlows(): number {
    return this.#datagrams === 0 ? 0 : this.#flows / this.#datagrams;
  }
}

/** Where the datagram starts in the exporter's count, by convention, modulo 2^32. */
function startOf(convention: number, { sequence, flows, records }: Numbered): number {
  if (convention === 1) return (sequence - records) >>> 0;
  if (convention === 3) return (sequence - flows) >>> 0;
  return sequence;
}

/** How far the datagram moves the exporter's count on. */
function lengthOf(convention: number, { flows, records }: Numbered): number {
  if (convention === DATAGRAMS) return 1;
  return convention < 2 ? records : flows;
}
