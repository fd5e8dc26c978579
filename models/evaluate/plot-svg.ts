import type { Axis, Plot } from "./figure.ts";
import { formatNumber } from "./format-number.ts";

const WIDTH = 720;
const HEIGHT = 380;
const LEFT = 70;
const RIGHT = 170;
const TOP = 16;
const BOTTOM = 48;
/** Okabe & Ito's palette: told apart by colour-blind readers too. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** Text for HTML and SVG, in attributes too. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What is nearer to 0 is drawn as this on a logarithmic axis. */
const SMALLEST = 1e-30;

interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

/** Round steps of 1, 2 or 5 times a power of ten; a logarithmic axis has its powers of ten. */
function scale(axis: Axis, values: number[], from: number, to: number): Scale {
  const drawn = values.filter((value) => Number.isFinite(value) && (!axis.log || value > 0));
  let low = drawn.length > 0 ? drawn.reduce((least, value) => Math.min(least, value)) : 1;
  let high = drawn.length > 0 ? drawn.reduce((most, value) => Math.max(most, value)) : 1;
  if (axis.log) {
    low = Math.floor(Math.log10(Math.max(low, SMALLEST)));
    high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(high, SMALLEST))));
    const at = (value: number) =>
      from + ((Math.log10(Math.max(value, SMALLEST)) - low) / (high - low)) * (to - from);
    return { at, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
  }
  // A span lost in rounding is no span.
  if (high - low <= 1e-9 * Math.abs(low) || high - low < SMALLEST) high = low + Math.max(1, Math.abs(low));
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  low = Math.floor(low / step) * step;
  high = Math.ceil(high / step) * step;
  const at = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  const count = Math.round((high - low) / step) + 1;
  return { at, ticks: Array.from({ length: count }, (_, index) => low + index * step) };
}

/** The plot as one SVG element that needs nothing from elsewhere. */
export function plotSvg(plot: Plot): string {
  const points = plot.lines.flatMap((line) => line.points);
  const x = scale(
    plot.x,
    points.map((point) => point[0]),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    plot.y,
    points.map((point) => point[1]),
    HEIGHT - BOTTOM,
    TOP,
  );
  const parts = [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(plot.plot)}">`,
    ...x.ticks.map((tick) => {
      const at = x.at(tick).toFixed(1);
      return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${formatNumber(tick)}</text>`;
    }),
    ...y.ticks.map((tick) => {
      const at = y.at(tick).toFixed(1);
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${formatNumber(tick)}</text>`;
    }),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(plot.x.label)}</text>`,
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeText(plot.y.label)}</text>`,
  ];
  for (const [index, line] of plot.lines.entries()) {
    const colour = COLOURS[index % COLOURS.length];
    const drawn = line.points.filter(
      ([px, py]) =>
        Number.isFinite(px) && Number.isFinite(py) && (!plot.x.log || px > 0) && (!plot.y.log || py > 0),
    );
    const path = drawn.map(([px, py]) => `${x.at(px).toFixed(1)},${y.at(py).toFixed(1)}`).join(" ");
    const dash = line.dashed ? ' stroke-dasharray="6 4"' : "";
    const legend = TOP + 12 + 20 * index;
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2"${dash} points="${path}"/>`,
      `<line x1="${WIDTH - RIGHT + 16}" x2="${WIDTH - RIGHT + 40}" y1="${legend}" y2="${legend}" stroke="${colour}" stroke-width="2"${dash}/>`,
      `<text x="${WIDTH - RIGHT + 46}" y="${legend + 4}">${escapeText(line.name)}</text>`,
    );
  }
  return `${parts.join("\n")}\n</svg>`;
}
