import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { axes, Chart, common, timeSeries } from "./chart.tsx";
import type { FlagDetail } from "./client.ts";
import { colour } from "./colours.ts";
import { figure, hashrate, poissonInterval, when } from "./format.ts";
import { Empty } from "./parts.tsx";
import { zone } from "./session.ts";

const HOUR_S = 3600;
type Evidence = FlagDetail["evidence"];

/**
 * Hourly hashrate with its 95 % interval. Shares arrive as a Poisson process, so the interval is that of their count;
 * an hour without shares takes the mean work of one, or silence would seem exact.
 */
function columns(evidence: Evidence): uPlot.AlignedData {
  const { fromMs, workPerHour, sharesPerHour } = evidence;
  const shares = sharesPerHour.reduce((sum, count) => sum + count, 0);
  const work = workPerHour.reduce((sum, hour) => sum + hour, 0);
  const meanWork = shares > 0 ? work / shares : 0;
  const low: number[] = [];
  const high: number[] = [];
  for (const [hour, count] of sharesPerHour.entries()) {
    const perShare = count > 0 ? (workPerHour[hour] ?? 0) / count : meanWork;
    const interval = poissonInterval(count);
    low.push((interval.low * perShare) / HOUR_S);
    high.push((interval.high * perShare) / HOUR_S);
  }
  const times = workPerHour.map((_, hour) => fromMs / 1000 + hour * HOUR_S);
  return [times, high, low, workPerHour.map((hour) => hour / HOUR_S)];
}

/** Marks where the hashrate changed: a line, and the factor above it. */
function changeMarks(changes: Evidence["changes"]): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx } = plot;
        const ratio = devicePixelRatio;
        ctx.save();
        ctx.strokeStyle = colour("mark");
        ctx.fillStyle = colour("mark");
        ctx.lineWidth = ratio;
        ctx.setLineDash([4 * ratio, 3 * ratio]);
        ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        const ends: number[] = [];
        for (const { atMs, ratio: factor } of changes) {
          const x = Math.round(plot.valToPos(atMs / 1000, "x", true));
          if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, plot.bbox.top);
          ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
          ctx.stroke();
          const label = `×${figure(Number(factor.toPrecision(2)))}`;
          // A label goes onto the first line where it runs into no other.
          const free = ends.findIndex((end) => end < x);
          const line = free < 0 ? ends.length : free;
          ctx.fillText(label, x + 4 * ratio, plot.bbox.top + (12 + 13 * line) * ratio);
          ends[line] = x + ctx.measureText(label).width + 10 * ratio;
        }
        ctx.restore();
      },
    },
  };
}

/** The account's hashrate over the week before the flag, hour by hour, with its changes. */
export function HashrateChart({ evidence }: { evidence: Evidence }) {
  const data = useMemo(() => columns(evidence), [evidence]);
  const rates = data[3] as number[];
  if (!rates.some((rate) => rate > 0))
    return <Empty title="No whole hour with shares yet">The chart begins when the first hour is over.</Empty>;
  const highest = Math.max(...rates);
  const summary = `Hourly hashrate over ${rates.length} hours, at most ${hashrate(highest)}; ${evidence.changes.length} changes marked.`;
  const options = () => ({
    ...common(),
    axes: axes(hashrate),
    scales: {
      y: { range: (_plot: uPlot, _low: number, top: number): [number, number] => [0, top * 1.12 || 1] },
    },
    series: [
      timeSeries,
      { label: "95 % upper", stroke: "transparent", points: { show: false }, value: legend },
      { label: "95 % lower", stroke: "transparent", points: { show: false }, value: legend },
      { label: "Hashrate", stroke: colour("accent"), width: 1.5, points: { show: false }, value: legend },
    ],
    bands: [{ series: [1, 2] as [number, number], fill: colour("band") }],
    plugins: [changeMarks(evidence.changes)],
  });
  return (
    <>
      <Chart summary={summary} height={220} data={data} options={options} />
      {evidence.changes.length > 0 && (
        <ul class="changes">
          {evidence.changes.map((change) => (
            <li key={change.atMs}>
              <time>{when(change.atMs, zone.value)}</time> ×{figure(Number(change.ratio.toPrecision(3)))}
              <span class="muted"> log-likelihood ratio {figure(change.logLikelihoodRatio)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const legend = (_plot: uPlot, value: number | null) => (value === null ? "–" : hashrate(value));
