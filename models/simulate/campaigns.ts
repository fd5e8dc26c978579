import type { Span } from "./calendar.ts";
import { BASE_PLANS } from "./campaign-bases.ts";
import { INTRUSION_PLANS } from "./campaign-intrusion.ts";
import { MONEY_PLANS } from "./campaign-money.ts";
import type { Plan } from "./campaign-parts.ts";
import { SANCTIONED_PLANS } from "./campaign-sanctioned.ts";
import { addTrouble } from "./gaps.ts";
import type { Care, Operation, Typology } from "./plan.ts";
import type { Random } from "./random.ts";
import { scheduleReboots } from "./restarts.ts";
import type { World } from "./world.ts";

/** Where each care level stands on the scale of hiding: thirds. */
const HIDE: Readonly<Record<Care, readonly [number, number]>> = {
  blatant: [0, 1 / 3],
  middle: [1 / 3, 2 / 3],
  careful: [2 / 3, 1],
};

/** Plans one campaign. `machines` fixes its size, else 1 to 1000, log-uniform. */
export function planCampaign(
  typology: Typology,
  options: { random: Random; world: World; span: Span; care: Care; name: string; machines?: number },
): Operation {
  const { random, world, span, care, name } = options;
  const hide = random.between(HIDE[care][0], HIDE[care][1]);
  const [least, most] = SIZES[typology];
  const machines =
    options.machines ??
    Math.max(least, Math.min(world.maxMachines, Math.round(random.logUniform(least, most))));
  const named = options.machines !== undefined;
  const planned = PLANS[typology]({ random, world, span, hide, machines, named });
  for (const site of planned.sites) addTrouble(site, random, span, 0.5);
  scheduleReboots(planned.sites, random);
  return { ...planned, kind: typology, campaign: name, care, fromMs: span.fromMs, toMs: span.toMs };
}

/**
 * Machines of a campaign, the least of them whatever the world's largest fleet: the seed speaks of small operations,
 * and without an income worth splitting there is no structuring. Those who stay below a smaller sum than 10,000 USD have a
 * fleet that is smaller in proportion.
 */
const SIZES: Readonly<Record<Typology, readonly [number, number]>> = {
  "sanctioned-origin": [1, 300],
  "sanctioned-wallet": [1, 100],
  "overseas-base": [2, 1000],
  relay: [1, 1000],
  "many-behind-one": [10, 1000],
  "remittance-split": [2, 1000],
  "hashrate-laundering": [10, 1000],
  cryptojacking: [10, 1000],
  "onset-from-silence": [2, 1000],
  structuring: [200, 1500],
  "outage-synchrony": [1, 500],
  "seasonal-curtailment": [5, 1000],
};

/** Every typology's plan. */
const PLANS: Record<Typology, Plan> = {
  ...SANCTIONED_PLANS,
  ...BASE_PLANS,
  ...MONEY_PLANS,
  ...INTRUSION_PLANS,
};
