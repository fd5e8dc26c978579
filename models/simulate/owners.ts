import type { Span } from "./calendar.ts";
import { drawModel, type MachineModel, PROXY_AGENTS, RENTAL_AGENTS } from "./machines.ts";
import { OVERSEAS_BASES, pathRttMs, VPN_EXITS } from "./networks.ts";
import type { BenignKind, Operation, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import {
  changeAddress,
  drawCountry,
  drawHostingCountry,
  drawPool,
  drawSize,
  drawTrouble,
  makeAccount,
  makeOperator,
  makeRigs,
  makeSite,
  mergeOff,
  type World,
} from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FARM: readonly MachineModel["algorithm"][] = ["sha256d", "scrypt"];

/**
 * How common each honest owner is: in a usual pool, and in the hard mix, where those who look like somebody else are
 * ten times commoner. Our estimates: nobody publishes what share of a pool's accounts is of which kind.
 */
const WEIGHTS: readonly (readonly [BenignKind, usual: number, hard: number])[] = [
  ["hobbyist", 400, 22],
  ["cpu-hobbyist", 250, 16],
  ["small-farm", 110, 12],
  ["large-farm", 15, 4],
  ["demand-response-farm", 5, 3],
  ["vpn-hobbyist", 30, 6],
  ["hosting-client", 35, 6],
  ["hosting-farm", 5, 3],
  ["rental-customer", 25, 5],
  ["border-miner", 8, 4],
  ["migrating-farm", 2, 2],
  ["failover-fleet", 10, 3],
  ["watch-country-farm", 70, 6],
  ["multi-site-firm", 4, 3],
  ["proxy-lab", 12, 4],
  ["profit-share", 6, 2],
  ["satellite-miner", 5, 1],
  ["threshold-payer", 3, 2],
];

/** Weights of the honest owners in a mix. */
export function ownerWeights(mix: "usual" | "hard"): (readonly [BenignKind, number])[] {
  return WEIGHTS.map(([kind, usual, hard]) => [kind, mix === "usual" ? usual : hard] as const);
}

/** Plans one honest owner of a kind who is there during `span`. */
export function planOwner(kind: BenignKind, random: Random, world: World, span: Span): Operation {
  const operation = PLANS[kind](random, world, span);
  for (const site of operation.sites) {
    const perWeek = site.rigs.length > 8 ? 0.35 : 0.6;
    site.load.off = mergeOff(site.load.off, drawTrouble(random, span, perWeek));
  }
  for (const account of operation.accounts) {
    if (random.chance(0.08)) changeAddress(random, account, span);
  }
  return { ...operation, kind, campaign: null, care: null, fromMs: span.fromMs, toMs: span.toMs };
}

type Plan = (random: Random, world: World, span: Span) => Pick<Operation, "accounts" | "sites" | "operator">;

/** One account, one site: the plain case that most kinds vary. */
function single(
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
): Pick<Operation, "accounts" | "sites" | "operator"> {
  const pool = drawPool(random, world, options.algorithms);
  const model = drawModel(random, pool.algorithm, options.settings);
  const count = drawSize(random, options.size[0], Math.min(options.size[1], world.maxMachines));
  const country = options.country ?? drawCountry(random).code;
  const rigs = makeRigs(random, { model, count, span, sigma: options.sigma ?? 0.03 });
  const site = makeSite(random, { country, rigs, ...options.site?.(count, model) });
  return {
    accounts: [makeAccount(random, pool)],
    sites: [site],
    operator: makeOperator(random, country, count),
  };
}

const evenings = (random: Random, offset: number, wander: number): SitePlan["load"] => ({
  off: [],
  wander,
  hours: {
    from: random.between(15, 20),
    to: random.between(6, 9),
    offset,
    rest: random.chance(0.5) ? 0 : 0.3,
  },
});

const PLANS: Record<BenignKind, Plan> = {
  hobbyist: (random, world, span) =>
    single(random, world, span, { settings: ["home", "farm"], size: [1, 4] }),

  "cpu-hobbyist": (random, world, span) => {
    const country = drawCountry(random);
    return single(random, world, span, {
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

  "small-farm": (random, world, span) =>
    single(random, world, span, {
      algorithms: FARM,
      settings: ["farm"],
      size: [8, 120],
      site: (size, model) => proxied(random, model, size, 0.2),
    }),

  "large-farm": (random, world, span) =>
    single(random, world, span, {
      algorithms: FARM,
      settings: ["farm"],
      size: [100, 1500],
      site: (size, model) => ({
        ...proxied(random, model, size, 0.5),
        load: { off: [], wander: 0.01, growth: random.logUniform(0.8, 1.3) },
      }),
    }),

  "demand-response-farm": (random, world, span) =>
    single(random, world, span, {
      algorithms: FARM,
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

  "vpn-hobbyist": (random, world, span) => {
    const country = drawCountry(random).code;
    const exits = [...Object.keys(VPN_EXITS)];
    const exit = random.pick(exits);
    return single(random, world, span, {
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

  "hosting-client": (random, world, span) => {
    const host = drawHostingCountry(random);
    const home = drawCountry(random);
    const planned = single(random, world, span, {
      settings: ["farm", "server"],
      size: [2, 200],
      country: random.chance(0.5) ? host : home.code,
      site: () => ({
        places: [{ country: host, access: "hosting" }],
        trueCountry: host,
        accessMs: 1,
        renewHours: Number.POSITIVE_INFINITY,
      }),
    });
    return { ...planned, operator: makeOperator(random, home, 3) };
  },

  "hosting-farm": (random, world, span) => {
    const host = drawHostingCountry(random);
    return single(random, world, span, {
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
    const planned = single(random, world, span, {
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
    return single(random, world, span, {
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

  "migrating-farm": (random, world, span) => {
    const [from, to] = [drawCountry(random).code, drawCountry(random).code];
    const moveMs = random.between(span.fromMs, span.toMs);
    const pauseMs = random.logUniform(12 * HOUR_MS, 5 * DAY_MS);
    return single(random, world, span, {
      algorithms: FARM,
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
    single(random, world, span, {
      settings: ["farm", "home"],
      size: [1, 300],
      // The fleet's own pool fails now and then; only then is it seen here, at once and whole.
      site: () => ({ load: { off: bursts(random, span, random.logUniform(0.7, 5)), wander: 0.01 } }),
    }),

  "watch-country-farm": (random, world, span) =>
    single(random, world, span, {
      settings: ["farm", "home", "office"],
      size: [1, 300],
      country: drawCountry(random, OVERSEAS_BASES).code,
      site: (size, model) => proxied(random, model, size, 0.3),
    }),

  "multi-site-firm": (random, world, span) => {
    const pool = drawPool(random, world, FARM);
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

  "proxy-lab": (random, world, span) =>
    single(random, world, span, {
      algorithms: ["randomx", "etchash"],
      settings: ["office", "home"],
      size: [10, 150],
      sigma: 0.3,
      site: (size, model) => ({
        ...proxied(random, model, size, 0.6),
        load: random.chance(0.6) ? evenings(random, 1, 0.1) : { off: [], wander: 0.05 },
      }),
    }),

  "profit-share": (random, world, span) => {
    const planned = single(random, world, span, { settings: ["farm"], size: [4, 150] });
    const [site] = planned.sites as [SitePlan];
    const first = planned.accounts[0]!;
    const part = random.between(0.5, 0.95);
    const partners = [first, makeAccount(random, first.pool)];
    if (random.chance(0.5))
      site.split = { periodMs: random.logUniform(1, 24) * HOUR_MS, parts: [part, 1 - part], wander: 0 };
    else
      for (const [index, rig] of site.rigs.entries())
        rig.account = index + 0.5 < part * site.rigs.length ? 0 : 1;
    return { ...planned, accounts: partners };
  },

  "satellite-miner": (random, world, span) =>
    single(random, world, span, {
      settings: ["home"],
      size: [1, 5],
      country: "US",
      site: () => ({
        places: [{ country: "US", access: "satellite" }],
        accessMs: random.between(25, 60),
        renewHours: 48,
      }),
    }),

  "threshold-payer": (random, world, span) => {
    const planned = single(random, world, span, { algorithms: FARM, settings: ["farm"], size: [10, 600] });
    const account = planned.accounts[0]!;
    const usd = random.pick([1000, 2000, 5000, 9000, 10_000, 20_000]);
    account.payout = { rule: "currency", low: usd, high: usd * random.between(1.01, 1.3) };
    return planned;
  },
};

/** Behind a proxy with some probability; farms' proxies mostly pass the machines' names on. */
function proxied(random: Random, model: MachineModel, size: number, probability: number): Partial<SitePlan> {
  if (size < 5 || !random.chance(probability)) return {};
  return {
    agent: random.pick(PROXY_AGENTS[model.algorithm]),
    proxy: { passesNames: random.chance(0.6), sessionWorker: random.pick(["proxy", "farm", "1", "main"]) },
  };
}

/** Gaps between bursts of activity: on for hours, off for days. */
export function bursts(random: Random, span: Span, perWeek: number): SitePlan["load"]["off"] {
  const off: SitePlan["load"]["off"] = [];
  let fromMs = span.fromMs;
  for (;;) {
    const onMs = fromMs + ((7 * DAY_MS) / perWeek) * random.exponential();
    off.push({ fromMs, toMs: Math.min(onMs, span.toMs), jitterMs: 60_000 });
    if (onMs >= span.toMs) return off;
    fromMs = onMs + random.logUniform(0.5 * HOUR_MS, 60 * HOUR_MS);
    if (fromMs >= span.toMs) return off;
  }
}
