import type { Span } from "./calendar.ts";
import type { MachineModel } from "./machines.ts";
import { drawAddressOfCoin, drawNaming, drawUser, type Naming } from "./names.ts";
import { COUNTRIES, type Country, countryOf, HOSTING } from "./networks.ts";
import type { AccountPlan, OperatorPlan, PoolPlan, Rig, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";

/** What owners and campaigns are planned in. */
export interface World {
  startMs: number;
  endMs: number;
  pools: readonly PoolPlan[];
  /** Outages of the watched network. */
  outages: readonly Span[];
  /** Largest fleet that is drawn. */
  maxMachines: number;
}

/** Draws a pool, by algorithm where that matters. */
export function drawPool(
  random: Random,
  world: World,
  algorithms?: readonly MachineModel["algorithm"][],
): PoolPlan {
  const fitting = algorithms
    ? world.pools.filter(({ algorithm }) => algorithms.includes(algorithm))
    : world.pools;
  return random.pick(fitting.length > 0 ? fitting : world.pools);
}

/** A new account at a pool, paid as that pool pays unless said. */
export function makeAccount(random: Random, pool: PoolPlan, payout?: AccountPlan["payout"]): AccountPlan {
  const payoutAddress = drawAddressOfCoin(random, pool.algorithm);
  return {
    pool,
    name: pool.accounts === "address" ? payoutAddress : drawUser(random),
    payoutAddress,
    addressChanges: [],
    payout:
      payout ??
      (random.chance(0.6) ? { rule: "daily" } : { rule: "threshold", coins: thresholdCoins(random, pool) }),
  };
}

/** Another payout address from some instant on, at pools that pay users; where the account is the address it cannot. */
export function changeAddress(random: Random, account: AccountPlan, span: Span): void {
  if (account.pool.accounts !== "user") return;
  const address = drawAddressOfCoin(random, account.pool.algorithm);
  account.addressChanges.push({ atMs: random.between(span.fromMs, span.toMs), address });
  account.addressChanges.sort((left, right) => left.atMs - right.atMs);
}

/** Minimum payouts as pools set them, in coins. */
function thresholdCoins(random: Random, pool: PoolPlan): number {
  const usual = {
    sha256d: [0.001, 0.005, 0.01],
    scrypt: [0.1, 0.5, 1],
    randomx: [0.1, 0.3, 1],
    etchash: [0.1, 0.5, 1],
  };
  return random.pick(usual[pool.algorithm]);
}

/** Honest miners' country, by the weight of countries in the world's hashrate. */
export function drawCountry(random: Random, among?: readonly string[]): Country {
  const countries = COUNTRIES.filter(({ code, weight }) => (among ? among.includes(code) : weight > 0));
  return random.weighted(countries.map((one) => [one, Math.max(1, one.weight)] as const));
}

/** A country with hosting space. */
export function drawHostingCountry(random: Random, among?: readonly string[]): string {
  const codes = Object.keys(HOSTING).filter((code) => !among || among.includes(code));
  return random.pick(codes.length > 0 ? codes : Object.keys(HOSTING));
}

/** A fleet of one model: machines differ by a few percent, and some are added later in the span. */
export function makeRigs(
  random: Random,
  options: {
    model: MachineModel;
    count: number;
    naming?: Naming;
    account?: number;
    firstIndex?: number;
    span: Span;
    /** Spread of machines' rates around the rated: 0.03 for one farm, more for mixed computers. */
    sigma?: number;
  },
): Rig[] {
  const { model, count, account = 0, firstIndex = 1, span, sigma = 0.03 } = options;
  const naming = options.naming ?? drawNaming(random, model);
  return Array.from({ length: count }, (_, index) => ({
    model,
    hashrateHs: model.hashrateHs * random.logNormal(0.97, sigma),
    worker: naming(firstIndex + index),
    fromMs: span.fromMs,
    toMs: span.toMs,
    account,
  }));
}

/** A home, farm or hall with the usual values; what differs is given. */
export function makeSite(
  random: Random,
  options: Partial<SitePlan> & { country: string; rigs: Rig[] },
): SitePlan {
  const { country, rigs, ...rest } = options;
  const model = (rigs[0] as Rig).model;
  const farm = rigs.length > 8;
  return {
    places: [{ country, access: "residential" }],
    rotateHours: Number.POSITIVE_INFINITY,
    moves: [],
    trueCountry: country,
    hiddenLegMs: 0,
    hiddenPart: 1,
    accessMs: farm ? random.logNormal(4, 0.5) : random.logNormal(10, 0.6),
    deviceMs: random.logNormal(model.algorithm === "randomx" ? 2 : 6, 0.7),
    addresses: farm ? random.integer(1, 1 + Math.min(4, Math.floor(rigs.length / 60))) : 1,
    scattered: false,
    renewHours: farm
      ? random.chance(0.7)
        ? Number.POSITIVE_INFINITY
        : 24 * 14
      : random.weighted([
          [24, 3],
          [24 * 7, 3],
          [24 * 60, 4],
        ] as const),
    sessionHours: random.logNormal(60, 0.8),
    agent: random.pick(model.agents),
    proxy: false,
    load: { off: [], wander: random.logUniform(0.005, 0.08) },
    rigs,
    ...rest,
  };
}

/** People who run a fleet from its own country, in their working day or their evenings. */
export function makeOperator(random: Random, country: Country | string, size: number): OperatorPlan {
  const { utcOffset } = typeof country === "string" ? countryOf(country) : country;
  const professional = size > 10;
  return {
    utcOffset: utcOffset + (random.chance(0.5) ? 1 : 0),
    from: professional ? random.between(7, 10) : random.between(8, 18),
    to: professional ? random.between(16, 20) : random.between(20, 24),
    discipline: random.between(0.6, 0.95),
    actionsPerWeek: random.logUniform(0.3, professional ? 12 : 4),
  };
}

/** Sizes as pools see them: most owners have a machine or two, a few have thousands (Pareto, exponent near 1). */
export function drawSize(random: Random, low: number, high: number): number {
  return Math.max(low, Math.min(high, Math.round(random.logUniform(low, high))));
}
