import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";
import { HOUR_MS } from "#core/metrics.ts";
import { type Gait, gaitOf } from "#core/silence.ts";

/** An account that was given up, and the fresh one that seems to go on in its place. */
export interface Succession {
  former: AccountState;
  later: AccountState;
  /** Log-likelihood ratio of the gap and the rates, in nats: one operation against two accounts that met by chance. */
  nats: number;
}

/** An account has ended when it has been silent for so long. */
const ENDED_HOURS = 12;
/** Clocks and late shares may let the later begin before the former's last share, by so much. */
const OVERLAP_HOURS = 1;
/** Mean gap of an operation that goes on at once, and of one that takes its time, beside the pauses it makes anyhow. */
const SOON_HOURS = 5;
const LATER_HOURS = 12;
const LONGEST_PAUSE_HOURS = 36;
/** Gaps longer than this are nobody's; a chance meeting falls anywhere within. */
const LONGEST_GAP_HOURS = 84;
/**
 * Deviations of the logarithm of the two rates' ratio: what machines and weather add to the counted work's own scatter;
 * of the one operation in ten that comes back with other machines; of two accounts that have nothing in common; and of
 * the few among those that run as many machines of one model.
 */
const RATE_FLOOR = 0.06;
const CHANGED = { part: 0.1, deviation: 0.6 };
const UNRELATED_DEVIATION = 2.3;
const ALIKE = { part: 0.05, deviation: 0.15 };
/** Hours of work follow one another: their scatter about the mean counts for so much more. */
const DEPENDENT = 1.5;
/** Where more accounts than this began after one ended, it tells nothing which. */
const MOST = 64;

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
    if (ended.length === 0 || begun.length === 0) continue;
    begun.sort((left, right) => cell(left, CELL.firstMs) - cell(right, CELL.firstMs));
    const gaits = new Map<AccountState, Gait>();
    for (const former of ended) {
      for (const succession of after(former, begun, gaits)) {
        for (const state of [former, succession.later])
          if (succession.nats > (best.get(state)?.nats ?? 0)) best.set(state, succession);
      }
    }
  }
  return best;
}

const cell = ({ place: { doubles, at } }: AccountState, offset: number): number =>
  doubles[at + offset] as number;

/** The accounts that may go on from one that ended; `begun` in order of their beginning. */
function after(
  former: AccountState,
  begun: readonly AccountState[],
  gaits: Map<AccountState, Gait>,
): Succession[] {
  const endMs = cell(former, CELL.lastShareMs);
  const from = firstFrom(begun, endMs - OVERLAP_HOURS * HOUR_MS);
  const to = firstFrom(begun, endMs + LONGEST_GAP_HOURS * HOUR_MS);
  if (to === from || to - from > MOST) return [];
  const gait = (state: AccountState): Gait => {
    const known = gaits.get(state) ?? gaitOf(state);
    gaits.set(state, known);
    return known;
  };
  return begun
    .slice(from, to)
    .filter((later) => later !== former)
    .map((later) => {
      const gapHours = Math.max(0, (cell(later, CELL.firstMs) - endMs) / HOUR_MS);
      // Any of those that began may meet it by chance.
      return { former, later, nats: natsOf(gapHours, gait(former), gait(later)) - Math.log(to - from) };
    });
}

/** Position of the first account that began at an instant or later. */
function firstFrom(begun: readonly AccountState[], atMs: number): number {
  let [low, high] = [0, begun.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cell(begun[middle] as AccountState, CELL.firstMs) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function natsOf(gapHours: number, former: Gait, later: Gait): number {
  if (!(former.rate > 0 && later.rate > 0)) return Number.NEGATIVE_INFINITY;
  const pause = Math.min(LONGEST_PAUSE_HOURS, Math.max(former.pauseHours, later.pauseHours));
  const gap = (exponential(gapHours, SOON_HOURS) + exponential(gapHours, LATER_HOURS + pause)) / 2;
  const ratio = Math.log(former.rate / later.rate);
  const deviation = Math.sqrt(scatter(former) + scatter(later) + RATE_FLOOR ** 2);
  const rates =
    (1 - CHANGED.part) * normal(ratio, deviation) + CHANGED.part * normal(ratio, CHANGED.deviation);
  const chance =
    (1 - ALIKE.part) * normal(ratio, UNRELATED_DEVIATION) + ALIKE.part * normal(ratio, ALIKE.deviation);
  return Math.log(gap * LONGEST_GAP_HOURS) + Math.log(rates / chance);
}

/** Variance of the logarithm of a mean rate: of hours about their mean, and of the shares it was counted by. */
const scatter = ({ hours, shares, deviation }: Gait): number =>
  (DEPENDENT * deviation ** 2) / Math.max(1, hours) + 1 / Math.max(1, shares);

const exponential = (value: number, mean: number): number => Math.exp(-value / mean) / mean;

const normal = (value: number, deviation: number): number =>
  Math.exp(-0.5 * (value / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
