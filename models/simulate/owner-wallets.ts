import { drawModel, MACHINES, type MachineModel } from "./machines.ts";
import { drawNaming } from "./names.ts";
import { evenings, type Plan } from "./owner-parts.ts";
import type { BenignKind, OperatorPlan, PlacePlan, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { mineApart } from "./split.ts";
import {
  drawCountry,
  drawHostingCountry,
  drawPool,
  drawSize,
  makeAccount,
  makeOperator,
  makeRigs,
  makeSite,
  type World,
} from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Algorithms of computers, and not of dedicated machines. */
const COMPUTERS: readonly MachineModel["algorithm"][] = ["randomx", "etchash"];

/** Strangers who each do what they like when they like: so many a week, at any hour. */
const strangers = (random: Random, people: number): OperatorPlan => ({
  utcOffset: 0,
  from: 0,
  to: 24,
  discipline: 0,
  actionsPerWeek: people * random.logUniform(0.02, 0.3),
});

/** Homes in the countries where honest miners sit, some of them more than once. */
const homes = (random: Random, count: number): PlacePlan[] =>
  Array.from({ length: count }, () => ({ country: drawCountry(random).code, access: "residential" }));

const drawPeople = (random: Random, low: number, high: number, { maxMachines }: World): number =>
  drawSize(random, low, Math.max(low, Math.min(high, maxMachines)));

/** Wallets that many strangers' machines mine to, and honestly: what is true of them is true of intruders' wallets too. */
export const WALLET_PLANS = {
  // A mining program mines a minute or two in a hundred to who wrote it.
  "developer-fee": (random, world, span) => {
    const pool = drawPool(random, world);
    const model = drawModel(random, pool.algorithm, ["farm", "home"]);
    const own = MACHINES.filter(({ algorithm }) => algorithm === pool.algorithm);
    const count = drawPeople(random, 20, 150, world);
    const agent = random.pick(model.agents);
    const name = random.pick(["fee", "x", "dev", "1"]);
    const rigs = makeRigs(random, { model, count, span, naming: () => name, sigma: 0.1 });
    for (const rig of rigs) {
      const other = random.pick(own);
      if (!other.agents.includes(agent)) continue;
      rig.model = other;
      rig.hashrateHs = other.hashrateHs * random.logNormal(0.97, 0.05);
    }
    const site = makeSite(random, {
      country: "US",
      places: homes(random, 24),
      rigs,
      scattered: true,
      agent,
      renewHours: random.logUniform(48, 1000),
      load: { off: [], wander: 0.02 },
    });
    mineApart(site, random.between(0.008, 0.03), random.logUniform(50, 150) * MINUTE_MS);
    // The developer himself has little to do to what is mined to him.
    return { accounts: [makeAccount(random, pool)], sites: [site], operator: strangers(random, 0.3) };
  },

  // People who give to a cause or a team, or whose computers an application uses while they are idle.
  "volunteer-wallet": (random, world, span) => {
    const pool = drawPool(random, world, COMPUTERS);
    const people = Math.min(40, drawPeople(random, 10, 60, world));
    const application = random.chance(0.4);
    const one = drawModel(random, pool.algorithm, ["home", "office"]);
    const agent = random.pick(one.agents);
    const naming = drawNaming(random, one);
    const sites = Array.from({ length: people }, (_, index): SitePlan => {
      const model = application ? one : drawModel(random, pool.algorithm, ["home", "office", "server"]);
      const home = drawCountry(random);
      const fromMs = random.chance(0.6) ? span.fromMs : random.between(span.fromMs, span.toMs);
      const toMs = random.chance(0.7) ? span.toMs : random.between(fromMs, span.toMs);
      const rigs = makeRigs(random, {
        model,
        count: application ? 1 : random.integer(1, 3),
        span: { fromMs, toMs },
        sigma: 0.3,
        ...(application ? { naming, firstIndex: 1 + index } : {}),
      });
      return makeSite(random, {
        country: home.code,
        rigs,
        ...(application ? { agent } : {}),
        ...(application || random.chance(0.5)
          ? { load: { ...evenings(random, home.utcOffset, 0.08), slows: random.chance(0.3) } }
          : {}),
      });
    });
    return { accounts: [makeAccount(random, pool)], sites, operator: strangers(random, people) };
  },

  // Rented servers, a few in each of several regions, some of them for as long as they are cheap.
  "cloud-miner": (random, world, span) => {
    const pool = drawPool(random, world, COMPUTERS);
    const model = drawModel(random, pool.algorithm, ["server", "home"]);
    const regions = new Set(Array.from({ length: random.integer(2, 6) }, () => drawHostingCountry(random)));
    const agent = random.pick(model.agents);
    const naming = drawNaming(random, model);
    const cheap = random.chance(0.4);
    const each = Math.max(1, Math.round(drawPeople(random, 5, 80, world) / regions.size));
    const sites = [...regions].map((country, index) => {
      const rigs = makeRigs(random, {
        model,
        count: each,
        span,
        naming,
        firstIndex: 1 + each * index,
        sigma: 0.2,
      });
      for (const rig of cheap ? rigs : []) {
        rig.fromMs = random.chance(0.4) ? span.fromMs : random.between(span.fromMs, span.toMs);
        rig.toMs = Math.min(span.toMs, rig.fromMs + random.logUniform(0.2, 30) * DAY_MS);
      }
      return makeSite(random, {
        country,
        places: [{ country, access: "hosting" }],
        rigs,
        scattered: true,
        agent,
        accessMs: 1,
        renewHours: Number.POSITIVE_INFINITY,
      });
    });
    return {
      accounts: [makeAccount(random, pool)],
      sites,
      operator: makeOperator(random, drawCountry(random), each * regions.size),
    };
  },
} satisfies Partial<Record<BenignKind, Plan>>;
