import { blend, type Plan, portions, pyongyang } from "./campaign-parts.ts";
import { drawModel, INTRUDER_AGENTS, PROXY_AGENTS } from "./machines.ts";
import { drawNaming } from "./names.ts";
import { HOSTING } from "./networks.ts";
import type { Typology } from "./plan.ts";
import { drawCountry, drawHostingCountry, drawPool, makeAccount, makeRigs, makeSite } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Campaigns on other people's machines. */
export const INTRUSION_PLANS = {
  cryptojacking: (draft) => {
    const { random, world, span, machines } = draft;
    const pool = drawPool(random, world, ["randomx"]);
    const account = makeAccount(random, pool);
    const waves = Math.max(1, Math.round(random.between(1, 5)));
    const regions = Array.from({ length: Math.round(blend(draft, 12, 3)) }, () => drawCountry(random).code);
    const behindProxy = draft.hide > 2 / 3 && random.chance(0.5);
    const agent = behindProxy ? random.pick(PROXY_AGENTS.randomx) : random.pick(INTRUDER_AGENTS);
    const onlyName = random.chance(0.5) ? random.pick(["x", "bot", "m"]) : null;
    const sites = portions(random, machines, waves).map((count) => {
      const model = drawModel(random, pool.algorithm, ["office", "server"]);
      const arrivesMs = random.chance(0.4) ? span.fromMs : random.between(span.fromMs, span.toMs - DAY_MS);
      const naming = onlyName ? () => onlyName : drawNaming(random, model);
      const rigs = makeRigs(random, { model, count, span, naming, sigma: 0.5 });
      for (const rig of rigs) {
        rig.hashrateHs *= blend(draft, 0.9, 0.35);
        rig.fromMs = Math.max(
          span.fromMs,
          Math.min(arrivesMs + random.exponential() * blend(draft, 2, 48) * HOUR_MS, span.toMs),
        );
        rig.toMs = Math.min(span.toMs, rig.fromMs + random.logUniform(12, 24 * 60) * HOUR_MS);
      }
      return makeSite(random, {
        country: regions[0] as string,
        rigs,
        places: behindProxy
          ? [{ country: drawHostingCountry(random), access: "hosting" }]
          : regions.map((country) => ({
              country,
              access:
                random.chance(0.2) && HOSTING[country] ? ("hosting" as const) : ("residential" as const),
            })),
        scattered: !behindProxy,
        renewHours: random.logUniform(48, 1000),
        sessionHours: random.logNormal(8, 0.6),
        agent,
        proxy: behindProxy ? { passesNames: false, sessionWorker: onlyName ?? "x" } : false,
        load: {
          off: [],
          wander: 0.05,
          slows: true,
          ...(random.chance(0.5)
            ? { hours: { from: 18, to: 8, offset: 0, rest: random.between(0.2, 0.8) } }
            : {}),
        },
      });
    });
    return { accounts: [account], sites, operator: pyongyang(draft) };
  },
} satisfies Partial<Record<Typology, Plan>>;
