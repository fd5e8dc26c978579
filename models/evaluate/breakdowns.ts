import { FEATURE_INDEX } from "#core/features.ts";
import type { Dataset } from "./dataset.ts";
import { CARES, type CampaignScore, type Judged, recallAt } from "./detection-metrics.ts";
import type { Finding } from "./figure.ts";
import { bootstrapRecall } from "./intervals.ts";

const SIZES = [1, 10, 100, 1000] as const;
/** Days for which a campaign was seen, from each to the next. */
const DAYS = [0, 7, 14, 21, 28, 56] as const;
const DAY_MS = 86_400_000;

/** A figure as tables have it: three places, and a dash for none. */
export const round = (value: number): number | string =>
  Number.isNaN(value) ? "–" : Math.round(value * 1000) / 1000;

/** What only a pool's log, a tap or payouts tell: a feature of each. */
const LOGGED: readonly (readonly [string, string])[] = [
  ["workers", "fleet.workers"],
  ["agents", "fleet.agents"],
  ["sessions", "fleet.sessions"],
  ["round trips", "latency.tcp"],
  ["payouts", "payout.payments"],
];

/** Recall where everything is logged, and where something is not: what is not collected cannot be seen. */
export function byLogs(
  set: Dataset,
  { campaigns }: Judged,
  threshold: number,
  which: (one: CampaignScore) => boolean,
): Finding {
  const width = set.rows.length / set.count;
  const seen = LOGGED.map(() => new Set<number>());
  for (let row = 0; row < set.count; row += 1) {
    const world = set.worldOf[set.owner[row] as number] as number;
    for (const [index, [, feature]] of LOGGED.entries()) {
      const column = FEATURE_INDEX.get(feature) as number;
      if (!Number.isNaN(set.rows[row * width + column])) seen[index]?.add(world);
    }
  }
  const whole = ({ world }: CampaignScore): boolean => seen.every((worlds) => worlds.has(world));
  const line = lineOf(threshold, which);
  return {
    table: "Recall at 10 flags a day, by what the pools log",
    columns: ["logged", ...LINE],
    rows: [
      line(`${LOGGED.map(([name]) => name).join(", ")}`, campaigns.filter(whole)),
      line(
        "not all of these",
        campaigns.filter((one) => !whole(one)),
      ),
    ],
  };
}

/** Recall by how long a campaign was there to be seen: what people do and what recurs takes weeks to show. */
export function byDays(
  { campaigns }: Judged,
  threshold: number,
  which: (one: CampaignScore) => boolean,
): Finding {
  const line = lineOf(threshold, which);
  const days = ({ windows }: CampaignScore): number =>
    ((windows.at(-1)?.[0] ?? 0) - (windows[0]?.[0] ?? 0)) / DAY_MS;
  return {
    table: "Recall at 10 flags a day, by the days that a campaign was seen",
    columns: ["days", ...LINE],
    rows: DAYS.map((least, index) => {
      const most = DAYS[index + 1] ?? Number.POSITIVE_INFINITY;
      const some = campaigns.filter((one) => days(one) >= least && days(one) < most);
      return line(Number.isFinite(most) ? `${least} to ${most}` : `${least} and more`, some);
    }),
    note: "From its accounts' first scored window to their last.",
  };
}

/** The columns of a line about some of the campaigns, after its name, and that line. */
const LINE = ["campaigns, middle ≥ 10", "middle ≥ 10", "95 %", "all"] as const;
const lineOf =
  (threshold: number, which: (one: CampaignScore) => boolean) =>
  (name: string, some: readonly CampaignScore[]): (string | number)[] => {
    const judged = some.filter(which);
    const { low, high } = bootstrapRecall(judged, threshold);
    return [
      name,
      judged.length,
      round(recallAt(judged, threshold)),
      `[${round(low)}, ${round(high)}]`,
      round(recallAt(some, threshold)),
    ];
  };

/** Recall by how well a campaign hides and how many machines it has. */
export function byCareAndSize({ campaigns }: Judged, threshold: number): Finding {
  const cell = (care: string, low: number, high: number): string => {
    const some = campaigns.filter((one) => one.care === care && one.machines >= low && one.machines < high);
    return some.length === 0 ? "–" : `${round(recallAt(some, threshold))} of ${some.length}`;
  };
  return {
    table: "Recall at 10 flags a day, by care and machines",
    columns: ["care", ...SIZES.map((size, index) => `${size}–${(SIZES[index + 1] ?? 10_000) - 1}`)],
    rows: CARES.map((care) => [
      care,
      ...SIZES.map((size, index) => cell(care, size, SIZES[index + 1] ?? 10_000)),
    ]),
  };
}

/** Recall by typology and care, and how long the flag took. */
export function byTypology({ campaigns }: Judged, threshold: number): Finding {
  const names = [...new Set(campaigns.map(({ typology }) => typology))].sort();
  return {
    table: "Recall at 10 flags a day, by typology, and time to the flag",
    columns: ["typology", "campaigns", ...CARES, "median hours to flag"],
    rows: names.map((name) => {
      const own = campaigns.filter(({ typology }) => typology === name);
      const hours = own
        .filter(({ score }) => score > threshold)
        .map(({ windows }) => {
          const flagged = windows.find(([, score]) => score > threshold);
          return ((flagged?.[0] ?? 0) - (windows[0]?.[0] ?? 0)) / 3_600_000;
        })
        .sort((left, right) => left - right);
      return [
        name,
        own.length,
        ...CARES.map((care) =>
          round(
            recallAt(
              own.filter((one) => one.care === care),
              threshold,
            ),
          ),
        ),
        hours.length > 0 ? Math.round(hours[hours.length >> 1] as number) : "–",
      ];
    }),
    note: "Hours from the account's first scored window.",
  };
}
