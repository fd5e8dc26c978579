import { bursts } from "./gaps.ts";
import { RENTAL_AGENTS } from "./machines.ts";
import { drawAddress, HOSTING } from "./networks.ts";
import { type Plan, planSingle } from "./owner-parts.ts";
import type { BenignKind, PlacePlan } from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import { drawCountry, drawHostingCountry, makeOperator, type World } from "./world.ts";

/** Halls of a world in which strangers' machines stand side by side. */
const SHARED_HALLS = 3;

/** The shared halls of a world, the same for all who stand in them: each has one /24. */
function sharedHalls({ startMs }: World): PlacePlan[] {
  const random = createRandom(startMs, "halls");
  return Array.from({ length: SHARED_HALLS }, () => {
    const country = drawHostingCountry(random);
    const ip = drawAddress(random, random.pick(HOSTING[country] as readonly string[]));
    return { country, access: "hosting", prefix: `${ip.slice(0, ip.lastIndexOf("."))}.0/24` };
  });
}

/** Where a client's machines stand: as often as not in a shared hall. */
const drawHall = (random: Random, world: World): PlacePlan =>
  random.chance(0.5)
    ? random.pick(sharedHalls(world))
    : { country: drawHostingCountry(random), access: "hosting" };

/** Owners whose machines, or whose hashrate, are in somebody else's hall. */
export const HOSTED_PLANS = {
  "hosting-client": (random, world, span) => {
    const hall = drawHall(random, world);
    const host = hall.country;
    const home = drawCountry(random);
    const planned = planSingle(random, world, span, {
      settings: ["farm", "server"],
      size: [2, 200],
      country: random.chance(0.5) ? host : home.code,
      site: () => ({
        places: [hall],
        trueCountry: host,
        accessMs: 1,
        renewHours: Number.POSITIVE_INFINITY,
      }),
    });
    return { ...planned, operator: makeOperator(random, home, 3) };
  },

  "hosting-farm": (random, world, span) => {
    const host = drawHostingCountry(random);
    return planSingle(random, world, span, {
      algorithms: ["randomx", "sha256d"],
      settings: ["server", "farm"],
      size: [10, 400],
      country: host,
      sigma: 0.1,
      site: (size) => ({
        places: [{ country: host, access: "hosting" }],
        addresses: random.chance(0.5) ? size : random.integer(1, 8),
        scattered: random.chance(0.4),
        accessMs: 1,
        renewHours: random.logUniform(48, 2000),
      }),
    });
  },

  "rental-customer": (random, world, span) => {
    const planned = planSingle(random, world, span, {
      settings: ["farm", "server"],
      size: [5, 600],
      country: "DE",
      site: () => ({
        places: [{ country: random.pick(["DE", "US", "SG", "FR"]), access: "hosting" }],
        agent: random.pick(RENTAL_AGENTS),
        proxy: { passesNames: false, sessionWorker: random.pick(["x", "rental", "nh", "1"]) },
        addresses: random.integer(1, 3),
        renewHours: random.logUniform(4, 100),
        load: { off: bursts(random, span, random.logUniform(0.4, 5)), wander: random.logUniform(0.05, 0.4) },
      }),
    });
    return { ...planned, operator: makeOperator(random, drawCountry(random), 3) };
  },
} satisfies Partial<Record<BenignKind, Plan>>;
