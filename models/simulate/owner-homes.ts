import { pathRttMs, VPN_EXITS } from "./networks.ts";
import { evenings, type Plan, planSingle, proxied } from "./owner-parts.ts";
import type { BenignKind } from "./plan.ts";
import { drawCountry } from "./world.ts";

/** Where mining is banned, rationed or taxed apart, and residents hide it behind a rented server abroad. Our estimate. */
const BURDENED = [
  ["CN", 10],
  ["RU", 3],
  ["KZ", 2],
  ["VN", 2],
  ["NP", 1],
  ["ET", 1],
] as const;

/** Owners of a few machines at home, at work or in a laboratory. */
export const HOME_PLANS = {
  hobbyist: (random, world, span) =>
    planSingle(random, world, span, { settings: ["home", "farm"], size: [1, 4] }),

  "cpu-hobbyist": (random, world, span) => {
    const country = drawCountry(random);
    return planSingle(random, world, span, {
      algorithms: ["randomx", "etchash"],
      settings: ["home", "office", "server"],
      size: [1, 8],
      country: country.code,
      sigma: 0.2,
      site: () =>
        random.chance(0.4)
          ? { load: { ...evenings(random, country.utcOffset, 0.08), slows: random.chance(0.5) } }
          : {},
    });
  },

  "vpn-hobbyist": (random, world, span) => {
    const country = drawCountry(random).code;
    const exits = [...Object.keys(VPN_EXITS)];
    const exit = random.pick(exits);
    return planSingle(random, world, span, {
      settings: ["home", "office"],
      size: [1, 12],
      country,
      site: () => ({
        places: random.chance(0.5)
          ? [{ country: exit, access: "vpn" }]
          : exits.map((code) => ({ country: code, access: "vpn" as const })),
        rotateHours: random.logUniform(8, 24 * 30),
        renewHours: random.logUniform(6, 24 * 10),
        hiddenLegMs: pathRttMs(random, exit, country),
        hiddenPart: random.chance(0.8) ? 1 : 0.7,
      }),
    });
  },

  "hidden-resident": (random, world, span) => {
    const country = random.weighted(BURDENED);
    const exit = random.pick(["SG", "JP", "TW", "DE", "US", "NL", "FI"]);
    return planSingle(random, world, span, {
      settings: ["farm", "home", "office"],
      size: [1, 60],
      country,
      site: (size, model) => ({
        ...proxied(random, model, size, 0.5),
        places: [{ country: exit, access: "hosting" }],
        renewHours: random.chance(0.5) ? Number.POSITIVE_INFINITY : random.logUniform(24, 1000),
        hiddenLegMs: pathRttMs(random, exit, country),
        hiddenPart: random.chance(0.3) ? random.between(0.8, 1) : 1,
      }),
    });
  },

  "border-miner": (random, world, span) => {
    const [home, other] = random.pick([
      ["CN", "KZ"],
      ["RU", "KZ"],
      ["LA", "TH"],
      ["KH", "VN"],
      ["PY", "BR"],
      ["CN", "MN"],
      ["RU", "CN"],
      ["MY", "SG"],
    ] as const);
    return planSingle(random, world, span, {
      settings: ["farm", "home"],
      size: [1, 80],
      country: home,
      site: () => ({
        places: [
          { country: home, access: "residential" },
          { country: other, access: "residential" },
        ],
        rotateHours: random.logUniform(10, 200),
        renewHours: random.logUniform(12, 400),
      }),
    });
  },

  "proxy-lab": (random, world, span) =>
    planSingle(random, world, span, {
      algorithms: ["randomx", "etchash"],
      settings: ["office", "home"],
      size: [10, 150],
      sigma: 0.3,
      site: (size, model) => ({
        ...proxied(random, model, size, 0.6),
        load: random.chance(0.6) ? evenings(random, 1, 0.1) : { off: [], wander: 0.05 },
      }),
    }),

  "satellite-miner": (random, world, span) =>
    planSingle(random, world, span, {
      settings: ["home"],
      size: [1, 5],
      country: "US",
      site: () => ({
        places: [{ country: "US", access: "satellite" }],
        accessMs: random.between(25, 60),
        renewHours: 48,
      }),
    }),
} satisfies Partial<Record<BenignKind, Plan>>;
