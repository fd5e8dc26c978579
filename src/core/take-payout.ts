import { notePayout, roll } from "#core/account-state.ts";
import type { AnalysisState } from "#core/analysis-state.ts";
import type { Payout } from "#core/observation.ts";

/**
 * Payments of so many US dollars are reported or recorded, and split to stay below: 1,000 by FATF Recommendation 16 and
 * its interpretive note (the travel rule of virtual assets), 3,000 by 31 CFR 1010.410(e) and (f) (records of transfers, and
 * the travel rule), 10,000 by 31 CFR 1010.311 (currency transaction reports).
 */
const REPORTED_USD = [1_000, 3_000, 10_000];
/** Whether a payout is "near" one of them: at 80 to 99 % of it. */
const isNear = (usd: number): boolean =>
  REPORTED_USD.some((threshold) => usd >= 0.8 * threshold && usd <= 0.99 * threshold);

/** A payment to an account, held against the reporting thresholds; an address new to the account is screened. */
export function takePayout(held: AnalysisState, payout: Payout): void {
  held.coverage.payouts = true;
  const state = held.accounts.of(payout.pool, payout.account);
  if (!state) return;
  roll(state, payout.atMs);
  const price = held.prices.get(`${payout.coin}\nUSD`);
  const usd = price === undefined ? undefined : payout.amount * price;
  const nearThreshold = usd !== undefined && isNear(usd);
  if (notePayout(state, { address: payout.address, nearThreshold, usd })) {
    const { pool, account, address, atMs } = payout;
    held.sightings.push({ kind: "payout", pool, account, value: address, atMs });
  }
  state.dirty = true;
}
