import type { Span } from "./calendar.ts";
import { drawModel, INTRUDER_AGENTS, type MachineModel, PROXY_AGENTS, RENTAL_AGENTS } from "./machines.ts";
import { drawNaming } from "./names.ts";
import { HOSTING, OVERSEAS_BASES, pathRttMs, VPN_EXITS } from "./networks.ts";
import { bursts } from "./owners.ts";
import type { AccountPlan, Care, Operation, OperatorPlan, PlacePlan, SitePlan, Typology } from "./plan.ts";
import type { Random } from "./random.ts";
import {
  changeAddress,
  drawCountry,
  drawHostingCountry,
  drawPool,
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

/** A campaign while it is planned. `hide` runs from 0 (makes no effort) to 1 (knows what a pool looks at). */
interface Draft {
  random: Random;
  world: World;
  span: Span;
  hide: number;
  machines: number;
}

/** Where each care level stands on the scale of hiding: thirds. */
const HIDE: Readonly<Record<Care, readonly [number, number]>> = {
  blatant: [0, 1 / 3],
  middle: [1 / 3, 2 / 3],
  careful: [2 / 3, 1],
};

/** Plans one campaign. `machines` fixes its size, else 1 to 1000, log-uniform. */
export function planCampaign(
  typology: Typology,
  options: { random: Random; world: World; span: Span; care: Care; name: string; machines?: number },
): Operation {
  const { random, world, span, care, name } = options;
  const hide = random.between(HIDE[care][0], HIDE[care][1]);
  const [least, most] = SIZES[typology];
  const machines =
    options.machines ??
    Math.max(least, Math.min(world.maxMachines, Math.round(random.logUniform(least, most))));
  const planned = PLANS[typology]({ random, world, span, hide, machines });
  for (const site of planned.sites) site.load.off = mergeOff(site.load.off, drawTrouble(random, span, 0.5));
  return { ...planned, kind: typology, campaign: name, care, fromMs: span.fromMs, toMs: span.toMs };
}

/**
 * Machines of a campaign, the least of them whatever the world's largest fleet: the seed speaks of small operations,
 * and without an income worth splitting there is no structuring.
 */
const SIZES: Readonly<Record<Typology, readonly [number, number]>> = {
  "sanctioned-origin": [1, 300],
  "sanctioned-wallet": [1, 100],
  "overseas-base": [2, 1000],
  relay: [1, 1000],
  "many-behind-one": [10, 1000],
  "remittance-split": [2, 1000],
  "hashrate-laundering": [10, 1000],
  cryptojacking: [10, 1000],
  "onset-from-silence": [2, 1000],
  structuring: [200, 1500],
  "outage-synchrony": [1, 500],
  "seasonal-curtailment": [5, 1000],
};

/** From `open` (hides nothing) to `hidden` (hides well), with a tenth of scatter. */
function blend({ random, hide }: Draft, open: number, hidden: number): number {
  return open + (hidden - open) * Math.min(1, Math.max(0, hide + random.between(-0.1, 0.1)));
}

/** People who keep Pyongyang's hours; the careful spread their work over the day. */
function pyongyang(draft: Draft): OperatorPlan {
  return {
    utcOffset: 9,
    from: 9,
    to: 18,
    discipline: blend(draft, 0.97, 0.45),
    actionsPerWeek: draft.random.logUniform(3, 20) * blend(draft, 1.3, 0.6),
  };
}

/** Exits a relay shows: rotating VPN exits where nobody cares, one fixed server near home where somebody does. */
function relayed(draft: Draft, trueCountry: string): Partial<SitePlan> {
  const { random } = draft;
  const vpn = random.chance(blend(draft, 0.8, 0.15));
  const codes = vpn
    ? Object.keys(VPN_EXITS)
    : [drawHostingCountry(random, random.chance(draft.hide) ? ["SG", "JP", "TW", "IN", "MY"] : undefined)];
  const residential = !vpn && random.chance(0.4 * draft.hide);
  const places: PlacePlan[] = codes.map((country) => ({
    country,
    access: vpn ? "vpn" : residential ? "residential" : "hosting",
  }));
  const direct = pathRttMs(random, (places[0] as PlacePlan).country, trueCountry);
  return {
    places,
    trueCountry,
    rotateHours: vpn ? random.logUniform(3, 40) * blend(draft, 1, 8) : Number.POSITIVE_INFINITY,
    renewHours: random.logUniform(4, 48) * blend(draft, 1, 12),
    hiddenLegMs: Math.max(6, direct * blend(draft, 1.2, 0.5)),
    hiddenPart: random.chance(0.3) ? blend(draft, 0.8, 1) : 1,
  };
}

/** Some of the other typologies' operations relay too. */
const maybeRelayed = (draft: Draft, country: string, probability: number): Partial<SitePlan> =>
  draft.random.chance(probability) ? relayed(draft, country) : {};

/** Parts of a whole, at least one each, uneven as real bases are. */
function portions(random: Random, whole: number, count: number): number[] {
  const weights = Array.from({ length: count }, () => random.between(0.5, 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => Math.max(1, Math.round((whole * weight) / total)));
}

/** Accounts of one operation; some are paid to one address. */
function makeAccounts(
  draft: Draft,
  count: number,
  model: Pick<AccountPlan, "pool">,
  payout?: AccountPlan["payout"],
): AccountPlan[] {
  const { random } = draft;
  const accounts = Array.from({ length: count }, () => makeAccount(random, model.pool, payout));
  if (model.pool.accounts === "user" && random.chance(blend(draft, 0.8, 0))) {
    for (const account of accounts) account.payoutAddress = (accounts[0] as AccountPlan).payoutAddress;
  }
  return accounts;
}

type Plan = (draft: Draft) => Pick<Operation, "accounts" | "sites" | "operator">;

/** One account at one site: the shape that several typologies share. */
function single(
  draft: Draft,
  options: {
    algorithms?: readonly MachineModel["algorithm"][];
    settings?: readonly MachineModel["setting"][];
    country: string;
    sigma?: number;
    site?: (model: MachineModel) => Partial<SitePlan>;
    operator?: OperatorPlan;
  },
): Pick<Operation, "accounts" | "sites" | "operator"> {
  const { random, world, span, machines } = draft;
  const pool = drawPool(random, world, options.algorithms);
  const model = drawModel(
    random,
    pool.algorithm,
    options.settings ?? (machines > 20 ? ["farm", "server"] : ["farm", "home", "office", "server"]),
  );
  const rigs = makeRigs(random, { model, count: machines, span, sigma: options.sigma ?? 0.05 });
  const site = makeSite(random, { country: options.country, rigs, ...options.site?.(model) });
  return {
    accounts: [makeAccount(random, pool)],
    sites: [site],
    operator: options.operator ?? pyongyang(draft),
  };
}

const base = (random: Random): string => random.pick(OVERSEAS_BASES);

const PLANS: Record<Typology, Plan> = {
  "sanctioned-origin": (draft) => {
    const { random, hide } = draft;
    const country = random.weighted([
      ["KP", 1],
      ["IR", 2],
    ] as const);
    const exit = drawHostingCountry(random);
    return single(draft, {
      country,
      operator: country === "KP" ? pyongyang(draft) : makeOperator(random, "IR", draft.machines),
      site: () =>
        hide < 1 / 3
          ? {}
          : {
              places: [
                { country: exit, access: "hosting" },
                { country, access: "residential" },
              ],
              rotateHours: random.logUniform(4, 40),
              renewHours: random.logUniform(4, 40),
              hiddenLegMs: pathRttMs(random, exit, country),
              hiddenPart: blend(draft, 0.6, 1),
              trueCountry: country,
            },
    });
  },

  "sanctioned-wallet": (draft) => single(draft, { country: drawCountry(draft.random).code }),

  "overseas-base": (draft) => {
    const { random, world, span, machines } = draft;
    const pool = drawPool(random, world);
    const model = drawModel(random, pool.algorithm, ["farm", "home", "office", "server"]);
    const bases = [
      ...new Set(Array.from({ length: Math.min(machines, random.integer(2, 5)) }, () => base(random))),
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

  relay: (draft) => {
    const country = draft.random.chance(0.3) ? "KP" : base(draft.random);
    return single(draft, { country, site: () => relayed(draft, country) });
  },

  "many-behind-one": (draft) => {
    const { random } = draft;
    const country = random.chance(0.7) ? base(random) : drawCountry(random).code;
    return single(draft, {
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

  "remittance-split": (draft) => {
    const { random, span } = draft;
    const country = base(random);
    const planned = single(draft, { country, site: () => maybeRelayed(draft, country, 0.35) });
    const first = planned.accounts[0] as AccountPlan;
    const [site] = planned.sites as [SitePlan];
    const part = random.between(0.8, 0.9);
    const accounts = [first, makeAccount(random, first.pool)];
    if (site.rigs.length < 8 || random.chance(blend(draft, 0.7, 0.4))) {
      site.split = {
        periodMs: random.logUniform(0.5, blend(draft, 1, 12)) * HOUR_MS,
        parts: [part, 1 - part],
        wander: 0,
      };
    } else {
      for (const [index, rig] of site.rigs.entries())
        rig.account = index + 0.5 < part * site.rigs.length ? 0 : 1;
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

  "onset-from-silence": (draft) => {
    const { random, span } = draft;
    const country = random.chance(0.2) ? "KP" : base(random);
    const planned = single(draft, {
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

  structuring: (draft) => {
    const { random, world, span, machines } = draft;
    const pool = drawPool(random, world, ["sha256d", "scrypt"]);
    const model = drawModel(random, pool.algorithm, ["farm"]);
    const count = random.integer(1, Math.max(1, Math.min(5, Math.floor(machines / 120))));
    const low = blend(draft, 9000, 7200);
    const payout = { rule: "currency" as const, low, high: blend(draft, 9900, 10_600) };
    const accounts = makeAccounts(draft, count, { pool }, payout);
    const country = random.chance(0.6) ? base(random) : drawCountry(random).code;
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

  "outage-synchrony": (draft) => {
    const { random, world } = draft;
    const follows = blend(draft, 0.97, 0.5);
    const jitterMs = blend(draft, 0.5, 12) * 60_000;
    return single(draft, {
      country: "KP",
      site: () => ({
        ...relayed(draft, "KP"),
        load: {
          off: world.outages
            .filter(() => random.chance(follows))
            .map(({ fromMs, toMs }) => ({
              fromMs: fromMs + random.next() * jitterMs,
              toMs: toMs + random.next() * jitterMs,
              jitterMs,
            })),
          wander: 0.03,
        },
      }),
    });
  },

  "seasonal-curtailment": (draft) => {
    const { random } = draft;
    const exit = drawHostingCountry(random, ["DE", "NL", "FR", "FI", "RU"]);
    return single(draft, {
      algorithms: ["sha256d", "scrypt"],
      settings: ["farm"],
      country: "IR",
      operator: makeOperator(random, "IR", draft.machines),
      site: () => ({
        ...relayed(draft, "IR"),
        ...(random.chance(0.5) ? { places: [{ country: exit, access: "hosting" as const }] } : {}),
        load: {
          off: [],
          wander: 0.03,
          dear: { part: random.between(0.15, 0.4), rest: blend(draft, 0, 0.7), region: "IR" },
        },
      }),
    });
  },
};
