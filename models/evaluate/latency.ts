import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Dataset } from "./dataset.ts";
import { type Finding, judged } from "./figure.ts";
import { bootstrapRecall } from "./intervals.ts";

/** Hidden legs, ms, that recall is given for. */
const LEGS = [10, 20, 40, 80, 160, 1000] as const;

/**
 * How well the two round trips alone show a hidden leg: accounts behind one of 20 ms or more against accounts without,
 * by the least hidden leg an account shows, at 1 % false positives over accounts. CalcuLatency's rule (20 ms and half
 * of the round trip) stands beside it.
 */
export async function* evaluateLatency(options: { set: Dataset }): AsyncGenerator<Finding> {
  const accounts = leastLegs(options.set);
  const direct = accounts.filter(({ hiddenLegMs }) => hiddenLegMs === 0);
  const clean = direct.map(({ legMs }) => legMs).sort((left, right) => left - right);
  const threshold = clean[Math.floor(0.99 * clean.length)] ?? Number.POSITIVE_INFINITY;
  const behind = accounts.filter(({ hiddenLegMs }) => hiddenLegMs >= 20);
  const found = behind.map(({ legMs }) => ({ score: legMs }));
  const recall = found.filter(({ score }) => score > threshold).length / Math.max(1, found.length);
  yield judged(
    {
      figure: "latency.recall_20ms_at_1pct",
      value: recall,
      unit: "part of accounts",
      ...bootstrapRecall(found, threshold),
      note: `${direct.length} direct accounts, ${behind.length} behind a leg of 20 ms or more; threshold ${threshold.toFixed(1)} ms`,
    },
    { atLeast: 0.8 },
  );
  const rule = ({ legMs, share }: Leg): boolean => legMs >= 20 && share >= 0.5;
  const part = (some: readonly Leg[], fires: (one: Leg) => boolean): number | string =>
    some.length === 0 ? "–" : Math.round((1000 * some.filter(fires).length) / some.length) / 1000;
  const above = ({ legMs }: Leg): boolean => legMs > threshold;
  yield {
    table: "Accounts found by their round trips, by the leg behind",
    columns: ["leg, ms", "accounts", "at 1 % false positives", "20 ms and half of the round trip"],
    rows: [
      ["none", direct.length, part(direct, above), part(direct, rule)],
      ...LEGS.slice(0, -1).map((low, index) => {
        const high = LEGS[index + 1] as number;
        const some = accounts.filter(({ hiddenLegMs }) => hiddenLegMs >= low && hiddenLegMs < high);
        return [`${low}–${high}`, some.length, part(some, above), part(some, rule)];
      }),
    ],
  };
}

interface Leg {
  hiddenLegMs: number;
  /** Least over the account's windows: what queues and slow machines cannot lower. */
  legMs: number;
  share: number;
}

function leastLegs(set: Dataset): Leg[] {
  const width = FEATURES.length;
  const leg = FEATURE_INDEX.get("latency.hiddenLeg") as number;
  const share = FEATURE_INDEX.get("latency.hiddenShare") as number;
  const least = new Map<number, Leg>();
  for (let row = 0; row < set.count; row += 1) {
    const value = set.rows[row * width + leg] as number;
    if (Number.isNaN(value)) continue;
    const owner = set.owner[row] as number;
    const legMs = 10 ** value - 1;
    const before = least.get(owner);
    if (before && before.legMs <= legMs) continue;
    const { hiddenLegMs = 0 } = set.truth[owner] ?? {};
    least.set(owner, { hiddenLegMs, legMs, share: set.rows[row * width + share] as number });
  }
  return [...least.values()];
}
