import type { AccountState } from "#core/account-state.ts";
import {
  type AnalysisOptions,
  type AnalysisState,
  createAnalysisState,
  isWatched,
  restoreShared,
  writeShared,
} from "#core/analysis-state.ts";
import { changeByTick } from "#core/changes.ts";
import type { MetricDelta } from "#core/metrics.ts";
import type { Observation } from "#core/observation.ts";
import { type Holding, holdingsOf, type Sighting } from "#core/sightings.ts";
import { takePayout } from "#core/take-payout.ts";
import { takeSession } from "#core/take-session.ts";
import { takeShare } from "#core/take-share.ts";
import { chooseWatched, closeWindow, type Window } from "#core/window.ts";

/** What the analysis did not take, or took late. */
export interface Skipped {
  /** Shares of accounts beyond the bound. */
  accounts: number;
  /** Shares of watched accounts, and of their workers, beyond the bounds of what is looked at closely. */
  watched: number;
  workers: number;
  sightings: number;
  sessions: number;
  /** Observations more than an hour behind the newest. */
  backwards: number;
}

/**
 * The state of all accounts and what follows from each observation: no I/O, event time only, the same input gives the
 * same output. Observations come roughly in order; late ones count for their own hour.
 */
export class Analysis {
  readonly #held: AnalysisState;
  #windows: Window[] = [];

  constructor(options: AnalysisOptions) {
    this.#held = createAnalysisState(options, {
      tick: (pool, atMs) => this.#tick(pool, atMs),
      window: (pool, atMs) => this.#closeWindow(pool, atMs),
    });
  }

  /** Accepted shares and their difficulty, summed in the order they came; kept over restarts. */
  get totals(): Readonly<AnalysisState["totals"]> {
    return this.#held.totals;
  }

  /** Latest event time seen of any pool, milliseconds; −Infinity before the first observation. */
  get watermarkMs(): number {
    return this.#held.clocks.watermarkMs;
  }

  /** Accounts held. */
  get accounts(): number {
    return this.#held.accounts.size;
  }

  /** What was left out or came out of order, since the start. */
  get skipped(): Skipped {
    const { accounts, closely, sightings, sessions, clocks } = this.#held;
    return {
      accounts: accounts.leftOut,
      watched: closely.leftOut,
      workers: closely.workersLeftOut,
      sightings: sightings.dropped,
      sessions: sessions.forgotten,
      backwards: clocks.backwards,
    };
  }

  /** The state of one account, if it is known. */
  account(pool: string, account: string): AccountState | undefined {
    return this.#held.accounts.of(pool, account);
  }

  /** Takes a run of observations. Windows whose end they pass close before the passing observation counts. */
  take(observations: readonly Observation[]): void {
    const held = this.#held;
    for (const observation of observations) {
      if ("pool" in observation) held.clocks.pass(observation.pool, observation.atMs);
      switch (observation.type) {
        case "share":
          takeShare(held, observation);
          break;
        case "session":
          takeSession(held, observation);
          break;
        case "payout":
          takePayout(held, observation);
          break;
        case "price":
          held.prices.set(`${observation.coin}\n${observation.currency}`, observation.price);
          break;
        case "route":
          held.coverage.routes = true;
          held.routes.note(observation.prefix, observation.event === "announce", observation.atMs);
          break;
        case "job":
          held.book.job(observation);
          held.outputs.note(observation, held.sightings);
          break;
        case "flow":
          break;
      }
    }
  }

  /**
   * Lets time pass without an observation: silence is evidence, and windows close on quiet pools too. Only for pools
   * whose sources are read to their end.
   */
  advance(nowMs: number): void {
    this.#held.clocks.advance(nowMs);
  }

  /**
   * Closes a last window at the end of the running hour, for input that has ended: nothing after it is taken for
   * silence. Call once, when no observation will follow.
   */
  finish(): void {
    this.#held.clocks.finish();
  }

  /** Everything that was screened and stands: to be screened again when a list changes. A value comes once a holder. */
  *known(): Generator<Holding> {
    for (const [, accounts] of this.#held.accounts.pools()) {
      for (const state of accounts.values()) yield* holdingsOf(state);
    }
    yield* this.#held.outputs.holdings();
  }

  /** Windows closed since the last call, in order. */
  takeWindows(): Window[] {
    const windows = this.#windows;
    this.#windows = [];
    return windows;
  }

  /** What is to be screened since the last call, in order. */
  takeSightings(): Sighting[] {
    return this.#held.sightings.take();
  }

  /** Metric deltas since the last call. */
  takeDeltas(): MetricDelta[] {
    return this.#held.book.take();
  }

  /** Accounts changed since the last call, as bytes by key; a forgotten account has no bytes. */
  takeDirty(): Map<string, Uint8Array> {
    return this.#held.accounts.takeDirty();
  }

  /** What is shared by all accounts and must outlive a restart, as bytes. */
  writeShared(): Uint8Array {
    return writeShared(this.#held);
  }

  /** Puts back what `writeShared` kept; call it before the accounts are restored. */
  restoreShared(bytes: Uint8Array): void {
    restoreShared(this.#held, bytes);
  }

  /** Puts back one account that a checkpoint kept. False where another version wrote it in another layout. */
  restore(bytes: Uint8Array): boolean {
    const held = this.#held;
    const state = held.accounts.restore(bytes, held.lookUpOrigin);
    if (state) state.watched = isWatched(held, state.account);
    return state !== undefined;
  }

  /** Silence may be a change of an account's rate. */
  #tick(pool: string, atMs: number): void {
    for (const state of this.#held.accounts.in(pool)) {
      const change = changeByTick(state, atMs);
      if (change && state.watched) this.#held.book.change(state, change);
    }
    this.#held.closely.tick(pool, atMs);
  }

  #closeWindow(pool: string, atMs: number): void {
    const { accounts, closely, coverage, routes, watch, topAccounts } = this.#held;
    const window = closeWindow(accounts, { pool, atMs }, { coverage, routes });
    chooseWatched(window.accounts, watch, topAccounts);
    closely.settle(pool, atMs);
    if (window.accounts.length > 0) this.#windows.push(window);
  }
}
