import { assess, type Policy } from "#core/assess.ts";
import { FEATURES } from "#core/features.ts";
import { NO_LINKS } from "#core/linkage.ts";
import type { Model, Scores } from "#core/model.ts";
import type { Window } from "#core/window.ts";

/** Accounts named for each window of which only one model would make a flag. */
const MOST_NAMED = 20;
/** Pools kept in memory; of further ones only the sums are. */
const MOST_POOLS = 32;

/** What two models say of one window. Flags are before the day's alert budget. */
export interface Comparison {
  pool: string;
  atMs: number;
  accounts: number;
  /** Accounts that both would flag, only the active model, only the shadow. */
  both: number;
  onlyActive: number;
  onlyShadow: number;
  /** Spearman's, over the window's accounts; null where one model gives all of them one value. */
  rankCorrelation: number | null;
  /** Accounts that only one of them would flag, the furthest apart first. */
  differing: { account: string; active: number; shadow: number }[];
}

/** A second version that scores the same vectors beside the active one, and raises nothing. */
export interface Shadow {
  readonly name: string;
  readonly version: string;
  /** Scores a window and compares. Rejects where the shadow cannot score; the active model is not concerned. */
  take(window: Window, active: Float32Array): Promise<Comparison>;
  /** The newest comparison of each pool. */
  latest(): Comparison[];
}

/** Makes the shadow of a loaded model, which its owner closes. `policy` is the service's own. */
export function createShadow(model: Model, policy: Policy): Shadow {
  const latest = new Map<string, Comparison>();
  return {
    name: model.name,
    version: model.version,
    async take(window, active) {
      const { pool, atMs, accounts } = window;
      const scores: Scores = await model.score(window.rows, accounts.length);
      const differing: Comparison["differing"] = [];
      let both = 0;
      let onlyActive = 0;
      let onlyShadow = 0;
      for (const [index, { account }] of accounts.entries()) {
        const values = [active[index] as number, scores.value[index] as number] as const;
        const [byActive, byShadow] = values.map((value) => flags(window, index, value, policy));
        if (byActive && byShadow) both += 1;
        else if (byActive) onlyActive += 1;
        else if (byShadow) onlyShadow += 1;
        if (byActive !== byShadow) differing.push({ account, active: values[0], shadow: values[1] });
      }
      const apart = (each: Comparison["differing"][number]) => Math.abs(each.active - each.shadow);
      const comparison: Comparison = {
        pool,
        atMs,
        accounts: accounts.length,
        both,
        onlyActive,
        onlyShadow,
        rankCorrelation: rankCorrelation(active.subarray(0, accounts.length), scores.value),
        differing: differing.sort((left, right) => apart(right) - apart(left)).slice(0, MOST_NAMED),
      };
      if (latest.has(pool) || latest.size < MOST_POOLS) latest.set(pool, comparison);
      return comparison;
    },
    latest: () => [...latest.values()],
  };
}

/** Whether a value would make a flag of this account's window: as the service decides, without its budget. */
function flags(window: Window, index: number, value: number, policy: Policy): boolean {
  if (!(value >= policy.threshold)) return false;
  const state = window.accounts[index] as Window["accounts"][number];
  const row = window.rows.subarray(index * FEATURES.length, (index + 1) * FEATURES.length);
  const links = window.links.get(state) ?? NO_LINKS;
  const nothing = { typologies: [], contributions: [], lists: [], model: { name: "", version: "" } };
  return "flag" in assess({ state, atMs: window.atMs, row, links, value, ...nothing }, policy);
}

/** Spearman's rank correlation; equal values share their mean rank. Null where either side is constant. */
export function rankCorrelation(left: ArrayLike<number>, right: ArrayLike<number>): number | null {
  const [a, b] = [ranks(left), ranks(right)];
  const mean = (a.length - 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let index = 0; index < a.length; index += 1) {
    const [x, y] = [(a[index] as number) - mean, (b[index] as number) - mean];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA > 0 && squareB > 0 ? product / Math.sqrt(squareA * squareB) : null;
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, index) => index);
  order.sort((left, right) => (values[left] as number) - (values[right] as number));
  const ranked = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] as number] === values[order[from] as number])
      to += 1;
    for (let at = from; at <= to; at += 1) ranked[order[at] as number] = (from + to) / 2;
    from = to + 1;
  }
  return ranked;
}
