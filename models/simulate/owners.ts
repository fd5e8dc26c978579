import type { Span } from "./calendar.ts";
import { addTrouble } from "./gaps.ts";
import { FARM_PLANS } from "./owner-farms.ts";
import { setMinimumPayouts } from "./owner-habits.ts";
import { HOME_PLANS } from "./owner-homes.ts";
import { HOSTED_PLANS } from "./owner-hosted.ts";
import { PARTNER_PLANS } from "./owner-partners.ts";
import type { Plan } from "./owner-parts.ts";
import { WALLET_PLANS } from "./owner-wallets.ts";
import type { BenignKind, Operation } from "./plan.ts";
import type { Random } from "./random.ts";
import { scheduleReboots } from "./restarts.ts";
import { changeAddress, type World } from "./world.ts";

/**
 * How common each honest owner is: in a usual pool, and in the hard mix, where those who look like somebody else are
 * ten times commoner. Our estimates: nobody publishes what share of a pool's accounts is of which kind.
 */
const WEIGHTS: readonly (readonly [BenignKind, usual: number, hard: number])[] = [
  ["hobbyist", 400, 22],
  ["cpu-hobbyist", 250, 16],
  ["small-farm", 110, 12],
  ["large-farm", 15, 4],
  ["demand-response-farm", 5, 3],
  ["vpn-hobbyist", 30, 6],
  ["hosting-client", 35, 6],
  ["hosting-farm", 5, 3],
  ["rental-customer", 25, 5],
  ["border-miner", 8, 4],
  ["migrating-farm", 2, 2],
  ["failover-fleet", 10, 3],
  ["watch-country-farm", 70, 6],
  ["multi-site-firm", 4, 3],
  ["proxy-lab", 12, 4],
  ["profit-share", 6, 2],
  ["satellite-miner", 5, 1],
  ["threshold-payer", 3, 2],
  ["hidden-resident", 8, 4],
  ["developer-fee", 1, 2],
  ["volunteer-wallet", 2, 2],
  ["cloud-miner", 3, 3],
];

/** Weights of the honest owners in a mix. */
export function ownerWeights(mix: "usual" | "hard"): (readonly [BenignKind, number])[] {
  return WEIGHTS.map(([kind, usual, hard]) => [kind, mix === "usual" ? usual : hard] as const);
}

/** Plans one honest owner of a kind who is there during `span`. */
export function planOwner(kind: BenignKind, random: Random, world: World, span: Span): Operation {
  const operation = PLANS[kind](random, world, span);
  for (const site of operation.sites) {
    const perWeek = site.rigs.length > 8 ? 0.35 : 0.6;
    addTrouble(site, random, span, perWeek);
  }
  for (const account of operation.accounts) {
    if (random.chance(0.08)) changeAddress(random, account, span);
  }
  setMinimumPayouts(random, kind, operation.accounts);
  scheduleReboots(operation.sites, random);
  return { ...operation, kind, campaign: null, care: null, fromMs: span.fromMs, toMs: span.toMs };
}

/** Every kind's plan. */
const PLANS: Record<BenignKind, Plan> = {
  ...HOME_PLANS,
  ...FARM_PLANS,
  ...HOSTED_PLANS,
  ...PARTNER_PLANS,
  ...WALLET_PLANS,
};
