import { type AccountState, roll } from "#core/account-state.ts";
import type { Accounts } from "#core/accounts.ts";
import { CELL, HOURS } from "#core/cells.ts";
import { type Coverage, writeFeatures } from "#core/feature-vector.ts";
import { FEATURES } from "#core/features.ts";
import { type Links, link, NO_LINKS } from "#core/linkage.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";
import { type RouteEvents, routeCoincidence } from "#core/route-events.ts";

/** An account unseen for so long is forgotten: its state is dropped, here and in the store. */
const FORGET_MS = 35 * DAY_MS;

/** A window of one pool that closed: the vectors of every account active in its last week, row-major, missing values NaN. */
export interface Window {
  pool: string;
  atMs: number;
  accounts: AccountState[];
  rows: Float32Array;
  links: Map<AccountState, Links>;
}

/** Closes a pool's window at `atMs`, a full hour: forgets who has long gone, links the rest, writes their vectors. */
export function closeWindow(
  accounts: Accounts,
  at: { pool: string; atMs: number },
  context: { coverage: Coverage; routes: RouteEvents },
): Window {
  const { pool, atMs } = at;
  const active: AccountState[] = [];
  for (const state of accounts.in(pool)) {
    roll(state, atMs);
    const { doubles, at: base } = state.place;
    if (atMs - (doubles[base + CELL.lastMs] as number) > FORGET_MS) accounts.forget(state);
    else if (atMs - (doubles[base + CELL.lastShareMs] as number) <= HOURS * HOUR_MS) active.push(state);
  }
  const links = link(active, atMs);
  const events = context.routes.week(atMs);
  const rows = new Float32Array(active.length * FEATURES.length);
  for (const [index, state] of active.entries()) {
    const facts = {
      coverage: context.coverage,
      links: links.get(state) ?? NO_LINKS,
      routeCoincidence: routeCoincidence(state, events, atMs),
    };
    writeFeatures(state, atMs, facts, rows, index * FEATURES.length);
  }
  return { pool, atMs, accounts: active, rows, links };
}

/** Marks the accounts that keep their own metrics series: those watched, and the `top` largest of the week. */
export function chooseWatched(
  active: readonly AccountState[],
  watch: ReadonlySet<string>,
  top: number,
): void {
  const work = new Float64Array(active.length);
  for (const [index, { place }] of active.entries())
    work[index] = place.doubles[place.at + CELL.weekWork] as number;
  const sorted = work.slice().sort();
  const least = top > 0 ? (sorted[Math.max(0, sorted.length - top)] ?? 0) : Number.POSITIVE_INFINITY;
  // Of accounts as large as the last one to keep its series, those that came first keep theirs.
  let room = top;
  for (const one of work) if (one > least) room -= 1;
  for (const [index, state] of active.entries()) {
    const own = work[index] as number;
    const largest = own > least || (own === least && room-- > 0);
    state.watched = largest || watch.has(state.account);
  }
}
