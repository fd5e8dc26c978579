import { expect, test } from "vitest";
import type { Observation, Session } from "#core/observation.ts";
import { act, type RunningSite } from "../../../models/simulate/act.ts";
import { Connection } from "../../../models/simulate/connection.ts";
import { MACHINES, type MachineModel, PROXY_AGENTS } from "../../../models/simulate/machines.ts";
import type { SitePlan } from "../../../models/simulate/plan.ts";
import { type Action, drawPopulation } from "../../../models/simulate/population.ts";
import { createRandom } from "../../../models/simulate/random.ts";
import { drawPoolRestarts, scheduleReboots } from "../../../models/simulate/restarts.ts";
import { poolsOf, readScenario } from "../../../models/simulate/scenario.ts";
import { simulate } from "../../../models/simulate/simulate.ts";
import { Site } from "../../../models/simulate/site.ts";
import { makeAccount, makeRigs, makeSite } from "../../../models/simulate/world.ts";

const MINUTE_MS = 60_000;
const STEP_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;
const startMs = Date.UTC(2026, 0, 5);
const model = MACHINES.find(({ name }) => name === "S19") as MachineModel;

/** What a site of six machines, whose connections do not break by themselves, shows in some days of what is done there. */
function observe(
  options: Partial<SitePlan> & {
    days: number;
    actions?: Omit<Action, "operation" | "site">[];
    comeMs?: number;
    second?: MachineModel;
  },
): Observation[] {
  const { days, actions = [], comeMs = startMs, second, ...rest } = options;
  const random = createRandom(4, "restarts");
  const rigs = makeRigs(random, {
    model,
    count: 6,
    span: { fromMs: startMs, toMs: startMs + days * DAY_MS },
  });
  rigs[5]!.fromMs = comeMs;
  if (second) rigs[5]!.model = second;
  const plan = makeSite(random, {
    country: "DE",
    rigs,
    agent: "bmminer/2.0.0",
    renewHours: Number.POSITIVE_INFINITY,
    sessionHours: Number.POSITIVE_INFINITY,
    load: { off: [], wander: 0 },
    ...rest,
  });
  const site = new Site(plan, random.fork("site"), { poolCountry: "DE", seed: 1, startMs });
  const accounts = [makeAccount(random, poolsOf(readScenario("week"))[0]!)];
  const connections = (plan.proxy ? [rigs] : rigs.map((rig) => [rig])).map(
    (rigs, first) =>
      new Connection({
        site,
        rigs,
        first,
        line: 0,
        accounts,
        random: random.fork(`connection/${first}`),
        vardiffMs: 600_000,
        name: `test-${first}`,
        startMs,
      }),
  );
  const running: RunningSite = { site, connections };
  const seen: Observation[] = [];
  const sink = { push: (one: Observation) => seen.push(one), credit: () => undefined };
  for (let atMs = startMs; atMs < startMs + days * DAY_MS; atMs += STEP_MS) {
    for (const action of actions)
      if (action.atMs >= atMs && action.atMs < atMs + STEP_MS)
        act({ ...action, operation: 0, site: 0 }, running, random);
    for (const connection of connections) connection.advance(atMs, atMs + STEP_MS, sink);
  }
  return seen.sort((left, right) => left.atMs - right.atMs);
}

const sessions = (seen: readonly Observation[], event: Session["event"], fromMs = startMs): Session[] =>
  seen.filter(
    (one): one is Session => one.type === "session" && one.event === event && one.atMs >= Math.floor(fromMs),
  );

const noonMs = startMs + DAY_MS / 2 + 7 * MINUTE_MS;

test("a site restarted by hand ends within a minute and is back within minutes, when it has booted", () => {
  const seen = observe({ days: 1, actions: [{ atMs: noonMs, kind: "restart", rig: 2, whole: true }] });
  const closed = sessions(seen, "close");
  expect(closed).toHaveLength(6);
  for (const { atMs } of closed) {
    expect(atMs).toBeGreaterThanOrEqual(noonMs);
    expect(atMs).toBeLessThanOrEqual(noonMs + MINUTE_MS);
  }
  const opened = sessions(seen, "open", noonMs);
  expect(opened).toHaveLength(6);
  for (const { atMs } of opened) {
    expect(atMs).toBeGreaterThan(noonMs + 0.3 * MINUTE_MS);
    expect(atMs).toBeLessThan(noonMs + 10 * MINUTE_MS);
  }
});

