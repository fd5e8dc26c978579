import { bursts } from "./gaps.ts";
import { OVERSEAS_BASES } from "./networks.ts";
import { mixModels } from "./owner-habits.ts";
import { FARM_ALGORITHMS, type Plan, planSingle, proxied } from "./owner-parts.ts";
import type { BenignKind } from "./plan.ts";
import { drawCountry } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Owners of farms, and of fleets that mine here for a while. */
export const FARM_PLANS = {
  "small-farm": (random, world, span) =>
    mixModels(
      random,
      planSingle(random, world, span, {
        algorithms: FARM_ALGORITHMS,
        settings: ["farm"],
        size: [8, 120],
        site: (size, model) => proxied(random, model, size, 0.2),
      }),
    ),

  "large-farm": (random, world, span) =>
    mixModels(
      random,
      planSingle(random, world, span, {
        algorithms: FARM_ALGORITHMS,
        settings: ["farm"],
        size: [100, 1500],
        site: (size, model) => ({
          ...proxied(random, model, size, 0.5),
          load: { off: [], wander: 0.01, growth: random.logUniform(0.8, 1.3) },
        }),
      }),
    ),

  "demand-response-farm": (random, world, span) =>
    planSingle(random, world, span, {
      algorithms: FARM_ALGORITHMS,
      settings: ["farm"],
      size: [20, 600],
      country: random.chance(0.7) ? "US" : drawCountry(random).code,
      site: () => ({
        load: {
          off: [],
          wander: 0.01,
          dear: {
            part: random.between(0.05, 0.35),
            rest: random.between(0, 0.3),
            region: random.pick(["US", "US-W", "EU"]),
          },
        },
      }),
    }),

  "migrating-farm": (random, world, span) => {
    const [from, to] = [drawCountry(random).code, drawCountry(random).code];
    const moveMs = random.between(span.fromMs, span.toMs);
    const pauseMs = random.logUniform(12 * HOUR_MS, 5 * DAY_MS);
    return planSingle(random, world, span, {
      algorithms: FARM_ALGORITHMS,
      settings: ["farm"],
      size: [10, 400],
      country: from,
      site: () => ({
        places: [
          { country: from, access: "residential" },
          { country: to, access: "residential" },
        ],
        moves: [{ atMs: moveMs, place: 1 }],
        load: {
          off: [{ fromMs: moveMs - pauseMs / 2, toMs: moveMs + pauseMs / 2, jitterMs: DAY_MS / 2 }],
          wander: 0.02,
        },
      }),
    });
  },

  "failover-fleet": (random, world, span) =>
    planSingle(random, world, span, {
      settings: ["farm", "home"],
      size: [1, 300],
      // The fleet's own pool fails now and then; only then is it seen here, at once and whole.
      site: () => ({ load: { off: bursts(random, span, random.logUniform(0.7, 5)), wander: 0.01 } }),
    }),

  "watch-country-farm": (random, world, span) =>
    planSingle(random, world, span, {
      settings: ["farm", "home", "office"],
      size: [1, 300],
      country: drawCountry(random, OVERSEAS_BASES).code,
      site: (size, model) => proxied(random, model, size, 0.3),
    }),
} satisfies Partial<Record<BenignKind, Plan>>;
