import { expect, test } from "vitest";
import type { Observation, Session } from "#core/observation.ts";
import { countryOf, HOSTING } from "../../../models/simulate/networks.ts";
import { planOwner } from "../../../models/simulate/owners.ts";
import type { BenignKind, Operation } from "../../../models/simulate/plan.ts";
import { drawPopulation } from "../../../models/simulate/population.ts";
import { createRandom } from "../../../models/simulate/random.ts";
import { readScenario } from "../../../models/simulate/scenario.ts";
import { simulate } from "../../../models/simulate/simulate.ts";
import { createOrigin } from "../../../src/origin/origin.ts";

const { lookUp } = await createOrigin();

/** A pool's day in which all are honest owners of one kind. */
const scenarioOf = (kind: BenignKind, accounts: number) =>
  readScenario({
    accounts,
    days: 1,
    arrivals: 0,
    vardiffSeconds: 3600,
    siteSharesPerHour: 4,
    maxMachines: 100,
    campaigns: [],
    benign: [kind],
  });

const observe = (kind: BenignKind, accounts: number): Observation[] =>
  [...simulate(scenarioOf(kind, accounts), 7).observations].flat();

const logins = (seen: readonly Observation[]): Session[] =>
  seen.filter((one): one is Session => one.type === "session" && one.event === "authorize");

/** Many owners of one kind as they are planned. */
function plan(kind: BenignKind, count: number): Operation[] {
  const { world } = drawPopulation(scenarioOf(kind, 1), 1);
  const span = { fromMs: world.startMs, toMs: world.endMs };
  return Array.from({ length: count }, (_, index) =>
    planOwner(kind, createRandom(index, "owner"), world, span),
  );
}

test("residents who hide are seen at a rented server abroad, with the path home behind it", () => {
  const scenario = scenarioOf("hidden-resident", 40);
  const { operations } = drawPopulation(scenario, 7);
  const owners = new Map(
    operations.map((one) => [`${one.accounts[0]?.pool.name}/${one.accounts[0]?.name}`, one]),
  );
  const all = logins(observe("hidden-resident", 40));
  let abroad = 0;
  let behind = 0;
  let relayed = 0;
  for (const { pool, account, ip, atMs, rttMs, appRttMs } of all) {
    const [site] = (owners.get(`${pool}/${account}`) as Operation).sites;
    const { country } = lookUp(ip as string, atMs);
    if (country !== site?.trueCountry) abroad += 1;
    if (rttMs === undefined || appRttMs === undefined || country === site?.trueCountry) continue;
    relayed += 1;
    if (appRttMs - rttMs > 0.9 * (site?.hiddenLegMs as number)) behind += 1;
  }
  expect(all.length).toBeGreaterThan(150);
  expect(abroad / all.length).toBeGreaterThan(0.9);
  expect(behind / relayed).toBeGreaterThan(0.95);
});

test("residents who hide live where mining is burdened and no comprehensive sanctions are, by that clock", () => {
  const owners = plan("hidden-resident", 400);
  const from = new Map<string, number>();
  let many = 0;
  let proxies = 0;
  for (const { sites, operator } of owners) {
    const [site] = sites as [Operation["sites"][number]];
    from.set(site.trueCountry, (from.get(site.trueCountry) ?? 0) + 1);
    expect([0, 1]).toContain(operator.utcOffset - countryOf(site.trueCountry).utcOffset);
    expect(["SG", "JP", "TW", "DE", "US", "NL", "FI"]).toContain(site.places[0]?.country);
    expect(site.places.map(({ access }) => access)).toEqual(["hosting"]);
    expect(site.hiddenLegMs).toBeGreaterThan(0);
    expect(site.rigs.length).toBeLessThanOrEqual(60);
    if (site.rigs.length < 5) continue;
    many += 1;
    if (site.proxy) proxies += 1;
  }
  expect([...from.keys()].sort()).toEqual(["CN", "ET", "KZ", "NP", "RU", "VN"]);
  expect((from.get("CN") as number) / owners.length).toBeGreaterThan(0.45);
  expect(proxies / many).toBeGreaterThan(0.4);
  expect(proxies / many).toBeLessThan(0.6);
});