test("a machine restarted by hand ends its own connection, behind a proxy the proxy's", () => {
  const actions = [{ atMs: noonMs, kind: "restart", rig: 2, whole: false } as const];
  expect(sessions(observe({ days: 1, actions }), "close").map(({ session }) => session)).toEqual([
    "test-2.1",
  ]);
  const proxy = { passesNames: true, sessionWorker: "proxy" };
  expect(sessions(observe({ days: 1, actions, proxy }), "close").map(({ session }) => session)).toEqual([
    "test-0.1",
  ]);
});

test("the restart of what is off does nothing to it", () => {
  const actions = [{ atMs: noonMs, kind: "restart", rig: 5, whole: false } as const];
  const comeMs = startMs + 0.75 * DAY_MS;
  const seen = observe({ days: 1, actions, comeMs });
  expect(seen).toEqual(observe({ days: 1, comeMs }));
  expect(sessions(seen, "open", comeMs)).toHaveLength(1);
});

test("people restart about as often as they do all else by hand, half of the time a whole site", () => {
  const { actions, operations } = drawPopulation(
    readScenario({ accounts: 300, days: 28, campaignPart: 0.3 }),
    3,
  );
  const restarts = actions.filter(({ kind }) => kind === "restart");
  const expected = operations.reduce(
    (sum, { operator, fromMs, toMs }) => sum + (operator.actionsPerWeek * (toMs - fromMs)) / (7 * DAY_MS),
    0,
  );
  // Some instants of a working day fall outside the operation's own span.
  expect(restarts.length / expected).toBeGreaterThan(0.9);
  expect(restarts.length / expected).toBeLessThan(1.05);
  expect(restarts.filter(({ whole }) => whole).length / restarts.length).toBeCloseTo(0.5, 1);
  for (const mine of [true, false])
    expect(restarts.some(({ operation }) => (operations[operation]!.campaign !== null) === mine)).toBe(true);
});

test("whoever changes a proxy's program has it connect anew; a plain miner's stays one, a market's stays as it is", () => {
  const actions = [{ atMs: noonMs, kind: "agent", rig: 1 } as const];
  const proxy = { passesNames: false, sessionWorker: "x" };
  const agentsOf = (agent: string) => {
    const changed = observe({ days: 1, actions, proxy, agent });
    expect(sessions(changed, "close")).toHaveLength(1);
    return sessions(changed, "authorize").map((login) => login.agent);
  };
  const [first, second] = agentsOf(PROXY_AGENTS.sha256d[0] as string);
  expect(first).toBe(PROXY_AGENTS.sha256d[0]);
  expect(PROXY_AGENTS.sha256d).toContain(second);
  const [posing, still] = agentsOf("bmminer/2.0.0");
  expect(posing).toBe("bmminer/2.0.0");
  expect(PROXY_AGENTS.sha256d).not.toContain(still);
  const rented = observe({ days: 1, actions, proxy, agent: "NiceHash/1.0.0" });
  expect(rented).toEqual(observe({ days: 1, proxy, agent: "NiceHash/1.0.0" }));
});

test("a program is changed on the machines of one model", () => {
  const second = MACHINES.find(({ name }) => name === "M50") as MachineModel;
  for (const [rig, changed] of [
    [5, ["test-5.1"]],
    [1, ["test-0.1", "test-1.1", "test-2.1", "test-3.1", "test-4.1"]],
  ] as const) {
    const seen = observe({ days: 1, second, actions: [{ atMs: noonMs, kind: "agent", rig }] });
    expect(
      sessions(seen, "close")
        .map(({ session }) => session)
        .sort(),
    ).toEqual(changed);
    const { agents } = rig === 5 ? second : model;
    for (const { agent } of sessions(seen, "authorize", noonMs)) expect(agents).toContain(agent);
  }
});

test("a session presents one program from its login to its end", () => {
  const actions = [1, 2, 3, 4].map((hours) => ({
    atMs: noonMs + hours * 3_600_000,
    kind: "agent" as const,
    rig: 1,
  }));
  const seen = observe({ days: 1, actions });
  const presented = new Map(sessions(seen, "authorize").map(({ session, agent }) => [session, agent]));
  expect(new Set(presented.values()).size).toBeGreaterThan(1);
  for (const one of seen)
    if (one.type === "share") expect(one.agent).toBe(presented.get(one.session as string));
});

