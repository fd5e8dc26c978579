import { drawActions, drawOutages, type Span } from "./calendar.ts";
import { planCampaign } from "./campaigns.ts";
import { ownerWeights, planOwner } from "./owners.ts";
import type { Operation, TruthRecord } from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import { drawPoolRestarts } from "./restarts.ts";
import { poolsOf, type Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;

/** Something a person does to an operation at an instant. */
export interface Action {
  atMs: number;
  operation: number;
  site: number;
  kind: "agent" | "rename" | "restart";
  rig: number;
  /** Whether the machine's whole site is restarted with it. */
  whole?: boolean;
}

/** Everybody who mines in a scenario, and what they will do by hand. */
export interface Population {
  world: World;
  operations: Operation[];
  actions: Action[];
}

/** Draws the whole population of a scenario from a seed. */
export function drawPopulation(scenario: Scenario, seed: number): Population {
  const startMs = scenario.startMs;
  const endMs = startMs + scenario.days * DAY_MS;
  const outages = drawOutages(createRandom(seed, "outages"), startMs, endMs, scenario.outagesPerWeek);
  const world: World = {
    startMs,
    endMs,
    pools: poolsOf(scenario).map((pool) => ({
      ...pool,
      restartsMs: drawPoolRestarts(seed, pool.name, { fromMs: startMs, toMs: endMs }),
    })),
    outages,
    maxMachines: scenario.maxMachines,
  };
  const operations = [...drawCampaigns(scenario, seed, world)];
  let accounts = operations.reduce((sum, operation) => sum + operation.accounts.length, 0);
  const weights = ownerWeights(scenario.mix).filter(([kind]) => scenario.benign.includes(kind));
  for (let index = 0; accounts < scenario.accounts; index += 1) {
    const random = createRandom(seed, `owner/${index}`);
    const operation = planOwner(random.weighted(weights), random, world, drawSpan(random, scenario, world));
    operations.push(operation);
    accounts += operation.accounts.length;
  }
  nameApart(operations);
  const actions = operations.flatMap((operation, index) => [
    ...planActions(operation, index, seed),
    ...planRestarts(operation, index, seed),
  ]);
  actions.sort((left, right) => left.atMs - right.atMs);
  return { world, operations, actions };
}

/** Who comes to a pool with a name that is taken there is given another. */
function nameApart(operations: readonly Operation[]): void {
  const taken = new Set<string>();
  for (const account of operations.flatMap(({ accounts }) => accounts)) {
    const drawn = account.name;
    const key = () => JSON.stringify([account.pool.name, account.name]);
    for (let next = 2; taken.has(key()); next += 1) account.name = `${drawn}_${next}`;
    taken.add(key());
  }
}

function* drawCampaigns(scenario: Scenario, seed: number, world: World): Generator<Operation> {
  for (const [index, address] of scenario.listedAddresses.entries()) {
    const random = createRandom(seed, `listed/${index}`);
    const span = { fromMs: world.startMs, toMs: world.endMs };
    const name = `listed-${index + 1}`;
    const operation = planCampaign("sanctioned-wallet", { random, world, span, care: "blatant", name });
    for (const account of operation.accounts) {
      if (account.name === account.payoutAddress) account.name = address;
      account.payoutAddress = address;
    }
    yield operation;
  }
  const named = scenario.campaigns;
  const count = named ? named.length : Math.round(scenario.accounts * scenario.campaignPart * 0.7);
  for (let index = 0; index < count; index += 1) {
    const random = createRandom(seed, `campaign/${index}`);
    const chosen = named?.[index];
    const typology = chosen?.typology ?? random.pick(scenario.typologies);
    const care = chosen?.care ?? random.pick(scenario.cares);
    // A named campaign is there from the first day: whoever names it wants to see it.
    const span = named ? { fromMs: world.startMs, toMs: world.endMs } : drawSpan(random, scenario, world);
    const name = `${typology}-${index + 1}`;
    const machines = chosen?.machines;
    yield planCampaign(typology, { random, world, span, care, name, ...(machines ? { machines } : {}) });
  }
}

/** Most were there before; some come, some go. */
function drawSpan(random: Random, scenario: Scenario, { startMs, endMs }: World): Span {
  const fromMs = random.chance(scenario.arrivals)
    ? random.between(startMs, endMs - 0.2 * (endMs - startMs))
    : startMs;
  const toMs = random.chance(0.08) ? random.between(fromMs + 0.5 * (endMs - fromMs), endMs) : endMs;
  return { fromMs: Math.round(fromMs), toMs: Math.round(toMs) };
}

/** What people do by hand: machines are added, workers renamed, programs updated. */
function planActions(operation: Operation, index: number, seed: number): Action[] {
  const random = createRandom(seed, `actions/${index}`);
  const instants = drawActions(random, operation.operator, operation);
  const actions: Action[] = [];
  for (const atMs of instants) {
    const site = random.integer(0, operation.sites.length - 1);
    const { rigs } = operation.sites[site] as (typeof operation.sites)[number];
    const number = random.integer(0, rigs.length - 1);
    const rig = rigs[number] as (typeof rigs)[number];
    const draw = random.next();
    if (draw < 0.4 && number > 0 && rig.fromMs === operation.fromMs) rig.fromMs = atMs;
    else if (atMs > rig.fromMs)
      actions.push({ atMs, operation: index, site, rig: number, kind: draw < 0.7 ? "rename" : "agent" });
  }
  return actions;
}

/** As often again people restart a machine, or all of a site. */
function planRestarts(operation: Operation, index: number, seed: number): Action[] {
  const random = createRandom(seed, `restarts/${index}`);
  return drawActions(random, operation.operator, operation).map((atMs) => {
    const site = random.integer(0, operation.sites.length - 1);
    const { rigs } = operation.sites[site] as (typeof operation.sites)[number];
    const rig = random.integer(0, rigs.length - 1);
    return { atMs, operation: index, site, rig, kind: "restart", whole: random.chance(0.5) };
  });
}

/** The labels, one for each account. */
export function truthOf({ operations }: Population): TruthRecord[] {
  const records: TruthRecord[] = [];
  for (const { accounts, campaign, care, kind, sites, fromMs, toMs } of operations) {
    const machines = sites.reduce((sum, site) => sum + site.rigs.length, 0);
    const hiddenLegMs = Math.round(Math.max(...sites.map((site) => site.hiddenLegMs)) * 10) / 10;
    for (const account of accounts) {
      const typology = campaign === null ? null : (kind as TruthRecord["typology"]);
      records.push({
        pool: account.pool.name,
        account: account.name,
        label: campaign === null ? "benign" : "campaign",
        kind,
        typology,
        care,
        campaign,
        machines,
        hiddenLegMs,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
      });
    }
  }
  return records;
}
