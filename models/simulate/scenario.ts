import { z } from "zod";
import { BENIGN_KINDS, CARES, type PoolPlan, TYPOLOGIES } from "./plan.ts";

const logs = z.strictObject({
  ip: z.boolean().default(true),
  agent: z.boolean().default(true),
  worker: z.boolean().default(true),
  sessions: z.boolean().default(true),
  steps: z.boolean().default(true),
  rtt: z.boolean().default(true),
  payouts: z.boolean().default(true),
});

const pool = z.strictObject({
  name: z.string().min(1),
  algorithm: z.enum(["sha256d", "scrypt", "randomx", "etchash"]),
  coin: z.string().min(1),
  country: z.string().length(2).default("DE"),
  accounts: z.enum(["address", "user"]).default("address"),
  vardiffSeconds: z.number().positive().optional(),
  logs: logs.prefault({}),
});

const campaign = z.strictObject({
  typology: z.enum(TYPOLOGIES),
  care: z.enum(CARES),
  machines: z.number().int().min(1).optional(),
});

/** What a scenario file may say; every field has a default. */
export const scenarioSchema = z.strictObject({
  name: z.string().default("custom"),
  accounts: z.number().int().min(1).default(500),
  days: z.number().positive().max(400).default(7),
  startMs: z
    .number()
    .int()
    .default(Date.UTC(2026, 0, 5)),
  /** Vardiff's aim: one share every so many seconds on a connection. ckpool's own is 3.33. */
  vardiffSeconds: z.number().positive().default(60),
  /** Shares an hour that one site sends at most: larger fleets get a higher difficulty. */
  siteSharesPerHour: z.number().positive().default(120),
  maxMachines: z.number().int().min(1).default(1500),
  /** Part of the operations that are campaigns, where `campaigns` does not name them. */
  campaignPart: z.number().min(0).max(1).default(0.1),
  campaigns: z.array(campaign).optional(),
  /** Typologies and cares drawn from where `campaigns` is absent. */
  typologies: z
    .array(z.enum(TYPOLOGIES))
    .min(1)
    .default([...TYPOLOGIES].filter((one) => one !== "sanctioned-wallet")),
  cares: z
    .array(z.enum(CARES))
    .min(1)
    .default([...CARES]),
  /** How common each kind of honest owner is: as in a usual pool, or the suspicious-looking ones ten times as common. */
  mix: z.enum(["usual", "hard"]).default("usual"),
  benign: z
    .array(z.enum(BENIGN_KINDS))
    .min(1)
    .default([...BENIGN_KINDS]),
  /** Part of the operations that start within the time instead of being there before. */
  arrivals: z.number().min(0).max(1).default(0.25),
  outagesPerWeek: z.number().min(0).default(5),
  /** Addresses on a sanctions list: each gets one account that is paid to it. */
  listedAddresses: z.array(z.string()).default([]),
  pools: z
    .array(pool)
    .min(1)
    .default([
      {
        name: "north-btc",
        algorithm: "sha256d",
        coin: "BTC",
        country: "DE",
        accounts: "address",
        logs: logs.parse({}),
      },
      {
        name: "north-ltc",
        algorithm: "scrypt",
        coin: "LTC",
        country: "US",
        accounts: "user",
        logs: logs.parse({}),
      },
      {
        name: "north-xmr",
        algorithm: "randomx",
        coin: "XMR",
        country: "DE",
        accounts: "address",
        logs: logs.parse({}),
      },
      {
        name: "north-etc",
        algorithm: "etchash",
        coin: "ETC",
        country: "SG",
        accounts: "user",
        logs: logs.parse({}),
      },
    ]),
});
export type Scenario = z.infer<typeof scenarioSchema>;

const demoCampaigns: Scenario["campaigns"] = [
  { typology: "overseas-base", care: "blatant", machines: 24 },
  { typology: "overseas-base", care: "careful", machines: 12 },
  { typology: "relay", care: "blatant", machines: 15 },
  { typology: "relay", care: "middle", machines: 40 },
  { typology: "remittance-split", care: "blatant", machines: 20 },
  { typology: "cryptojacking", care: "blatant", machines: 120 },
  { typology: "many-behind-one", care: "middle", machines: 60 },
  { typology: "hashrate-laundering", care: "blatant", machines: 50 },
  { typology: "outage-synchrony", care: "blatant", machines: 20 },
  { typology: "sanctioned-origin", care: "blatant", machines: 6 },
];

const BUILT_IN: Readonly<Record<string, z.input<typeof scenarioSchema>>> = {
  week: { name: "week" },
  demo: {
    name: "demo",
    accounts: 120,
    vardiffSeconds: 120,
    siteSharesPerHour: 120,
    maxMachines: 200,
    campaigns: demoCampaigns,
  },
  hard: { name: "hard", mix: "hard", vardiffSeconds: 300, siteSharesPerHour: 30, campaignPart: 0.2 },
};

/** Names `assay simulate --scenario` knows without a file. */
export const SCENARIOS: readonly string[] = Object.keys(BUILT_IN);

/** A built-in scenario, or the parsed content of a scenario's JSON file. Throws with every mistake of a file. */
export function readScenario(source: string | object): Scenario {
  const given = typeof source === "string" ? BUILT_IN[source] : source;
  if (!given)
    throw new Error(`simulate: no scenario "${source}"; known: ${SCENARIOS.join(", ")}, or a JSON file`);
  const parsed = scenarioSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(
    `simulate: ${parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`).join("; ")}`,
  );
}

/** The scenario's pools as the plans use them; when they restart is drawn with the population. */
export function poolsOf(scenario: Scenario): PoolPlan[] {
  return scenario.pools.map(({ vardiffSeconds, ...rest }) => ({
    ...rest,
    siteSharesPerHour: scenario.siteSharesPerHour,
    restartsMs: [],
    vardiffMs: 1000 * (vardiffSeconds ?? scenario.vardiffSeconds),
  }));
}
