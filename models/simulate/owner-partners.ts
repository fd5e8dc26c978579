import { drawModel } from "./machines.ts";
import { OVERSEAS_BASES } from "./networks.ts";
import { FARM_ALGORITHMS, type Plan, planSingle } from "./owner-parts.ts";
import type { BenignKind, SitePlan } from "./plan.ts";
import { splitByRig, splitByTime } from "./split.ts";
import { drawCountry, drawPool, drawSize, makeAccount, makeOperator, makeRigs, makeSite } from "./world.ts";

const HOUR_MS = 3_600_000;

/** Owners of several sites or accounts, and those who are paid by hand. */
export const PARTNER_PLANS = {
  "multi-site-firm": (random, world, span) => {
    const pool = drawPool(random, world, FARM_ALGORITHMS);
    const model = drawModel(random, pool.algorithm, ["farm"]);
    const asian = random.chance(0.25);
    const countries = Array.from(
      { length: random.integer(2, 5) },
      () => drawCountry(random, asian ? OVERSEAS_BASES : undefined).code,
    );
    // Some firms keep one account a hall, all paid to one address.
    const apart = random.chance(0.4);
    const accounts = (apart ? countries : [""]).map(() => makeAccount(random, pool));
    if (pool.accounts === "user")
      for (const account of accounts) account.payoutAddress = accounts[0]!.payoutAddress;
    const sites = countries.map((country, index) => {
      const count = drawSize(random, Math.min(30, world.maxMachines), Math.min(300, world.maxMachines));
      const account = apart ? index : 0;
      return makeSite(random, { country, rigs: makeRigs(random, { model, count, span, account }) });
    });
    return {
      accounts,
      sites,
      operator: makeOperator(random, asian ? random.pick(["CN", "SG", "MY", "KR"]) : drawCountry(random), 50),
    };
  },

  "profit-share": (random, world, span) => {
    const planned = planSingle(random, world, span, { settings: ["farm"], size: [4, 150] });
    const [site] = planned.sites as [SitePlan];
    const first = planned.accounts[0]!;
    const part = random.between(0.5, 0.95);
    const partners = [first, makeAccount(random, first.pool)];
    if (random.chance(0.5)) splitByTime(site, part, random.logUniform(1, 24) * HOUR_MS);
    else splitByRig(site, part);
    return { ...planned, accounts: partners };
  },

  "threshold-payer": (random, world, span) => {
    const planned = planSingle(random, world, span, {
      algorithms: FARM_ALGORITHMS,
      settings: ["farm"],
      size: [10, 600],
    });
    const account = planned.accounts[0]!;
    const usd = random.pick([1000, 2000, 5000, 9000, 10_000, 20_000]);
    account.payout = { rule: "currency", low: usd, high: usd * random.between(1.01, 1.3) };
    return planned;
  },
} satisfies Partial<Record<BenignKind, Plan>>;
