import type { Span } from "./calendar.ts";
import { drawModel, type MachineModel } from "./machines.ts";
import { OVERSEAS_BASES, pathRttMs, VPN_EXITS } from "./networks.ts";
import { type Planned, planOneSite } from "./operation.ts";
import type { AccountPlan, OperatorPlan, PlacePlan, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { drawHostingCountry, drawPool, makeAccount, type World } from "./world.ts";

/** A campaign while it is planned. `hide` runs from 0 (makes no effort) to 1 (knows what a pool looks at). */
export interface Draft {
  random: Random;
  world: World;
  span: Span;
  hide: number;
  machines: number;
  /** Whether the scenario names the number of machines. */
  named: boolean;
}

/** Plans the campaigns of one typology. */
export type Plan = (draft: Draft) => Planned;

/** From `open` (hides nothing) to `hidden` (hides well), with a tenth of scatter. */
export function blend({ random, hide }: Draft, open: number, hidden: number): number {
  return open + (hidden - open) * Math.min(1, Math.max(0, hide + random.between(-0.1, 0.1)));
}

/** People who keep Pyongyang's hours; the careful spread their work over the day. */
export function pyongyang(draft: Draft): OperatorPlan {
  return {
    utcOffset: 9,
    from: 9,
    to: 18,
    discipline: blend(draft, 0.97, 0.45),
    actionsPerWeek: draft.random.logUniform(3, 20) * blend(draft, 1.3, 0.6),
  };
}

/** Exits a relay shows: rotating VPN exits where nobody cares, one fixed server near home where somebody does. */
export function relayed(draft: Draft, trueCountry: string): Partial<SitePlan> {
  const { random } = draft;
  const vpn = random.chance(blend(draft, 0.8, 0.15));
  const codes = vpn
    ? Object.keys(VPN_EXITS)
    : [drawHostingCountry(random, random.chance(draft.hide) ? ["SG", "JP", "TW", "IN", "MY"] : undefined)];
  const residential = !vpn && random.chance(0.4 * draft.hide);
  const places: PlacePlan[] = codes.map((country) => ({
    country,
    access: vpn ? "vpn" : residential ? "residential" : "hosting",
  }));
  const direct = pathRttMs(random, (places[0] as PlacePlan).country, trueCountry);
  return {
    places,
    trueCountry,
    rotateHours: vpn ? random.logUniform(3, 40) * blend(draft, 1, 8) : Number.POSITIVE_INFINITY,
    renewHours: random.logUniform(4, 48) * blend(draft, 1, 12),
    hiddenLegMs: Math.max(6, direct * blend(draft, 1.2, 0.5)),
    hiddenPart: random.chance(0.3) ? blend(draft, 0.8, 1) : 1,
  };
}

/** Some of the other typologies' operations relay too. */
export const maybeRelayed = (draft: Draft, country: string, probability: number): Partial<SitePlan> =>
  draft.random.chance(probability) ? relayed(draft, country) : {};

/** Parts of a whole, at least one each, uneven as real bases are. */
export function portions(random: Random, whole: number, count: number): number[] {
  const weights = Array.from({ length: count }, () => random.between(0.5, 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => Math.max(1, Math.round((whole * weight) / total)));
}

/** Accounts of one operation; some are paid to one address. */
export function makeAccounts(
  draft: Draft,
  count: number,
  model: Pick<AccountPlan, "pool">,
  payout?: AccountPlan["payout"],
): AccountPlan[] {
  const { random } = draft;
  const accounts = Array.from({ length: count }, () => makeAccount(random, model.pool, payout));
  if (model.pool.accounts === "user" && random.chance(blend(draft, 0.8, 0))) {
    for (const account of accounts) account.payoutAddress = (accounts[0] as AccountPlan).payoutAddress;
  }
  return accounts;
}

/** One account at one site: the shape that several typologies share. */
export function planSingle(
  draft: Draft,
  options: {
    algorithms?: readonly MachineModel["algorithm"][];
    settings?: readonly MachineModel["setting"][];
    country: string;
    sigma?: number;
    site?: (model: MachineModel) => Partial<SitePlan>;
    operator?: OperatorPlan;
  },
): Planned {
  const { random, world, span, machines } = draft;
  const pool = drawPool(random, world, options.algorithms);
  const model = drawModel(
    random,
    pool.algorithm,
    options.settings ?? (machines > 20 ? ["farm", "server"] : ["farm", "home", "office", "server"]),
  );
  const { country, sigma = 0.05 } = options;
  const site = () => options.site?.(model) ?? {};
  return {
    ...planOneSite(random, { pool, model, count: machines, span, country, sigma, site }),
    operator: options.operator ?? pyongyang(draft),
  };
}

/** A country where overseas bases are reported. */
export const drawBase = (random: Random): string => random.pick(OVERSEAS_BASES);
