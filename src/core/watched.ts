import type { AccountState } from "#core/account-state.ts";
import { HOURS } from "#core/cells.ts";
import { factorOf } from "#core/changes.ts";
import { isFlagged } from "#core/flagged.ts";
import { type ExtremeHour, HourMetrics } from "#core/hour-metrics.ts";
import { HOUR_MS } from "#core/metrics.ts";
import type { MetricsBook } from "#core/metrics-book.ts";
import { type Roster, type WorkerChange, type WorkerContext, Workers } from "#core/workers.ts";

/** Accounts looked at closely at most: 7 kB of numbers each beside their workers. */
const MAX_ACCOUNTS = 5_000;
/** Changes remembered per account and kind; the oldest gives way. */
const REMEMBERED = 64;

/** What is kept of a watched account only: its workers one by one, and its metrics that are no counts. */
export interface CloseLook {
  roster: Roster;
  hours: HourMetrics;
  /** Oldest first. */
  workerChanges: WorkerChange[];
  extremeHours: ExtremeHour[];
  lastMs: number;
}

const contextOf = (state: AccountState): WorkerContext => ({
  held: isFlagged(state),
  factor: factorOf(state),
});

function remember<T>(kept: T[], one: T): void {
  if (kept.length === REMEMBERED) kept.shift();
  kept.push(one);
}

/**
 * Looks closely at the accounts that keep their own series: changes of single workers, and extreme values. What is found is
 * evidence beside a flag and in the metrics; no feature reads it. It is not kept over a restart: everything is learned anew.
 */
export class Watched {
  readonly #book: MetricsBook;
  readonly #workers: Workers;
  readonly #maxAccounts: number;
  readonly #accounts = new Set<AccountState>();
  /** Shares of watched accounts beyond the bound. */
  leftOut = 0;

  constructor(book: MetricsBook, bounds: { accounts?: number; detectors?: number } = {}) {
    this.#book = book;
    this.#maxAccounts = bounds.accounts ?? MAX_ACCOUNTS;
    this.#workers = new Workers(bounds.detectors);
  }

  /** Shares of workers beyond the bounds. */
  get workersLeftOut(): number {
    return this.#workers.leftOut;
  }

  /** Takes an accepted share of a watched account. Hot path. */
  share(state: AccountState, share: { worker?: string | undefined; atMs: number }, work: number): void {
    const { worker, atMs } = share;
    const look = state.closeLook ?? this.#begin(state);
    if (!look) return;
    if (atMs > look.lastMs) look.lastMs = atMs;
    this.#pass(state, look, atMs);
    look.hours.share(false, atMs);
    if (worker === undefined) return;
    const change = this.#workers.share(look.roster, worker, { work, atMs, ...contextOf(state) });
    if (change) this.#tell(state, look, change);
  }

  /** Counts a stale share of a watched account. */
  stale(state: AccountState, atMs: number): void {
    const look = state.closeLook;
    if (!look) return;
    this.#pass(state, look, atMs);
    look.hours.share(true, atMs);
  }

  /** Notes the round trips of a watched account's session. */
  trips(
    state: AccountState,
    session: { rttMs?: number | undefined; appRttMs?: number | undefined; atMs: number },
  ): void {
    const look = state.closeLook;
    if (!look) return;
    this.#pass(state, look, session.atMs);
    look.hours.trips(session.rttMs, session.appRttMs, session.atMs);
  }

  /** Lets time pass for the watched accounts of a pool; the others cost nothing. */
  tick(pool: string, atMs: number): void {
    for (const state of this.#accounts) {
      const look = state.closeLook;
      if (state.pool !== pool || !look) continue;
      this.#pass(state, look, atMs);
      for (const change of this.#workers.tick(look.roster, atMs, contextOf(state)))
        this.#tell(state, look, change);
    }
  }

  /** Drops the accounts of a pool that are watched no longer or were silent for a week: before their state is forgotten. */
  settle(pool: string, atMs: number): void {
    for (const state of this.#accounts) {
      const look = state.closeLook;
      if (state.pool !== pool || !look) continue;
      if (state.watched && atMs - look.lastMs <= HOURS * HOUR_MS) continue;
      this.#workers.release(look.roster);
      this.#accounts.delete(state);
      state.closeLook = undefined;
    }
  }

  #begin(state: AccountState): CloseLook | undefined {
    if (this.#accounts.size >= this.#maxAccounts) {
      this.leftOut += 1;
      return undefined;
    }
    this.#accounts.add(state);
    const roster = { workers: new Map(), fullUntilMs: 0 };
    const look = { roster, hours: new HourMetrics(), workerChanges: [], extremeHours: [], lastMs: 0 };
    state.closeLook = look;
    return look;
  }

  #pass(state: AccountState, look: CloseLook, atMs: number): void {
    if (!look.hours.over(atMs)) return;
    for (const extreme of look.hours.close(atMs)) {
      remember(look.extremeHours, extreme);
      this.#book.extreme(state, extreme);
    }
  }

  #tell(state: AccountState, look: CloseLook, change: WorkerChange): void {
    remember(look.workerChanges, change);
    this.#book.workerChange(state, change);
  }
}
