import type { Span } from "./calendar.ts";
import type { MachineModel } from "./machines.ts";
import type { Operation, PoolPlan, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { makeAccount, makeRigs, makeSite } from "./world.ts";

/** What a plan says of an operation. Who plans it says of what kind it is and when. */
export type Planned = Pick<Operation, "accounts" | "sites" | "operator">;

/** One account at one site, without its operator: the shape that most owners and campaigns vary. */
export function planOneSite(
  random: Random,
  options: {
    pool: PoolPlan;
    model: MachineModel;
    count: number;
    span: Span;
    country: string;
    /** Spread of machines' rates around the rated. */
    sigma: number;
    /** What differs from a usual site; asked once the machines are drawn. */
    site: (() => Partial<SitePlan>) | undefined;
  },
): Omit<Planned, "operator"> {
  const { pool, model, count, span, country, sigma, site } = options;
  const rigs = makeRigs(random, { model, count, span, sigma });
  const sites = [makeSite(random, { country, rigs, ...site?.() })];
  return { accounts: [makeAccount(random, pool)], sites };
}
