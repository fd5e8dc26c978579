import { FOCUS_CELLS } from "#core/focus.ts";
import { BASELINE_CELLS } from "#core/rate-changes.ts";

/**
 * Where an account's numbers stand. A million accounts must stay compact, so numbers live in shared chunks of typed
 * arrays and an account holds only its place in one: no objects per account but its name and its few sources.
 */

let next = 0;
const cell = (width = 1): number => {
  const at = next;
  next += width;
  return at;
};

/** Change points remembered per account; the oldest gives way. */
export const CHANGES = 8;
/** Hours of history per account: one week. */
export const HOURS = 168;
/** Whole hours among them: the running one has taken the oldest's place. */
export const WHOLE_HOURS = HOURS - 1;

/** Time constant of the `month…` sums, hours. */
export const MONTH_HOURS = 720;
/** Time constant of the `quarter…` sums, hours: people act seldom, and their habits last. */
export const QUARTER_HOURS = 2160;

/** Hours, of a rhythm of `timeConstant`, that a decaying sum over an account of `ageHours` stands for. */
export function effectiveHours(ageHours: number, timeConstant: number): number {
  return (1 - Math.exp(-ageHours / timeConstant)) / (Math.exp(1 / timeConstant) - 1);
}

/** Offsets into the doubles of one account. `day…`, `week…`, `month…` and `quarter…` are sums that decay with 24, 168, 720 and 2160 hours. */
export const CELL = {
  firstMs: cell(),
  lastMs: cell(),
  lastShareMs: cell(),
  /** Instant before which nothing counts as an operator's action. */
  actionsFromMs: cell(),
  /** Hour (since the epoch) the running hour belongs to. */
  hour: cell(),
  hourShares: cell(),
  hourWork: cell(),
  dayShares: cell(),
  dayWork: cell(),
  dayStale: cell(),
  dayRejected: cell(),
  weekWork: cell(),
  dayLocated: cell(),
  dayHosting: cell(),
  dayHidden: cell(),
  daySatellite: cell(),
  dayUnknown: cell(),
  dayComprehensive: cell(),
  weekLocated: cell(),
  weekWatch: cell(),
  dayAgented: cell(),
  dayProxyAgent: cell(),
  dayRentalAgent: cell(),
  daySessions: cell(),
  daySources: cell(),
  /** Sessions of the day that told both round trips, those with a leg behind the address, and the legs' logarithms. */
  dayLegged: cell(),
  dayHiddenLegs: cell(),
  dayLegLog: cell(),
  /** Last hour (since the epoch) in which somebody acted: a morning's work on many machines is one action. */
  actionHour: cell(),
  quarterActions: cell(),
  quarterActionsCos: cell(),
  quarterActionsSin: cell(),
  quarterPyongyang: cell(),
  quarterLocal: cell(),
  /** Log-likelihood ratio of the actions' hours, nats: Pyongyang's against an owner's. */
  quarterHoursEvidence: cell(),
  /** Restarts, each by how likely somebody did it, and what their hours say, nats. */
  quarterRestarts: cell(),
  quarterRestartEvidence: cell(),
  /** Returns from a silence of a day or more. */
  quarterReturns: cell(),
  /** The latest break: its network (network-of.ts), beginning, connections that ended and that stood (restarts.ts). */
  breakNetwork: cell(),
  breakMs: cell(),
  breakEnded: cell(),
  breakStood: cell(),
  /** When the last break began that looked like a restart. */
  restartMs: cell(),
  monthPayouts: cell(),
  monthNearThreshold: cell(),
  /** Payouts whose worth is known, their log10 in US dollars, and its square. */
  monthPriced: cell(),
  monthUsdLog: cell(),
  monthUsdLogSquare: cell(),
  /** Last share before a silence of a day or more, and the work of an active hour before it. */
  quietFromMs: cell(),
  quietWork: cell(),
  /** The last return from such a silence: when, after how many hours, and the work of an active hour before. */
  returnMs: cell(),
  silentHours: cell(),
  workBefore: cell(),
  weekAddressChanges: cell(),
  weekUp: cell(),
  weekDown: cell(),
  /** Least round trips of today and yesterday, ms; Infinity where none was measured. */
  tcpToday: cell(),
  tcpYesterday: cell(),
  appToday: cell(),
  appYesterday: cell(),
  /** Baseline of the change detector, as rate-changes.ts lays it out. */
  baseline: cell(BASELINE_CELLS),
  /** The hour (since the epoch) that `factor` of its daily profile is of (daily-profile.ts). */
  factorHour: cell(),
  factor: cell(),
  /** End of the newest window, where it was assessed as one to flag; else 0 (flagged.ts). */
  flaggedMs: cell(),
  changeCount: cell(),
  /** `CHANGES` triples: instant, log2 of the ratio, log-likelihood ratio. */
  changes: cell(3 * CHANGES),
  /** Hash of the newest worker's name template, and of its agent: for linkage. */
  templateHash: cell(),
  agentHash: cell(),
  /** Hash of the TLS fingerprint of the newest login; 0 where none was seen. */
  tlsHash: cell(),
  payoutHash: cell(),
  focus: cell(FOCUS_CELLS),
} as const;

