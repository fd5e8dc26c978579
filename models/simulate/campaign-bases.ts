import {
  blend,
  drawBase,
  makeAccounts,
  maybeRelayed,
  type Plan,
  planSingle,
  portions,
  pyongyang,
  relayed,
} from "./campaign-parts.ts";
import { drawModel, PROXY_AGENTS } from "./machines.ts";
import { drawNaming } from "./names.ts";
import type { SitePlan, Typology } from "./plan.ts";
import { drawCountry, drawPool, makeRigs, makeSite } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Campaigns of people abroad: several bases, many machines behind one address, a fleet that sets in from silence. */
export const BASE_PLANS = {
  "overseas-base": (draft) => {
    const { random, world, span, machines } = draft;
    const pool = drawPool(random, world);
    const model = drawModel(random, pool.algorithm, ["farm", "home", "office", "server"]);
    const bases = [
      ...new Set(Array.from({ length: Math.min(machines, random.integer(2, 5)) }, () => drawBase(random))),
    ];
    const shared = random.chance(blend(draft, 0.7, 0.2));
    const accounts = makeAccounts(draft, shared ? 1 : bases.length, { pool });
    const naming = drawNaming(random, model);
    const agent = random.pick(model.agents);
    const sizes = portions(random, machines, bases.length);
    const sites = bases.map((country, index) => {
      const same = random.chance(blend(draft, 1, 0.3));
      const account = shared ? 0 : index;
      const rigs = makeRigs(random, {
        model,
        count: sizes[index] as number,
        span,
        account,
        ...(same ? { naming } : {}),
        firstIndex: 1 + 40 * index,
        sigma: 0.05,
      });
      return makeSite(random, {
        country,
        rigs,
        agent: same ? agent : random.pick(model.agents),
        ...maybeRelayed(draft, country, 0.25),
      });
    });
    return { accounts, sites, operator: pyongyang(draft) };
  },

  "many-behind-one": (draft) => {
    const { random } = draft;
    const country = random.chance(0.7) ? drawBase(random) : drawCountry(random).code;
    return planSingle(draft, {
      algorithms: ["randomx", "etchash"],
      settings: ["office", "server", "home"],
      country,
      sigma: 0.4,
      site: (model) => ({
        ...maybeRelayed(draft, country, 0.5),
        agent: random.chance(blend(draft, 1, 0.4))
          ? random.pick(PROXY_AGENTS[model.algorithm])
          : random.pick(model.agents),
        proxy: { passesNames: random.chance(blend(draft, 1, 0.5)), sessionWorker: "x" },
        addresses: draft.hide > 2 / 3 ? random.integer(1, 4) : 1,
      }),
    });
  },

  "onset-from-silence": (draft) => {
    const { random, span } = draft;
    const country = random.chance(0.2) ? "KP" : drawBase(random);
    const planned = planSingle(draft, {
      country,
      site: () => (country === "KP" ? relayed(draft, "KP") : maybeRelayed(draft, country, 0.4)),
    });
    const [site] = planned.sites as [SitePlan];
    // A few hours of trial, silence, then the whole fleet; the careful come back in parts.
    const trialMs = span.fromMs + random.logUniform(2, 20) * HOUR_MS;
    const silentMs = Math.min(random.logUniform(3, 20) * DAY_MS, 0.6 * (span.toMs - trialMs));
    site.load.off = [{ fromMs: trialMs, toMs: trialMs + silentMs, jitterMs: blend(draft, 2, 600) * 60_000 }];
    const trial = Math.max(1, Math.round(site.rigs.length * random.between(0.02, 0.3)));
    for (const [index, rig] of site.rigs.entries()) {
      if (index >= trial)
        rig.fromMs = trialMs + silentMs + random.next() * Math.max(0, draft.hide - 0.5) * 8 * DAY_MS;
    }
    return planned;
  },
} satisfies Partial<Record<Typology, Plan>>;
