import type { Span } from "./calendar.ts";
import { drawModel, type MachineModel, PROXY_AGENTS } from "./machines.ts";
import { type Planned, planOneSite } from "./operation.ts";
import type { SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { drawCountry, drawPool, drawSize, makeOperator, type World } from "./world.ts";

/** Algorithms that farms of dedicated machines mine. */
export const FARM_ALGORITHMS: readonly MachineModel["algorithm"][] = ["sha256d", "scrypt"];

/** Plans the owners of one kind. */
export type Plan = (random: Random, world: World, span: Span) => Planned;

/** One account, one site: the plain case that most kinds vary. */
export function planSingle(
  random: Random,
  world: World,
  span: Span,
  options: {
    algorithms?: readonly MachineModel["algorithm"][];
    settings: readonly MachineModel["setting"][];
    size: readonly [number, number];
    country?: string;
    sigma?: number;
    site?: (size: number, model: MachineModel) => Partial<SitePlan>;
  },
): Planned {
  const pool = drawPool(random, world, options.algorithms);
  const model = drawModel(random, pool.algorithm, options.settings);
  const count = drawSize(random, options.size[0], Math.min(options.size[1], world.maxMachines));
  const country = options.country ?? drawCountry(random).code;
  const site = () => options.site?.(count, model) ?? {};
  const { sigma = 0.03 } = options;
  return {
    ...planOneSite(random, { pool, model, count, span, country, sigma, site }),
    operator: makeOperator(random, country, count),
  };
}

/** On in the evening and at night, at a local clock. */
export const evenings = (random: Random, offset: number, wander: number): SitePlan["load"] => ({
  off: [],
  wander,
  hours: {
    from: random.between(15, 20),
    to: random.between(6, 9),
    offset,
    rest: random.chance(0.5) ? 0 : 0.3,
  },
});

/** Behind a proxy with some probability; farms' proxies mostly pass the machines' names on. */
export function proxied(
  random: Random,
  model: MachineModel,
  size: number,
  probability: number,
): Partial<SitePlan> {
  if (size < 5 || !random.chance(probability)) return {};
  return {
    agent: random.pick(PROXY_AGENTS[model.algorithm]),
    proxy: { passesNames: random.chance(0.6), sessionWorker: random.pick(["proxy", "farm", "1", "main"]) },
  };
}
