import { notePayout, roll } from "#core/account-state.ts";
import type { AnalysisState } from "#core/analysis-state.ts";
import type { Payout } from "#core/observation.ts";

/** A payout in this part of a reporting threshold is "near" it. */
const NEAR_THRESHOLD = { from: 0.8, to: 0.99 };

/** A payment to an account, held against the reporting thresholds; an address new to the account is screened. */
export function takePayout(held: AnalysisState, payout: Payout): void {
  held.coverage.payouts = true;
  const state = held.accounts.of(payout.pool, payout.account);
  if (!state) return;
  roll(state, payout.atMs);
  const thresholds = held.payoutThresholds;
  const price = held.prices.get(`${payout.coin}\nUSD`);
  const parts = [
    price === undefined ? Number.NaN : (payout.amount * price) / thresholds.usd,
    payout.amount / (thresholds.coins[payout.coin] ?? Number.NaN),
  ];
  const nearThreshold = parts.some(
    (portion) => portion >= NEAR_THRESHOLD.from && portion <= NEAR_THRESHOLD.to,
  );
  const usd = price === undefined ? undefined : payout.amount * price;
  if (notePayout(state, { address: payout.address, nearThreshold, usd })) {
    const { pool, account, address, atMs } = payout;
    held.sightings.push({ kind: "payout", pool, account, value: address, atMs });
  }
  state.dirty = true;
}
