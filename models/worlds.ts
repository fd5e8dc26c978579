import { type BenignKind, type Care, TYPOLOGIES, type Typology } from "./simulate/plan.ts";
import { createRandom, type Random } from "./simulate/random.ts";
import { readScenario, type Scenario } from "./simulate/scenario.ts";

const DAY_MS = 86_400_000;

/** How worlds differ from one another: pools, hardware, share rate, season, what is logged. */
export interface WorldOptions {
  accounts: number;
  campaignPart: number;
  /** Days that the pool is watched, one of these; of a pool's first month unless said. */
  days?: readonly number[];
  typologies?: readonly Typology[];
  cares?: readonly Care[];
  /** Mix of honest owners; the hard one unless said. */
  mix?: "usual" | "hard";
  /** Kinds of honest owners, where not all. */
  benign?: readonly BenignKind[];
  /** Moves a parameter out of what training saw, for the hold-outs. */
  shift?: "share-rate" | "geography" | "hardware" | "logs";
}

/** How long a pool has been watched: in its first month, or for a season too. */
const FIRST_MONTH = [10, 14, 21, 28];
export const SEASON_DAYS = 84;
export const ANY_TIME = [...FIRST_MONTH, SEASON_DAYS];

const SCORED = TYPOLOGIES.filter((one) => one !== "sanctioned-wallet");

/** Draws the scenario of one world. Every world has other pools, so that no pool's habits are learned by heart. */
export function drawWorld(seed: number, options: WorldOptions): Scenario {
  const random = createRandom(seed, "world");
  const { accounts, campaignPart, shift } = options;
  // One world in seven is seen at a real pool's share rate, with fewer accounts to keep the volume.
  const dense = shift === "share-rate" || random.chance(0.15);
  // A campaign shows itself over weeks. Longer worlds have fewer accounts, so that all take about as long to simulate.
  const days = random.pick(options.days ?? FIRST_MONTH);
  const many = Math.round((accounts * 14) / days);
  const scenario = readScenario({
    name: `world-${seed}`,
    accounts: dense ? Math.ceil(many / 5) : many,
    days,
    startMs: Date.UTC(2025, 0, 1) + random.integer(0, 364) * DAY_MS + random.integer(0, 23) * 3_600_000,
    vardiffSeconds: dense ? random.logUniform(15, 90) : random.logUniform(240, 1800),
    siteSharesPerHour: dense ? random.logUniform(60, 240) : random.logUniform(4, 25),
    maxMachines: dense ? 80 : random.pick([40, 100, 250]),
    campaignPart,
    mix: options.mix ?? "hard",
    ...(options.benign ? { benign: [...options.benign] } : {}),
    typologies: [...(options.typologies ?? SCORED)],
    ...(options.cares ? { cares: [...options.cares] } : {}),
    arrivals: random.between(0.1, 0.4),
    outagesPerWeek: random.logUniform(1, 10),
    pools: drawPools(random, shift),
  });
  return scenario;
}

const COINS = { sha256d: "BTC", scrypt: "LTC", randomx: "XMR", etchash: "ETC" } as const;

function drawPools(random: Random, shift: WorldOptions["shift"]): object[] {
  const algorithms = (["sha256d", "scrypt", "randomx", "etchash"] as const).filter(
    (algorithm) => shift !== "hardware" || algorithm === "scrypt" || algorithm === "etchash",
  );
  // What a pool program logs is one thing for the whole world: sources are covered or not by the deployment.
  const poor = shift === "logs" || random.chance(0.35);
  const logs = {
    ip: true,
    agent: !poor || random.chance(0.6),
    worker: !poor || random.chance(0.8),
    sessions: !poor || random.chance(0.6),
    steps: false,
    rtt: !poor || random.chance(0.4),
    payouts: !poor || random.chance(0.5),
  };
  return algorithms.map((algorithm) => ({
    name: `pool-${algorithm}-${random.integer(100, 999)}`,
    algorithm,
    coin: COINS[algorithm],
    country: random.pick(
      shift === "geography" ? ["AU", "BR", "ZA", "JP"] : ["DE", "US", "SG", "US", "FI", "CA"],
    ),
    accounts: random.chance(0.5) ? "address" : "user",
    logs,
  }));
}
