import { noteOrigin, noteWorker, sourceOf } from "#core/account-sources.ts";
import {
  type AccountState,
  notePayout,
  noteRejected,
  noteRoundTrips,
  noteTls,
  noteWork,
  roll,
  type Source,
} from "#core/account-state.ts";
import { Accounts } from "#core/accounts.ts";
import { CELL } from "#core/cells.ts";
import { changeByShare, changeByTick } from "#core/changes.ts";
import { Clock, type ClockMemory } from "#core/clock.ts";
import type { Coverage } from "#core/feature-vector.ts";
import { hashesPerDifficulty } from "#core/hashrate.ts";
import { DAY_MS, HOUR_MS, type MetricDelta } from "#core/metrics.ts";
import { MetricsBook, type NetworkOf } from "#core/metrics-book.ts";
import type { Job, Observation, Payout, Session, Share } from "#core/observation.ts";
import type { LookUpOrigin, Origin } from "#core/origin.ts";
import { RouteEvents, type RouteMemory } from "#core/route-events.ts";
import { Sessions } from "#core/sessions.ts";
import { type Holding, type Sighting, Sightings } from "#core/sightings.ts";
import { chooseWatched, closeWindow, type Window } from "#core/window.ts";

/** Accounts kept at most unless said: about 8 GB. */
const MAX_ACCOUNTS = 2_000_000;
/** Coinbase addresses remembered per pool; beyond it they are all screened anew. */
const MAX_OUTPUTS = 1000;
/** A payout in this part of a reporting threshold is "near" it. */
const NEAR_THRESHOLD = { from: 0.8, to: 0.99 };

/** How an analysis is made. */
export interface AnalysisOptions {
  lookUpOrigin: LookUpOrigin;
  /** Which watched network an address stands in. Absent: none is watched. */
  networkOf?: NetworkOf;
  /** Windows close at multiples of this many hours, UTC. */
  stepHours: number;
  /** Accounts with their own metrics series. */
  watch?: readonly string[];
  /** Further accounts with their own series: the largest of the last window. */
  topAccounts?: number;
  /** Reporting threshold per payout in US dollars, and in coins by coin name. */
  payoutThresholds?: { usd: number; coins: Readonly<Record<string, number>> };
  /** Accounts kept at most; shares of further ones are counted, not analysed. */
  maxAccounts?: number;
}

/** What the analysis did not take, or took late. */
export interface Skipped {
  /** Shares of accounts beyond the bound. */
  accounts: number;
  sightings: number;
  sessions: number;
  /** Observations more than an hour behind the newest. */
  backwards: number;
}

/** What a pool's own coinbase is called where an account's name stands. */
const coinbaseOf = (pool: string) => `coinbase of ${pool}`;

/** All that one account is screened for. */
function* holdingsOf(state: AccountState): Generator<Holding> {
  const { pool, account, payoutAddress, formerPayouts, sources } = state;
  yield { kind: "account", pool, account, value: account };
  if (payoutAddress !== "") yield { kind: "payout", pool, account, value: payoutAddress };
  for (const value of formerPayouts) yield { kind: "payout", pool, account, value };
  for (const [index, { origin }] of sources.entries()) {
    // One address with several agents is several sources.
    if (sources.findIndex((other) => other.origin.ip === origin.ip) < index) continue;
    yield { kind: "source", pool, account, value: origin.ip, origin };
  }
}

/** State beside the accounts, as it is kept. */
interface Shared {
  clocks: [pool: string, clock: ClockMemory][];
  totals: { shares: number; difficulty: number };
  coverage: Coverage;
  prices: [string, number][];
  routes: RouteMemory;
}

/**
 * The state of all accounts and what follows from each observation: no I/O, event time only, the same input gives the
 * same output. Observations come roughly in order; late ones count for their own hour.
 */