/** Sums that decay by the hour with a time constant of 24 hours. */
export const DAY_CELLS: readonly number[] = [
  CELL.dayShares,
  CELL.dayWork,
  CELL.dayStale,
  CELL.dayRejected,
  CELL.dayLocated,
  CELL.dayHosting,
  CELL.dayHidden,
  CELL.daySatellite,
  CELL.dayUnknown,
  CELL.dayComprehensive,
  CELL.dayAgented,
  CELL.dayProxyAgent,
  CELL.dayRentalAgent,
  CELL.daySessions,
  CELL.daySources,
  CELL.dayLegged,
  CELL.dayHiddenLegs,
  CELL.dayLegLog,
];

/** Sums that decay by the hour with a time constant of 168 hours. */
export const WEEK_CELLS: readonly number[] = [
  CELL.weekWork,
  CELL.weekLocated,
  CELL.weekWatch,
  CELL.weekAddressChanges,
  CELL.weekUp,
  CELL.weekDown,
];

/** Sums that decay by the hour with a time constant of `MONTH_HOURS`. */
export const MONTH_CELLS: readonly number[] = [
  CELL.monthPayouts,
  CELL.monthNearThreshold,
  CELL.monthPriced,
  CELL.monthUsdLog,
  CELL.monthUsdLogSquare,
];

/** Sums that decay by the hour with a time constant of `QUARTER_HOURS`. */
export const QUARTER_CELLS: readonly number[] = [
  CELL.quarterActions,
  CELL.quarterActionsCos,
  CELL.quarterActionsSin,
  CELL.quarterPyongyang,
  CELL.quarterLocal,
  CELL.quarterHoursEvidence,
  CELL.quarterRestarts,
  CELL.quarterRestartEvidence,
  CELL.quarterReturns,
];

const DOUBLES = next;

/** Words of all bitmaps of one day, and of one generation of known names. */
export const BITMAP_WORDS = 16;
export const KNOWN_WORDS = 32;
/** A generation of known names lasts so long: what was not seen for one to two of them is forgotten. */
export const KNOWN_HOURS = 720;

/**
 * Offsets into the 32-bit words that follow the doubles: two rings of hours (floats), bitmaps of today and yesterday,
 * and two generations of the names of workers and agents that are known.
 */
export const WORD = {
  hourShares: 0,
  hourWork: HOURS,
  today: 2 * HOURS,
  yesterday: 2 * HOURS + BITMAP_WORDS,
  known: 2 * HOURS + 2 * BITMAP_WORDS,
  knownBefore: 2 * HOURS + 2 * BITMAP_WORDS + KNOWN_WORDS,
} as const;
/** Bitmaps for linear counting inside a day: first word and number of words. */
export const BITMAP = {
  workers: { at: 0, words: 8 },
  addresses: { at: 8, words: 4 },
  agents: { at: 12, words: 2 },
  templates: { at: 14, words: 2 },
} as const;

const WORDS = 2 * HOURS + 2 * BITMAP_WORDS + 2 * KNOWN_WORDS;
/** Bytes of one account's numbers. */
export const ACCOUNT_BYTES = Math.ceil((DOUBLES * 8 + WORDS * 4) / 8) * 8;
const PER_CHUNK = 512;

/** One account's place: views shared by the whole chunk, and where in them the account's numbers start. */
export interface Place {
  doubles: Float64Array;
  floats: Float32Array;
  words: Uint32Array;
  /** First double. */
  at: number;
  /** First word (for `floats` and `words` alike). */
  wordAt: number;
}

/** Hands out places, zeroed, and takes them back. */
export class Cells {
  #chunk = new ArrayBuffer(0);
  #views = { doubles: new Float64Array(0), floats: new Float32Array(0), words: new Uint32Array(0) };
  #used = PER_CHUNK;
  readonly #free: Place[] = [];

  take(): Place {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#used === PER_CHUNK) {
      this.#chunk = new ArrayBuffer(ACCOUNT_BYTES * PER_CHUNK);
      const chunk = this.#chunk;
      this.#views = {
        doubles: new Float64Array(chunk),
        floats: new Float32Array(chunk),
        words: new Uint32Array(chunk),
      };
      this.#used = 0;
    }
    const at = (this.#used * ACCOUNT_BYTES) / 8;
    this.#used += 1;
    return { ...this.#views, at, wordAt: at * 2 + DOUBLES * 2 };
  }

  give(place: Place): void {
    bytesOf(place).fill(0);
    this.#free.push(place);
  }
}

/** The account's bytes, a view and not a copy: for checkpoints. */
export function bytesOf(place: Place): Uint8Array {
  return new Uint8Array(place.doubles.buffer as ArrayBuffer, place.at * 8, ACCOUNT_BYTES);
}