test("hosting clients stand in a few shared halls of their world, or anywhere", () => {
  const accounts = new Map<string, Set<string>>();
  for (const { ip = "", account = "" } of logins(observe("hosting-client", 60))) {
    const block = ip.slice(0, ip.lastIndexOf("."));
    accounts.set(block, (accounts.get(block) ?? new Set()).add(account));
  }
  const shared = [...accounts.values()].map(({ size }) => size).filter((size) => size > 1);
  expect(shared.length).toBeGreaterThanOrEqual(2);
  expect(shared.length).toBeLessThanOrEqual(3);
  const together = shared.reduce((sum, size) => sum + size, 0);
  expect(together).toBeGreaterThan(20);
  expect(together).toBeLessThan(40);
  const prefixes = new Set(plan("hosting-client", 100).map(({ sites }) => sites[0]?.places[0]?.prefix));
  expect(prefixes).toContain(undefined);
  expect(prefixes.size).toBe(4);
  for (const { sites } of plan("hosting-client", 100))
    expect(Object.keys(HOSTING)).toContain(sites[0]?.places[0]?.country);
});

test.each(["small-farm", "large-farm"] as const)(
  "two in five of kind %s have machines of two models",
  (kind) => {
    const owners = plan(kind, 400);
    const mixed = owners.filter(({ sites }) => new Set(sites[0]?.rigs.map(({ model }) => model)).size > 1);
    expect(mixed.length / owners.length).toBeGreaterThan(0.33);
    expect(mixed.length / owners.length).toBeLessThan(0.47);
    let sameNaming = 0;
    for (const { sites } of mixed) {
      const [{ rigs }] = sites as [Operation["sites"][number]];
      const first = rigs[0]!.model;
      const others = rigs.filter(({ model }) => model !== first);
      expect(new Set(others.map(({ model }) => model)).size).toBe(1);
      expect(others[0]?.model.algorithm).toBe(first.algorithm);
      expect(Math.abs(others.length - 0.4 * rigs.length)).toBeLessThanOrEqual(0.2 * rigs.length + 0.5);
      for (const { model, hashrateHs, worker, agent } of others) {
        expect(Math.abs(Math.log(hashrateHs / model.hashrateHs))).toBeLessThan(0.3);
        expect(worker.includes(`${first.name}-`)).toBe(false);
        expect(model.agents).toContain(agent);
      }
      const letters = (text: string) => text.replace(/\d/g, "");
      if (letters(rigs[0]!.worker) === letters(others[0]!.worker)) sameNaming += 1;
    }
    expect(sameNaming / mixed.length).toBeGreaterThan(0.3);
    expect(sameNaming / mixed.length).toBeLessThan(0.8);
  },
);

test("machines present a program of their own model, so that farms of two makers show two", () => {
  const farms = new Map(
    drawPopulation(scenarioOf("small-farm", 60), 7).operations.map((one) => [one.accounts[0]?.name, one]),
  );
  const agents = new Map<string, Set<string>>();
  for (const { account = "", agent = "", worker } of logins(observe("small-farm", 60))) {
    const [site] = (farms.get(account) as Operation).sites;
    if (site?.proxy) continue;
    agents.set(account, (agents.get(account) ?? new Set()).add(agent));
    // Who was renamed by hand is found under no name of the plan.
    const named = site?.rigs.filter((rig) => rig.worker === worker) ?? [];
    if (named.length > 0) expect(named.flatMap(({ model }) => model.agents)).toContain(agent);
  }
  const two = [...agents.values()].filter(({ size }) => size > 1).length;
  expect(two).toBeGreaterThan(5);
});

