import type { Observation } from "#core/observation.ts";
import { act, type RunningSite } from "./act.ts";
import { Connection, type Sink } from "./connection.ts";
import { drawRoutes, Market } from "./market.ts";
import type { AccountPlan, Operation, Rig, SitePlan, TruthRecord } from "./plan.ts";
import { drawPopulation, type Population, truthOf } from "./population.ts";
import { createRandom, type Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { Site } from "./site.ts";
import { partHere } from "./split.ts";

/** The version of what is generated: other numbers from the same seed need another version. */
export const SIMULATOR_VERSION = "1.4.0";

/** Load and prices stand still for so long; shares, breaks and outages keep their exact instants. */
const STEP_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;
const BATCH = 4096;

/** What a simulation gives: what pools see, in order of time, and what is true. */
export interface Simulation {
  /** Batches in event-time order. Runs once; holds no more than a quarter of an hour of observations. */
  observations: Iterable<Observation[]>;
  truth: TruthRecord[];
  startMs: number;
  endMs: number;
}

/** Simulates a scenario. The same scenario and seed give the same observations, byte for byte, for one version. */
export function simulate(scenario: Scenario, seed: number): Simulation {
  const population = drawPopulation(scenario, seed);
  const truth = truthOf(population);
  const { startMs, endMs } = population.world;
  return { observations: run(population, seed), truth, startMs, endMs };
}

/** Owners of more sites than this share their shares an hour among them: a wallet of strangers is no larger than a firm. */
const FEW_SITES = 5;

interface Running {
  operation: Operation;
  sites: RunningSite[];
}

function* run({ world, operations, actions }: Population, seed: number): Generator<Observation[]> {
  const random = createRandom(seed, "run");
  const market = new Market(createRandom(seed, "market"));
  const routes = drawRoutes(createRandom(seed, "routes"), world.startMs, world.outages);
  const running = operations.map((operation, index) =>
    start(operation, createRandom(seed, `run/${index}`), seed, index),
  );
  let held: Observation[] = [];
  const sink: Sink = {
    push: (observation) => held.push(observation),
    credit: (account: AccountPlan, hashes: number) => market.credit(account, hashes),
  };
  let nextRoute = 0;
  let nextAction = 0;
  for (let fromMs = world.startMs; fromMs < world.endMs; fromMs += STEP_MS) {
    const toMs = Math.min(fromMs + STEP_MS, world.endMs);
    if (fromMs % HOUR_MS < STEP_MS) {
      for (const { coin, algorithm } of world.pools) sink.push(market.price(coin, algorithm, fromMs));
    }
    for (let action = actions[nextAction]; action && action.atMs < toMs; action = actions[nextAction]) {
      act(action, running[action.operation]?.sites[action.site] as RunningSite, random);
      nextAction += 1;
    }
    for (let route = routes[nextRoute]; route && route.atMs < toMs; route = routes[nextRoute]) {
      sink.push(route);
      nextRoute += 1;
    }
    for (const { operation, sites } of running) {
      if (toMs <= operation.fromMs || fromMs >= operation.toMs + STEP_MS) continue;
      for (const { site, connections } of sites) {
        const changed = site.step(fromMs, operation);
        for (const connection of connections) {
          if (changed) connection.checkLine(fromMs);
          connection.advance(fromMs, toMs, sink);
        }
      }
    }
    if (toMs % HOUR_MS === 0) for (const payout of market.payouts(toMs)) sink.push(payout);
    held.sort((left, right) => left.atMs - right.atMs);
    let ready = held.length;
    while (ready > 0 && (held[ready - 1] as Observation).atMs >= toMs) ready -= 1;
    for (let index = 0; index < ready; index += BATCH)
      yield held.slice(index, Math.min(index + BATCH, ready));
    held = held.slice(ready);
  }
}

function start(operation: Operation, random: Random, seed: number, index: number): Running {
  const poolCountry = (operation.accounts[0] as AccountPlan).pool.country;
  const sites = operation.sites.map((plan, siteIndex) => {
    const startMs = operation.fromMs;
    const site = new Site(plan, random.fork(`site/${siteIndex}`), { poolCountry, seed, startMs });
    const groups = groupRigs(plan, site.lines);
    const { pool } = operation.accounts[Math.max(0, (plan.rigs[0] as Rig).account)] as AccountPlan;
    const connected = groups.length * partHere(plan.split) * Math.max(1, operation.sites.length / FEW_SITES);
    const vardiffMs = Math.max(pool.vardiffMs, (connected * HOUR_MS) / pool.siteSharesPerHour);
    const connections = groups.map(
      ({ rigs, first, line }, number) =>
        new Connection({
          site,
          rigs,
          first,
          line,
          accounts: operation.accounts,
          random: random.fork(`connection/${siteIndex}/${number}`),
          vardiffMs,
          name: `${index.toString(36)}-${siteIndex}-${number.toString(36)}`,
          startMs,
        }),
    );
    return { site, connections };
  });
  return { operation, sites };
}

/** Every machine its own connection; behind a proxy, one connection for each address and account. */
function groupRigs(plan: SitePlan, lines: number): { rigs: Rig[]; first: number; line: number }[] {
  if (!plan.proxy) return plan.rigs.map((rig, index) => ({ rigs: [rig], first: index, line: index % lines }));
  const groups: { rigs: Rig[]; first: number; line: number }[] = [];
  for (const [index, rig] of plan.rigs.entries()) {
    const line = Math.floor((index * lines) / plan.rigs.length);
    const last = groups.at(-1);
    if (last && last.line === line && last.rigs[0]?.account === rig.account) last.rigs.push(rig);
    else groups.push({ rigs: [rig], first: index, line });
  }
  return groups;
}