test("a watchdog reboots the whole site at its minute of every day", () => {
  for (const proxy of [false, { passesNames: true, sessionWorker: "proxy" }] as const) {
    const connections = proxy ? 1 : 6;
    const closed = sessions(observe({ days: 4, rebootMinute: 250, proxy }), "close");
    expect(closed).toHaveLength(4 * connections);
    for (const [index, { atMs }] of closed.entries())
      expect(Math.floor((atMs - startMs) / MINUTE_MS)).toBe(250 + 24 * 60 * Math.floor(index / connections));
  }
});

test("one operation in twenty has its sites rebooted daily, owners and campaigns alike", () => {
  const random = createRandom(5, "reboots");
  const minutes = Array.from({ length: 4000 }, () => {
    const sites = [{}, {}] as SitePlan[];
    scheduleReboots(sites, random);
    expect(sites[0]?.rebootMinute).toBe(sites[1]?.rebootMinute);
    return sites[0]?.rebootMinute;
  }).filter((minute) => minute !== undefined);
  expect(minutes.length / 4000).toBeGreaterThan(0.04);
  expect(minutes.length / 4000).toBeLessThan(0.06);
  expect(Math.min(...minutes)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...minutes)).toBeLessThan(24 * 60);
  const { operations } = drawPopulation(readScenario({ accounts: 600, days: 2, campaignPart: 0.5 }), 2);
  const rebooted = operations.filter(({ sites }) => sites[0]?.rebootMinute !== undefined);
  expect(new Set(rebooted.map(({ campaign }) => campaign === null)).size).toBe(2);
});

test("a pool restarts once in two weeks in the mean, and apart from the others", () => {
  const span = { fromMs: startMs, toMs: startMs + 70 * DAY_MS };
  const drawn = Array.from({ length: 200 }, (_, seed) => drawPoolRestarts(seed, "north", span));
  expect(drawn.flat().length / drawn.length).toBeCloseTo(5, 0);
  for (const instants of drawn) expect(instants).toEqual([...instants].sort((left, right) => left - right));
  expect(drawPoolRestarts(1, "south", span)).not.toEqual(drawn[1]);
});

test("all connections of a pool end within seconds of its restart, and most are back within seconds", () => {
  const scenario = readScenario({
    accounts: 150,
    days: 7,
    vardiffSeconds: 3600,
    siteSharesPerHour: 1,
    maxMachines: 40,
  });
  const seed = 1;
  const { pools } = drawPopulation(scenario, seed).world;
  const restarted = pools.find(({ restartsMs }) => restartsMs.length > 0);
  const atMs = restarted?.restartsMs[0] as number;
  const standing = new Map<string, Set<string>>(pools.map(({ name }) => [name, new Set()]));
  const ended: number[] = [];
  const waitsMs: number[] = [];
  const closedMs = new Map<string, number>();
  let others = 0;
  for (const one of [...simulate(scenario, seed).observations].flat()) {
    if (one.type !== "session" || one.event === "authorize") continue;
    const open = standing.get(one.pool) as Set<string>;
    const connection = one.session.split(".")[0] as string;
    const during = one.atMs >= atMs && one.atMs <= atMs + 5000;
    if (one.atMs < atMs) {
      if (one.event === "open") open.add(one.session);
      else open.delete(one.session);
    } else if (one.event === "close" && open.delete(one.session) && during) {
      if (one.pool !== restarted?.name) others += 1;
      else {
        ended.push(one.atMs - atMs);
        closedMs.set(connection, one.atMs);
      }
    } else if (one.event === "open" && closedMs.has(connection)) {
      waitsMs.push(one.atMs - (closedMs.get(connection) as number));
      closedMs.delete(connection);
    }
  }
  expect(ended.length).toBeGreaterThan(40);
  expect(Math.max(...ended) - Math.min(...ended)).toBeGreaterThan(2000);
  // Nothing that stood as the pool stopped was left standing, and nothing of other pools ended with it.
  expect(standing.get(restarted?.name as string)?.size).toBe(0);
  expect(others).toBeLessThan(3);
  const back = waitsMs.filter((waitMs) => waitMs < 10 * MINUTE_MS);
  expect(back.length / ended.length).toBeGreaterThan(0.95);
  const seconds = back.filter((waitMs) => waitMs < 20_000).length / back.length;
  expect(seconds).toBeGreaterThan(0.5);
  expect(seconds).toBeLessThan(0.9);
});
