import { DAY_MS, HOUR_MS } from "#core/metrics.ts";

/** Connections that a pool's restart ends are gone within so long of one another. */
const AT_ONCE_MS = 120_000;
/** So many accounts at once, and so many times the usual number, are no coincidence. */
const LEAST = 5;
const TIMES_USUAL = 5;

/** Accounts of one pool whose connections broke: two sums that fade, since when they are kept, and the last common break. */
export interface PoolBreak {
  atMs: number;
  sinceMs: number;
  recent: number;
  day: number;
  wideMs: number;
}

/** When connections of many accounts end at once: that is the pool's doing, or a carrier's, and nobody's restart. */
export class PoolBreaks {
  #of = new Map<string, PoolBreak>();

  /** Notes that an account's connections began to end. */
  note(pool: string, atMs: number): void {
    let known = this.#of.get(pool);
    if (!known) {
      known = { atMs, sinceMs: atMs, recent: 0, day: 0, wideMs: 0 };
      this.#of.set(pool, known);
    }
    const passedMs = Math.max(0, atMs - known.atMs);
    known.atMs += passedMs;
    known.recent = known.recent * Math.exp(-passedMs / AT_ONCE_MS) + 1;
    // A young sum has seen only part of its day.
    const seenMs = DAY_MS * (1 - Math.exp(-Math.max(HOUR_MS, known.atMs - known.sinceMs) / DAY_MS));
    known.day *= Math.exp(-passedMs / DAY_MS);
    const usual = (known.day * AT_ONCE_MS) / seenMs;
    if (known.recent >= Math.max(LEAST, TIMES_USUAL * usual)) known.wideMs = atMs;
    known.day += 1;
  }

  /** Whether about that instant the connections of many accounts ended. */
  isWide(pool: string, atMs: number): boolean {
    const known = this.#of.get(pool);
    return known !== undefined && Math.abs(known.wideMs - atMs) <= AT_ONCE_MS;
  }

  /** What must outlive a restart, and back. */
  dump(): [pool: string, known: PoolBreak][] {
    return [...this.#of];
  }

  load(dumped: readonly [pool: string, known: PoolBreak][]): void {
    this.#of = new Map(dumped);
  }
}
