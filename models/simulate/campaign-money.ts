import {
  blend,
  drawBase,
  makeAccounts,
  maybeRelayed,
  type Plan,
  planSingle,
  portions,
  pyongyang,
} from "./campaign-parts.ts";
import { bursts } from "./gaps.ts";
import { drawModel, RENTAL_AGENTS } from "./machines.ts";
import { drawNaming } from "./names.ts";
import type { AccountPlan, SitePlan, Typology } from "./plan.ts";
import { splitByRig, splitByTime } from "./split.ts";
import { changeAddress, drawCountry, drawPool, makeAccount, makeRigs, makeSite } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Sums in US dollars from which a payment is reported (31 CFR 1010.311), or travels with its parties' names: in the
 * United States (31 CFR 1010.410) and by FATF Recommendation 16. How often each is evaded is our estimate.
 */
const REPORTED_SUMS = [
  [10_000, 0.6],
  [3000, 0.25],
  [1000, 0.15],
] as const;

/** Campaigns about where the money goes: split for remittance, laundered by rented hashrate, kept below a threshold. */
export const MONEY_PLANS = {
  "remittance-split": (draft) => {
    const { random, span } = draft;
    const country = drawBase(random);
    const planned = planSingle(draft, { country, site: () => maybeRelayed(draft, country, 0.35) });
    const first = planned.accounts[0] as AccountPlan;
    const [site] = planned.sites as [SitePlan];
    const part = random.between(0.8, 0.9);
    const accounts = [first, makeAccount(random, first.pool)];
    if (site.rigs.length < 8 || random.chance(blend(draft, 0.7, 0.4))) {
      splitByTime(site, part, random.logUniform(0.5, blend(draft, 1, 12)) * HOUR_MS);
    } else {
      splitByRig(site, part);
      if (draft.hide > 2 / 3) {
        const naming = drawNaming(random, (site.rigs[0] as (typeof site.rigs)[number]).model);
        for (const [index, rig] of site.rigs.entries()) if (rig.account === 1) rig.worker = naming(index);
      }
    }
    for (const account of accounts) {
      if (random.chance(0.2)) changeAddress(random, account, span);
    }
    return { accounts, sites: planned.sites, operator: pyongyang(draft) };
  },

  "hashrate-laundering": (draft) => {
    const { random, world, span, machines } = draft;
    const pool = drawPool(random, world);
    const model = drawModel(random, pool.algorithm, ["farm", "server", "home"]);
    const lifeMs = random.logUniform(1, 5) * DAY_MS * blend(draft, 1, 4);
    const accounts: AccountPlan[] = [];
    const sites: SitePlan[] = [];
    const naming = random.pick(["x", "1", "w"]);
    for (let fromMs = span.fromMs; fromMs < span.toMs && accounts.length < 6; fromMs += lifeMs) {
      const life = { fromMs, toMs: Math.min(span.toMs, fromMs + lifeMs) };
      const account = makeAccount(random, pool, { rule: "daily" });
      const changes = random.chance(blend(draft, 1, 0.4)) ? random.integer(1, 3) : 0;
      for (let index = 0; index < changes; index += 1) changeAddress(random, account, life);
      const rented = random.chance(blend(draft, 0.95, 0.5));
      const host = random.pick(["DE", "US", "SG", "FR"]);
      const rigs = makeRigs(random, {
        model,
        count: machines,
        span: life,
        naming: () => naming,
        account: accounts.length,
      });
      accounts.push(account);
      sites.push(
        makeSite(random, {
          country: host,
          rigs,
          places: [{ country: host, access: "hosting" }],
          agent: rented ? random.pick(RENTAL_AGENTS) : random.pick(model.agents),
          proxy: { passesNames: false, sessionWorker: naming },
          renewHours: random.logUniform(4, 60),
          load: {
            off: random.chance(0.5) ? bursts(random, life, random.logUniform(3, 12)) : [],
            wander: random.logUniform(0.05, 0.4),
          },
        }),
      );
    }
    return { accounts, sites, operator: pyongyang(draft) };
  },

  structuring: (draft) => {
    const { random, world, span, named } = draft;
    const pool = drawPool(random, world, ["sha256d", "scrypt"]);
    const model = drawModel(random, pool.algorithm, ["farm"]);
    const sum = random.weighted(REPORTED_SUMS);
    const scale = sum / 10_000;
    const machines = named ? draft.machines : Math.max(20, Math.round(scale * draft.machines));
    const count = random.integer(1, Math.max(1, Math.min(5, Math.floor(machines / (120 * scale)))));
    const low = scale * blend(draft, 9000, 7200);
    const payout = { rule: "currency" as const, low, high: scale * blend(draft, 9900, 10_600) };
    const accounts = makeAccounts(draft, count, { pool }, payout);
    const country = random.chance(0.6) ? drawBase(random) : drawCountry(random).code;
    const sizes = portions(random, machines, count);
    const naming = drawNaming(random, model);
    const sites = accounts.map((account, index) => {
      if (random.chance(0.3)) changeAddress(random, account, span);
      const rigs = makeRigs(random, {
        model,
        count: sizes[index] as number,
        span,
        account: index,
        firstIndex: 1 + 300 * index,
        ...(random.chance(blend(draft, 0.9, 0.3)) ? { naming } : {}),
      });
      return makeSite(random, { country, rigs, ...maybeRelayed(draft, country, 0.3) });
    });
    return { accounts, sites, operator: pyongyang(draft) };
  },
} satisfies Partial<Record<Typology, Plan>>;
