import { Accounts } from "#core/accounts.ts";
import type { ClockMemory } from "#core/clock.ts";
import { Clocks, type PoolEvents } from "#core/clocks.ts";
import type { Coverage } from "#core/feature-vector.ts";
import { HOUR_MS } from "#core/metrics.ts";
import { MetricsBook, type NetworkOf } from "#core/metrics-book.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import { Outputs } from "#core/outputs.ts";
import { type PoolBreak, PoolBreaks } from "#core/pool-breaks.ts";
import { RouteEvents, type RouteMemory } from "#core/route-events.ts";
import { Sessions } from "#core/sessions.ts";
import { Sightings } from "#core/sightings.ts";
import { Watched } from "#core/watched.ts";

/** Accounts kept at most unless said: about 8 GB. */
const MAX_ACCOUNTS = 2_000_000;

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
  /** Accounts kept at most; shares of further ones are counted, not analysed. */
  maxAccounts?: number;
}

/** What an analysis holds; taking an observation reads and changes it. */
export interface AnalysisState {
  readonly lookUpOrigin: LookUpOrigin;
  readonly watch: ReadonlySet<string>;
  readonly topAccounts: number;
  readonly accounts: Accounts;
  readonly clocks: Clocks;
  readonly sessions: Sessions;
  readonly poolBreaks: PoolBreaks;
  readonly book: MetricsBook;
  /** The accounts that keep their own series, looked at closely. */
  readonly closely: Watched;
  readonly routes: RouteEvents;
  /** By coin and currency. */
  readonly prices: Map<string, number>;
  readonly coverage: Coverage;
  readonly sightings: Sightings;
  readonly outputs: Outputs;
  /** Accepted shares and their difficulty, summed in the order they came; kept over restarts. */
  readonly totals: { shares: number; difficulty: number };
}

/** An analysis that has seen nothing yet. */
export function createAnalysisState(options: AnalysisOptions, events: PoolEvents): AnalysisState {
  const book = new MetricsBook(options.networkOf);
  return {
    lookUpOrigin: options.lookUpOrigin,
    watch: new Set(options.watch),
    topAccounts: options.topAccounts ?? 0,
    accounts: new Accounts(options.maxAccounts ?? MAX_ACCOUNTS),
    clocks: new Clocks(options.stepHours * HOUR_MS, events),
    sessions: new Sessions(),
    poolBreaks: new PoolBreaks(),
    book,
    closely: new Watched(book),
    routes: new RouteEvents(),
    prices: new Map(),
    coverage: { sessions: false, closes: false, payouts: false, routes: false },
    sightings: new Sightings(),
    outputs: new Outputs(),
    totals: { shares: 0, difficulty: 0 },
  };
}

/** Until a window ranks the accounts, the first ones have their own series: a small pool sees all of its own at once. */
export function isWatched({ watch, accounts, topAccounts }: AnalysisState, account: string): boolean {
  return watch.has(account) || accounts.size <= topAccounts;
}

/** State beside the accounts, as it is kept. */
interface Shared {
  clocks: [pool: string, clock: ClockMemory][];
  totals: { shares: number; difficulty: number };
  coverage: Coverage;
  prices: [string, number][];
  routes: RouteMemory;
  poolBreaks: [pool: string, known: PoolBreak][];
}

/** What is shared by all accounts and must outlive a restart, as bytes. */
export function writeShared(held: AnalysisState): Uint8Array {
  const { clocks, totals, coverage, prices, routes, poolBreaks } = held;
  const shared: Shared = {
    clocks: clocks.dump(),
    totals,
    coverage,
    prices: [...prices],
    routes: routes.dump(),
    poolBreaks: poolBreaks.dump(),
  };
  return new TextEncoder().encode(JSON.stringify(shared));
}

/** Puts back what `writeShared` kept. */
export function restoreShared(held: AnalysisState, bytes: Uint8Array): void {
  const shared = JSON.parse(new TextDecoder().decode(bytes)) as Shared;
  Object.assign(held.coverage, shared.coverage);
  Object.assign(held.totals, shared.totals);
  for (const [key, price] of shared.prices) held.prices.set(key, price);
  held.routes.load(shared.routes);
  // A build before this one kept none.
  held.poolBreaks.load(shared.poolBreaks ?? []);
  held.clocks.load(shared.clocks);
}