test("a few farms are paid just above a minimum in dollars, and no others are but who is paid by hand", () => {
  const kinds = [
    "small-farm",
    "large-farm",
    "hosting-client",
    "watch-country-farm",
    "multi-site-firm",
  ] as const;
  const payouts = kinds.flatMap((kind) =>
    plan(kind, 200).flatMap(({ accounts }) => accounts.map(({ payout }) => payout)),
  );
  const minimum = payouts.filter((payout) => payout.rule === "currency");
  expect(minimum.length / payouts.length).toBeGreaterThan(0.04);
  expect(minimum.length / payouts.length).toBeLessThan(0.08);
  expect(new Set(minimum.map(({ low }) => low))).toEqual(new Set([100, 500, 1000, 2000, 5000, 10_000]));
  for (const { low, high } of minimum) {
    expect(high / low).toBeGreaterThanOrEqual(1.01);
    expect(high / low).toBeLessThan(1.2);
  }
  for (const kind of ["hobbyist", "rental-customer", "demand-response-farm"] as const)
    for (const { accounts } of plan(kind, 100)) expect(accounts[0]?.payout.rule).not.toBe("currency");
});

test("a developer's fee comes from strangers' machines, each for a minute or two at a time of its own", () => {
  const scenario = scenarioOf("developer-fee", 6);
  const { operations } = drawPopulation(scenario, 7);
  const seen = observe("developer-fee", 6).filter((one): one is Session => one.type === "session");
  for (const { accounts, sites } of operations) {
    const [site] = sites as [Operation["sites"][number]];
    const { periodMs, parts } = site.split as NonNullable<typeof site.split>;
    const here = (parts[0] as number) * periodMs;
    const name = accounts[0]?.name;
    const own = seen.filter(({ pool, account }) => account === name && pool === accounts[0]?.pool.name);
    const opened = Map.groupBy(
      own.filter(({ event }) => event === "authorize"),
      ({ session }) => session.replace(/\.\d+$/, ""),
    );
    expect(opened.size).toBeGreaterThan(0.8 * site.rigs.length);
    const within = new Set<number>();
    for (const [connection, logged] of opened) {
      const ends = own.filter(
        ({ event, session }) => event === "close" && session.replace(/\.\d+$/, "") === connection,
      );
      // Boots and broken lines apart, one turn in every period, and never longer than the part that is the developer's.
      expect(logged.length).toBeLessThan((1.6 * 86_400_000) / periodMs + 3);
      for (const { session, atMs } of logged) {
        within.add(Math.floor((10 * (atMs % periodMs)) / periodMs));
        const end = ends.find((one) => one.session === session);
        if (end) expect(end.atMs - atMs).toBeLessThan(here + 2);
      }
    }
    expect(within.size).toBeGreaterThan(5);
    expect(
      new Set(own.flatMap(({ ip, atMs }) => (ip ? [lookUp(ip, atMs).country] : []))).size,
    ).toBeGreaterThan(3);
  }
});

test("volunteers and applications' users are strangers at home, each on a clock of his own", () => {
  const applications = plan("volunteer-wallet", 200).filter(({ accounts, sites }) => {
    expect(accounts).toHaveLength(1);
    expect(sites.length).toBeGreaterThanOrEqual(10);
    expect(new Set(sites.map(({ trueCountry }) => trueCountry)).size).toBeGreaterThan(2);
    return (
      new Set(sites.map(({ agent }) => agent)).size === 1 && sites.every(({ rigs }) => rigs.length === 1)
    );
  });
  expect(applications.length).toBeGreaterThan(50);
  expect(applications.length).toBeLessThan(110);
  for (const { sites } of applications) {
    expect(new Set(sites.map(({ rigs }) => rigs[0]?.worker)).size).toBeGreaterThan(0.9 * sites.length);
    for (const { load } of sites) expect(load.hours).toBeDefined();
  }
});

test("who mines in the cloud rents in several regions, with one program and one habit of naming", () => {
  for (const { sites } of plan("cloud-miner", 60)) {
    expect(new Set(sites.map(({ agent }) => agent)).size).toBe(1);
    for (const { places } of sites) expect(places).toMatchObject([{ access: "hosting" }]);
  }
});

test("no two owners have one name at a pool", () => {
  const scenario = readScenario({ ...scenarioOf("hobbyist", 3000), pools: undefined });
  const { operations } = drawPopulation(scenario, 3);
  const names = operations.flatMap(({ accounts }) =>
    accounts.map(({ pool, name }) => JSON.stringify([pool.name, name])),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.some((name) => /_2"\]$/.test(name))).toBe(true);
});
