import { MACHINES } from "./machines.ts";
import { drawNaming } from "./names.ts";
import type { Planned } from "./operation.ts";
import type { AccountPlan, BenignKind, Rig } from "./plan.ts";
import type { Random } from "./random.ts";

const MIXED_FARMS = 0.4;
const MINIMUM_PAYOUTS = 0.06;

const FARMS: ReadonlySet<BenignKind> = new Set([
  "small-farm",
  "large-farm",
  "hosting-client",
  "watch-country-farm",
  "multi-site-firm",
] as const);

/**
 * Two farms in five have a second model for a part of their machines, named as the first are or otherwise, with a
 * program of its own where the first's does not run on it. Our estimate.
 */
export function mixModels(random: Random, planned: Planned): Planned {
  if (!random.chance(MIXED_FARMS)) return planned;
  for (const { rigs, agent } of planned.sites) {
    const first = (rigs[0] as Rig).model;
    const others = MACHINES.filter(
      (one) => one.algorithm === first.algorithm && one.setting === first.setting && one !== first,
    );
    if (others.length === 0) continue;
    const model = random.pick(others);
    const program = model.agents.includes(agent) ? agent : random.pick(model.agents);
    const naming = random.chance(0.5) ? drawNaming(random, model) : null;
    const kept = Math.round(rigs.length * (1 - random.between(0.2, 0.6)));
    for (const [index, rig] of rigs.slice(kept).entries()) {
      rig.model = model;
      rig.hashrateHs *= model.hashrateHs / first.hashrateHs;
      rig.worker = naming ? naming(index + 1) : rig.worker.replace(first.name, model.name);
      rig.agent = program;
    }
  }
  return planned;
}

/** A few farms have set a minimum payout in dollars where they sell the coins, and are paid just above it. Our estimate. */
export function setMinimumPayouts(random: Random, kind: BenignKind, accounts: readonly AccountPlan[]): void {
  if (!FARMS.has(kind)) return;
  for (const account of accounts) {
    if (!random.chance(MINIMUM_PAYOUTS)) continue;
    const low = random.pick([100, 500, 1000, 2000, 5000, 10_000]);
    account.payout = { rule: "currency", low, high: low * random.between(1.01, 1.2) };
  }
}
