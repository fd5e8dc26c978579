import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { axes, Chart, common, timeSeries } from "./chart.tsx";
import type { MetricTable } from "./client.ts";
import { colour, TIERS } from "./colours.ts";
import { hashrate } from "./format.ts";
import { TIER_WORDS } from "./wording.ts";

/** Sums of work by bucket and tier, drawn from the ordinary below to what must be seen on top. */
function stack(table: MetricTable): { data: uPlot.AlignedData; own: number[][] } {
  const at = table.fields.indexOf("work");
  const tag = table.tags.indexOf("tier");
  const seconds = table.level === "1h" ? 3600 : 60;
  const buckets = [...new Set(table.rows.map((row) => row.bucketMs))].sort((a, b) => a - b);
  const place = new Map(buckets.map((bucketMs, index) => [bucketMs, index]));
  const own = TIERS.map(() => buckets.map(() => 0));
  for (const row of table.rows) {
    const series = own[Math.max(0, TIERS.indexOf(row.tags[tag] as (typeof TIERS)[number]))];
    const index = place.get(row.bucketMs);
    if (series && index !== undefined) series[index] = (series[index] ?? 0) + (row.values[at] ?? 0) / seconds;
  }
  const cumulative: number[][] = [];
  for (let tier = TIERS.length - 1; tier >= 0; tier -= 1)
    cumulative[tier] = buckets.map(
      (_, index) => (own[tier]?.[index] ?? 0) + (cumulative[tier + 1]?.[index] ?? 0),
    );
  return { data: [buckets.map((ms) => ms / 1000), ...cumulative], own };
}

/** The pool's hashrate over time, by sanction tier of its origin. */
export function TierChart({ table }: { table: MetricTable }) {
  const { data, own } = useMemo(() => stack(table), [table]);
  const options = () => ({
    ...common(),
    axes: axes(hashrate),
    scales: {
      y: { range: (_plot: uPlot, _low: number, top: number): [number, number] => [0, top * 1.08 || 1] },
    },
    series: [
      timeSeries,
      ...TIERS.map((tier, index) => ({
        label: TIER_WORDS[tier] ?? tier,
        stroke: colour(`tier-${tier}`),
        fill: colour(`tier-${tier}-fill`),
        width: 1,
        points: { show: false },
        value: (_plot: uPlot, _value: number, _series: number, place: number | null) =>
          place === null ? "–" : hashrate(own[index]?.[place] ?? 0),
      })),
    ],
    bands: TIERS.slice(0, -1).map((_, index) => ({ series: [index + 1, index + 2] as [number, number] })),
  });
  const summary = "The pool's hashrate over time, stacked by the sanction tier of its origin.";
  return <Chart summary={summary} height={240} data={data} options={options} />;
}
