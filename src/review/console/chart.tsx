import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour, scheme } from "./colours.ts";
import { when } from "./format.ts";
import { zone } from "./session.ts";

/** Draws a time series on a canvas, and says in words what it shows for those who do not see it. */
export function Chart(props: {
  summary: string;
  height: number;
  data: uPlot.AlignedData;
  /** Called whenever colours or the zone change. */
  options: () => Omit<uPlot.Options, "width" | "height">;
}) {
  const { summary, height, data, options } = props;
  const box = useRef<HTMLDivElement>(null);
  const dependencies = [data, height, scheme.value, zone.value];
  // `options` is a new function on every rendering; what it draws changes with these alone.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const width = element.clientWidth;
    const plot = new uPlot({ ...options(), width, height }, data, element);
    const watcher = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, dependencies);
  return (
    <div class="chart" role="img" aria-label={summary} ref={box} style={{ minHeight: `${height + 30}px` }} />
  );
}

/** Axes in the page's colours: time below in the page's zone, `format` at the left. */
export function axes(format: (value: number) => string): uPlot.Axis[] {
  const common = {
    stroke: colour("muted"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
  };
  return [
    { ...common, grid: { show: false }, values: times, size: 40 },
    { ...common, size: 74, values: (_plot, ticks) => ticks.map(format) },
  ];
}

/** What all our charts share: the time zone, no drag surprises, a legend that follows the pointer. */
export function common(): Pick<uPlot.Options, "tzDate" | "cursor" | "legend"> {
  const dateIn = (seconds: number) =>
    zone.value === "UTC" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000);
  return {
    tzDate: dateIn,
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
    legend: { live: true },
  };
}

/** Hours, and the date below where it begins: increment, format, and the format where a year or a day changed. */
const times: uPlot.Axis.Values = [
  [86_400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

/** The time in a legend. */
export const timeSeries: uPlot.Series = {
  label: "Time",
  value: (_plot, seconds) => (seconds === null ? "" : when(seconds * 1000, zone.value)),
};
