import { FEATURES } from "#core/features.ts";
import type { ModelStanding } from "../../src/review/model-answers.ts";

const psiOf = (name: string): number =>
  ({ "hashrate.size": 0.31, "fleet.sessions": 0.18, "latency.app": 0.11 })[name] ?? (name.length % 7) / 100;

/** Two pools, one of which has drifted, and a second version beside the model. */
export const SEED_MODEL: ModelStanding = {
  model: { name: "consistency", version: "1.2.0" },
  described: [
    {
      name: "night-rental",
      about: "machines rented by night and paid to a new address each time",
      source: "our case of March 2026",
      signs: [
        { feature: "fleet.rentalAgent", side: "high" },
        { feature: "payout.addressChanges", side: "high" },
        { feature: "operator.age", side: "low" },
      ],
    },
  ],
  thresholds: { flag: 0.5, warn: 0.1, stop: 0.25, flagsPerDay: 20 },
  unwatched: 0,
  pools: ["main", "pool-eu"].map((pool, index) => ({
    pool,
    atMs: Date.UTC(2026, 10, 23, 6),
    accounts: index === 0 ? 4121 : 377,
    state: index === 0 ? ("stop" as const) : ("learning" as const),
    reference: index === 0 ? { takenMs: Date.UTC(2026, 10, 1), accounts: 3980 } : null,
    features: FEATURES.map(({ name }, at) => ({
      feature: name,
      psi: index === 1 || name === "operator.age" ? null : psiOf(name),
      training: at % 9 === 5 ? null : (name.length % 11) / 4,
    })),
    conformal: { distance: 0.08 + index / 10, low: 0.012 + index / 100 },
  })),
  shadow: {
    name: "consistency",
    version: "2.0.0",
    failures: 0,
    pools: [
      {
        pool: "main",
        atMs: Date.UTC(2026, 10, 23, 6),
        accounts: 4121,
        both: 7,
        onlyActive: 1,
        onlyShadow: 3,
        rankCorrelation: 0.914,
        differing: [
          { account: "orefield31", active: 0.12, shadow: 0.81 },
          { account: '<img src=x onerror="alert(1)">', active: 0.55, shadow: 0.4 },
        ],
      },
    ],
  },
};
