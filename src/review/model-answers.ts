import { z } from "zod";

/** What the API says of the model: its inputs, its scores, the version beside it, and what verdicts make of its flags. */

const milliseconds = z.number().int();
const named = z.object({ name: z.string(), version: z.string() });

const poolStanding = z.object({
  pool: z.string(),
  atMs: milliseconds,
  accounts: z.number().int(),
  state: z
    .enum(["few", "learning", "steady", "warn", "stop"])
    .describe("`stop`: the score's thresholds no longer hold, flags say so."),
  reference: z.object({ takenMs: milliseconds, accounts: z.number().int() }).nullable(),
  features: z.array(
    z.object({
      feature: z.string(),
      psi: z.number().nullable().describe("Population stability index against the pool's own reference."),
      training: z.number().nullable().describe("The same against the training pools."),
    }),
  ),
  conformal: z
    .object({
      distance: z.number().describe("Kolmogorov's distance of the p-values from uniform."),
      low: z.number().describe("Part of accounts with a p of .01 or less."),
    })
    .nullable(),
});
export type PoolStanding = z.infer<typeof poolStanding>;

const comparison = z.object({
  pool: z.string(),
  atMs: milliseconds,
  accounts: z.number().int(),
  both: z.number().int(),
  onlyActive: z.number().int(),
  onlyShadow: z.number().int(),
  rankCorrelation: z.number().nullable(),
  differing: z.array(z.object({ account: z.string(), active: z.number(), shadow: z.number() })),
});

const precision = z.object({
  answered: z.number().int(),
  confirmed: z.number().int(),
  useful: z.number().int(),
  falsePositive: z.number().int(),
  /** Part confirmed or useful; `low` to `high` is its 95 % interval. */
  precision: z.number().nullable(),
  low: z.number(),
  high: z.number(),
  /** Mean score: what was promised. */
  expected: z.number().nullable(),
});
const parts = z.array(precision.extend({ name: z.string() }));

/** What the service knows of its model; absent where there is none. */
export const modelStanding = z.object({
  model: named,
  described: z
    .array(
      z.object({
        name: z.string(),
        about: z.string(),
        source: z.string().optional(),
        signs: z.array(z.object({ feature: z.string(), side: z.enum(["high", "low"]) })),
      }),
    )
    .describe("Typologies of the configuration, looked for by their signs."),
  thresholds: z.object({ flag: z.number(), warn: z.number(), stop: z.number(), flagsPerDay: z.number() }),
  pools: z.array(poolStanding),
  /** Pools beyond the bound of those watched. */
  unwatched: z.number().int(),
  shadow: named.extend({ failures: z.number().int(), pools: z.array(comparison) }).nullable(),
});
export type ModelStanding = z.infer<typeof modelStanding>;

export const modelAnswer = modelStanding.extend({
  /** Days of verdicts that precision is measured over. */
  days: z.number().int(),
  precision: z.object({
    anomalies: precision,
    screenings: precision,
    bands: parts,
    typologies: parts,
    versions: parts,
    hoursToVerdict: z.object({ median: z.number(), ninetieth: z.number() }).nullable(),
  }),
});
export type ModelAnswer = z.infer<typeof modelAnswer>;
