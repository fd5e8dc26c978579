import { expect, test } from "vitest";
import { planCampaign } from "../../../models/simulate/campaigns.ts";
import type { Operation } from "../../../models/simulate/plan.ts";
import { drawPopulation } from "../../../models/simulate/population.ts";
import { createRandom } from "../../../models/simulate/random.ts";
import { readScenario } from "../../../models/simulate/scenario.ts";
import { simulate } from "../../../models/simulate/simulate.ts";

const scenario = readScenario({
  accounts: 8,
  days: 21,
  vardiffSeconds: 7200,
  siteSharesPerHour: 2,
  campaigns: Array.from({ length: 8 }, () => ({ typology: "structuring", care: "blatant" })),
});

/** The sum a structuring campaign stays below. */
function sumOf({ accounts }: Operation): number {
  const { payout } = accounts[0]!;
  const low = payout.rule === "currency" ? payout.low : Number.NaN;
  return [1000, 3000, 10_000].find((sum) => low > 0.6 * sum && low < sum) as number;
}

function plan(count: number, machines?: number): Operation[] {
  const { world } = drawPopulation(scenario, 1);
  const span = { fromMs: world.startMs, toMs: world.endMs };
  return Array.from({ length: count }, (_, index) =>
    planCampaign("structuring", {
      random: createRandom(index, "structuring"),
      world,
      span,
      care: "blatant",
      name: "s",
      ...(machines === undefined ? {} : { machines }),
    }),
  );
}

const sizeOf = ({ sites }: Operation): number => sites.reduce((sum, { rigs }) => sum + rigs.length, 0);

test("structuring stays below one of three sums, with a fleet in proportion", () => {
  const campaigns = plan(400);
  for (const [sum, part] of [
    [10_000, 0.6],
    [3000, 0.25],
    [1000, 0.15],
  ] as const) {
    const own = campaigns.filter((one) => sumOf(one) === sum);
    expect(Math.abs(own.length / campaigns.length - part)).toBeLessThan(0.07);
    const sizes = own.map(sizeOf);
    // Portions are rounded one by one, so that a fleet may differ by a machine an account.
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(Math.max(20, (200 * sum) / 10_000) - 5);
    expect(Math.max(...sizes)).toBeLessThanOrEqual((1500 * sum) / 10_000 + 5);
  }
});

test("a scenario that names the size of a structuring fleet gets it, whatever the sum", () => {
  for (const campaign of plan(40, 300)) expect(Math.abs(sizeOf(campaign) - 300)).toBeLessThanOrEqual(5);
});

test("structured payouts fall just short of their campaign's sum, in the dollars of the hour", () => {
  const sums = new Map<string, number>();
  for (const operation of drawPopulation(scenario, 7).operations)
    for (const { name } of operation.accounts) if (operation.campaign) sums.set(name, sumOf(operation));
  const prices = new Map<string, number>();
  const seen = new Map<number, number>();
  for (const one of [...simulate(scenario, 7).observations].flat()) {
    if (one.type === "price") prices.set(one.coin, one.price);
    const sum = one.type === "payout" ? sums.get(one.account) : undefined;
    if (one.type !== "payout" || sum === undefined) continue;
    const part = (one.amount * (prices.get(one.coin) as number)) / sum;
    expect(part).toBeGreaterThan(0.75);
    expect(part).toBeLessThan(1.03);
    seen.set(sum, (seen.get(sum) ?? 0) + 1);
  }
  expect([...seen.keys()].sort((left, right) => left - right)).toEqual([1000, 3000, 10_000]);
});