export class Analysis {
  readonly #options: AnalysisOptions;
  readonly #accounts: Accounts;
  readonly #sessions = new Sessions();
  readonly #book: MetricsBook;
  readonly #routes = new RouteEvents();
  readonly #prices = new Map<string, number>();
  readonly #coverage: Coverage = { sessions: false, payouts: false, routes: false };
  readonly #watch: ReadonlySet<string>;
  readonly #clocks = new Map<string, Clock>();
  /** The clock of the observation before: runs of one pool are the rule. */
  #lastPool = "";
  #lastClock: Clock | undefined;
  readonly #sightings = new Sightings();
  /** Coinbase addresses by pool that were screened already. */
  readonly #outputs = new Map<string, Set<string>>();
  #windows: Window[] = [];
  #backwards = 0;
  /** Accepted shares and their difficulty, summed in the order they came; kept over restarts. */
  readonly totals = { shares: 0, difficulty: 0 };

  constructor(options: AnalysisOptions) {
    this.#options = options;
    this.#book = new MetricsBook(options.networkOf);
    this.#accounts = new Accounts(options.maxAccounts ?? MAX_ACCOUNTS);
    this.#watch = new Set(options.watch);
  }

  /** Latest event time seen of any pool, milliseconds; −Infinity before the first observation. */
  get watermarkMs(): number {
    return Math.max(
      Number.NEGATIVE_INFINITY,
      ...[...this.#clocks.values()].map(({ watermarkMs }) => watermarkMs),
    );
  }

  /** Accounts held. */
  get accounts(): number {
    return this.#accounts.size;
  }

  /** What was left out or came out of order, since the start. */
  get skipped(): Skipped {
    return {
      accounts: this.#accounts.leftOut,
      sightings: this.#sightings.dropped,
      sessions: this.#sessions.forgotten,
      backwards: this.#backwards,
    };
  }

  /** The state of one account, if it is known. */
  account(pool: string, account: string): AccountState | undefined {
    return this.#accounts.of(pool, account);
  }

  /** Takes a run of observations. Windows whose end they pass close before the passing observation counts. */
  take(observations: readonly Observation[]): void {
    for (const observation of observations) {
      if ("pool" in observation) this.#pass(observation.pool, observation.atMs);
      switch (observation.type) {
        case "share":
          this.#takeShare(observation);
          break;
        case "session":
          this.#takeSession(observation);
          break;
        case "payout":
          this.#takePayout(observation);
          break;
        case "price":
          this.#prices.set(`${observation.coin}\n${observation.currency}`, observation.price);
          break;
        case "route":
          this.#coverage.routes = true;
          this.#routes.note(observation.prefix, observation.event === "announce", observation.atMs);
          break;
        case "job":
          this.#takeJob(observation);
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
    for (const clock of this.#clocks.values()) if (nowMs > clock.watermarkMs) clock.advance(nowMs);
  }

  /**
   * Closes a last window at the end of the running hour, for input that has ended: nothing after it is taken for
   * silence. Call once, when no observation will follow.
   */
  finish(): void {
    for (const [pool, { watermarkMs }] of this.#clocks) {
      this.#closeWindow(pool, (Math.floor(watermarkMs / HOUR_MS) + 1) * HOUR_MS);
    }
  }

  /** Everything that was screened and stands: to be screened again when a list changes. A value comes once a holder. */
  *known(): Generator<Holding> {
    for (const [, accounts] of this.#accounts.pools()) {
      for (const state of accounts.values()) yield* holdingsOf(state);
    }
    for (const [pool, addresses] of this.#outputs) {
      for (const value of addresses) yield { kind: "payout", pool, account: coinbaseOf(pool), value };
    }
  }

  /** Windows closed since the last call, in order. */
  takeWindows(): Window[] {
    const windows = this.#windows;
    this.#windows = [];
    return windows;
  }

  /** What is to be screened since the last call, in order. */
  takeSightings(): Sighting[] {
    return this.#sightings.take();
  }

  /** Metric deltas since the last call. */
  takeDeltas(): MetricDelta[] {
    return this.#book.take();
  }

  /** Accounts changed since the last call, as bytes by key; a forgotten account has no bytes. */
  takeDirty(): Map<string, Uint8Array> {
    return this.#accounts.takeDirty();
  }

  /** What is shared by all accounts and must outlive a restart, as bytes. */
  writeShared(): Uint8Array {
    const shared: Shared = {
      clocks: [...this.#clocks].map(([pool, clock]) => [pool, clock.dump()]),
      totals: this.totals,
      coverage: this.#coverage,
      prices: [...this.#prices],
      routes: this.#routes.dump(),
    };
    return new TextEncoder().encode(JSON.stringify(shared));
  }

  /** Puts back what `writeShared` kept; call it before the accounts are restored. */
  restoreShared(bytes: Uint8Array): void {
    const shared = JSON.parse(new TextDecoder().decode(bytes)) as Shared;
    Object.assign(this.#coverage, shared.coverage);
    Object.assign(this.totals, shared.totals);
    for (const [key, price] of shared.prices) this.#prices.set(key, price);
    this.#routes.load(shared.routes);
    for (const [pool, clock] of shared.clocks) this.#clockOf(pool).load(clock);
  }

  /** Puts back one account that a checkpoint kept. False where another version wrote it in another layout. */
  restore(bytes: Uint8Array): boolean {
    const state = this.#accounts.restore(bytes, this.#options.lookUpOrigin);
    if (state) state.watched = this.#isWatched(state.account);
    return state !== undefined;
  }

  #clockOf(pool: string): Clock {
    if (pool === this.#lastPool && this.#lastClock) return this.#lastClock;
    let clock = this.#clocks.get(pool);
    if (!clock) {
      clock = new Clock(this.#options.stepHours * HOUR_MS, {
        tick: (atMs) => {
          for (const state of this.#accounts.in(pool)) {
            const change = changeByTick(state, atMs);
            if (change && state.watched) this.#book.change(state, change);
          }
        },
        window: (atMs) => this.#closeWindow(pool, atMs),
      });
      this.#clocks.set(pool, clock);
    }
    this.#lastPool = pool;
    this.#lastClock = clock;
    return clock;
  }

  #pass(pool: string, atMs: number): void {
    const clock = this.#clockOf(pool);
    if (atMs > clock.watermarkMs) clock.advance(atMs);
    else if (atMs < clock.watermarkMs - HOUR_MS) this.#backwards += 1;
  }

  #closeWindow(pool: string, atMs: number): void {
    const window = closeWindow(
      this.#accounts,
      { pool, atMs },
      { coverage: this.#coverage, routes: this.#routes },
    );
    chooseWatched(window.accounts, this.#watch, this.#options.topAccounts ?? 0);
    if (window.accounts.length > 0) this.#windows.push(window);
  }

  /** Hot path. An account begins with its first accepted share: only work makes Assay keep anything. */
  #takeShare(share: Share): void {
    let state = this.#accounts.of(share.pool, share.account);
    if (share.outcome !== "accepted") {
      const stale = share.outcome === "stale";
      this.#book.share(share, stale ? 2 : 3, 0);
      if (state) noteRejected(state, stale, share.atMs);
      return;
    }
    const work = share.difficulty * hashesPerDifficulty(share.algorithm);
    this.totals.shares += 1;
    this.totals.difficulty += share.difficulty;
    this.#book.share(share, 0, work);
    // A session fills in what the share does not say itself.
    const asks = share.ip === undefined || share.agent === undefined;
    const session = asks ? this.#sessions.of(share) : undefined;
    state ??= this.#begin(share, session);
    if (!state) return;
    noteWork(state, work, share.atMs);
    if (share.worker !== undefined) noteWorker(state, share.worker, share.atMs);
    const ip = share.ip ?? session?.ip;
    let source: Source | undefined;
    if (ip !== undefined) {
      source = sourceOf(
        state,
        ip,
        share.agent ?? session?.agent ?? "",
        share.atMs,
        this.#options.lookUpOrigin,
      );
      if (source.shares === 0) this.#sightSource(state, source.origin, share.atMs);
      noteOrigin(state, source, work);
      this.#book.origin(share, work, source);
    }
    const change = changeByShare(state, work, share.atMs);
    if (!state.watched) return;
    this.#book.account(state, work, source, share.atMs);
    if (change) this.#book.change(state, change);
  }

  /** Until a window ranks the accounts, the first ones have their own series: a small pool sees all of its own at once. */
  #isWatched(account: string): boolean {
    return this.#watch.has(account) || this.#accounts.size <= (this.#options.topAccounts ?? 0);
  }

  #begin(share: Share, session: Session | undefined): AccountState | undefined {
    const { pool, account, atMs } = share;
    const state = this.#accounts.create(pool, account, atMs, this.#clockOf(pool).startMs + DAY_MS);
    if (!state) return undefined;
    state.watched = this.#isWatched(account);
    this.#sightings.push({ kind: "account", pool, account, value: account, atMs });
    if (session) noteRoundTrips(state, session.rttMs, session.appRttMs);
    // It logged in before its first share: what that login told is not told again.
    noteTls(state, (session ?? this.#sessions.of(share))?.tlsFingerprint);
    return state;
  }

  #sightSource(state: AccountState, origin: Origin, atMs: number): void {
    const { pool, account } = state;
    this.#sightings.push({ kind: "source", pool, account, value: origin.ip, origin, atMs });
  }

  #takeSession(session: Session): void {
    this.#coverage.sessions = true;
    const known = this.#sessions.note(session);
    if (session.account === undefined) return;
    const { pool, account, atMs, event } = session;
    const state = this.#accounts.of(pool, account);
    const origin = this.#options.lookUpOrigin(session.ip, atMs);
    const mined = state?.sources.some((source) => source.origin.ip === origin.ip) ?? false;
    if (!mined && origin.tier === "comprehensive" && event === "authorize") {
      this.#sightings.push({ kind: "source", pool, account, value: origin.ip, origin, atMs });
    }
    if (!state) return;
    roll(state, atMs);
    // A tap tells a login again when a round trip is news; a session counts once.
    if (event === "authorize" && known?.account === undefined) {
      (state.place.doubles[state.place.at + CELL.daySessions] as number) += 1;
    }
    noteRoundTrips(state, session.rttMs, session.appRttMs);
    noteTls(state, session.tlsFingerprint);
    if (state.watched && event === "authorize") this.#book.latency(state, session, atMs);
    state.dirty = true;
  }

  /** Addresses that a pool's coinbase pays are screened when they are new to it. */
  #takeJob(job: Job): void {
    this.#book.job(job);
    let known = this.#outputs.get(job.pool);
    if (!known || known.size > MAX_OUTPUTS) {
      known = new Set();
      this.#outputs.set(job.pool, known);
    }
    for (const { address } of job.outputs ?? []) {
      if (known.has(address)) continue;
      known.add(address);
      const { pool, atMs } = job;
      this.#sightings.push({ kind: "payout", pool, account: coinbaseOf(pool), value: address, atMs });
    }
  }

  #takePayout(payout: Payout): void {
    this.#coverage.payouts = true;
    const state = this.account(payout.pool, payout.account);
    if (!state) return;
    roll(state, payout.atMs);
    const thresholds = this.#options.payoutThresholds ?? { usd: 10_000, coins: {} };
    const price = this.#prices.get(`${payout.coin}\nUSD`);
    const parts = [
      price === undefined ? Number.NaN : (payout.amount * price) / thresholds.usd,
      payout.amount / (thresholds.coins[payout.coin] ?? Number.NaN),
    ];
    const nearThreshold = parts.some(
      (portion) => portion >= NEAR_THRESHOLD.from && portion <= NEAR_THRESHOLD.to,
    );
    const usd = price === undefined ? undefined : payout.amount * price;
    if (notePayout(state, { address: payout.address, nearThreshold, usd }, payout.atMs)) {
      const { pool, account, address, atMs } = payout;
      this.#sightings.push({ kind: "payout", pool, account, value: address, atMs });
    }
    state.dirty = true;
  }
}
