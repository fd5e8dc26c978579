/**
 * What an evaluation finds. Every part is `async function* evaluateX(options): AsyncIterable<Finding>` and yields as it
 * goes; figures have public names and go to `--json`, tables and plots only to the terminal and the report.
 */
export type Finding = Figure | Table | Plot;

/** One measured figure. `low` and `high` are its 95 % interval; `met` says whether `target` was reached. */
export interface Figure {
  figure: string;
  value: number;
  unit: string;
  low?: number;
  high?: number;
  /** What was aimed at, as it is printed: "≤ 1.15". */
  target?: string;
  met?: boolean;
  note?: string;
}

/** Rows for a reader, in the columns' order. Texts go left, numbers right. */
export interface Table {
  table: string;
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
  note?: string;
}

/** Lines over one pair of axes, drawn in the report only. */
export interface Plot {
  plot: string;
  x: Axis;
  y: Axis;
  lines: readonly { name: string; points: readonly (readonly [number, number])[]; dashed?: boolean }[];
  note?: string;
}

/** One axis; on a logarithmic one, points at or below 0 are not drawn. */
export interface Axis {
  label: string;
  log?: boolean;
}

/** How long work tells that it is getting on: `done` of `total` and what at. */
export type OnProgress = (done: number, total: number, note?: string) => void;

/** A figure held against its target: `atLeast` or `atMost` one bound. */
export function judged(
  figure: Omit<Figure, "target" | "met">,
  bound: { atLeast: number } | { atMost: number } | { above: number },
): Figure {
  if ("atLeast" in bound) {
    return { ...figure, target: `≥ ${formatTarget(bound.atLeast)}`, met: figure.value >= bound.atLeast };
  }
  if ("above" in bound)
    return { ...figure, target: `> ${formatTarget(bound.above)}`, met: figure.value > bound.above };
  return { ...figure, target: `≤ ${formatTarget(bound.atMost)}`, met: figure.value <= bound.atMost };
}

/** As it was stated: all its digits, thousands apart. */
function formatTarget(bound: number): string {
  return bound.toLocaleString("en", { maximumSignificantDigits: 6 });
}

/** Mean with its 95 % interval by the normal approximation. */
export function meanInterval(values: readonly number[]): { value: number; low: number; high: number } {
  const value = values.reduce((sum, item) => sum + item, 0) / values.length;
  const variance = values.reduce((sum, item) => sum + (item - value) ** 2, 0) / (values.length - 1);
  const half = 1.96 * Math.sqrt(variance / values.length);
  return { value, low: value - half, high: value + half };
}
