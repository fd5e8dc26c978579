import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";
import { HOUR_MS } from "#core/metrics.ts";
import { activeRate, pauseHours } from "#core/silence.ts";

/** An account that was given up, and the fresh one that seems to go on in its place. */
export interface Succession {
  former: AccountState;
  later: AccountState;
  /** 0..1: how well the end of the one and the beginning of the other fit, in time and in rate. */
  fit: number;
}

/** An account has ended when it has been silent for so long. */
const ENDED_HOURS = 12;
/**
 * How fast belief in a succession fades with the gap between the two, and from where on there is none: so many hours
 * beside the pauses that they make anyhow, since work that comes in bursts seldom ends or begins with its account.
 */
const GAP_HOURS = 12;
const LONGEST_GAP_HOURS = 48;
const LONGEST_PAUSE_HOURS = 36;
/** Names that more accounts than this came and went with say nothing. */
const MOST = 64;
const LEAST_FIT = 0.1;

/**
 * Accounts that began as another with the same worker-name template ended, at the same rate: an operation that wears
 * out its accounts. Agents and networks may change with the account, what the machines are called seldom does. Each
 * account has at most its best former and its best later one.
 */
export function successions(accounts: readonly AccountState[], atMs: number): Map<AccountState, Succession> {
  const byTemplate = new Map<number, { ended: AccountState[]; begun: AccountState[] }>();
  for (const state of accounts) {
    const template = cell(state, CELL.templateHash);
    if (template === 0) continue;
    const ended = atMs - cell(state, CELL.lastShareMs) >= ENDED_HOURS * HOUR_MS;
    // What was there when the analysis began has no beginning.
    const begun = cell(state, CELL.firstMs) >= cell(state, CELL.actionsFromMs);
    if (!ended && !begun) continue;
    let group = byTemplate.get(template);
    if (!group) {
      group = { ended: [], begun: [] };
      byTemplate.set(template, group);
    }
    if (ended) group.ended.push(state);
    if (begun) group.begun.push(state);
  }
  const best = new Map<AccountState, Succession>();
  for (const { ended, begun } of byTemplate.values()) {
    if (ended.length === 0 || begun.length === 0 || ended.length + begun.length > MOST) continue;
    for (const former of ended) {
      for (const later of begun) {
        const fit = former === later ? 0 : fitOf(former, later);
        if (fit < LEAST_FIT) continue;
        for (const state of [former, later])
          if (fit > (best.get(state)?.fit ?? 0)) best.set(state, { former, later, fit });
      }
    }
  }
  return best;
}

const cell = ({ place: { doubles, at } }: AccountState, offset: number): number =>
  doubles[at + offset] as number;

function fitOf(former: AccountState, later: AccountState): number {
  const gapHours = Math.abs(cell(later, CELL.firstMs) - cell(former, CELL.lastShareMs)) / HOUR_MS;
  if (gapHours > LONGEST_GAP_HOURS + LONGEST_PAUSE_HOURS) return 0;
  const pause = Math.min(LONGEST_PAUSE_HOURS, Math.max(pauseHours(former), pauseHours(later)));
  if (gapHours > LONGEST_GAP_HOURS + pause) return 0;
  const [before, after] = [activeRate(former), activeRate(later)];
  if (!(before > 0 && after > 0)) return 0;
  return Math.exp(-gapHours / (GAP_HOURS + pause)) * Math.exp(-Math.abs(Math.log2(before / after)));
}
