import { FEATURES } from "#core/features.ts";
import type { Dataset } from "./dataset.ts";
import type { Finding } from "./figure.ts";

/** What is asked of each world's windows, in order of time: the watch of a service, which holds a pool against its own reference. */
export interface Stability {
  take(window: {
    pool: string;
    atMs: number;
    rows: Float32Array;
    values: Float32Array;
    leftOut: (row: number) => boolean;
  }): { reference: { takenMs: number } | null; features: readonly { psi: number | null }[] };
}

const DAY_MS = 86_400_000;

/**
 * How far honest pools move from their own reference day: the largest stability index of any feature, by days since
 * then, over the worlds that are large and long enough to have one. Every world is taken for one pool.
 */
export function stabilityFinding(set: Dataset, values: Float32Array, watch: Stability): Finding | null {
  const byDay = new Map<number, number[]>();
  for (const [name, windows] of windowsOf(set)) {
    for (const [atMs, rows] of windows) {
      const { reference, features } = watch.take({
        pool: name,
        atMs,
        rows: gather(set.rows, rows),
        values: Float32Array.from(rows, (row) => values[row] as number),
        leftOut: (at) => set.truth[set.owner[rows[at] as number] as number]?.campaign !== null,
      });
      if (!reference) continue;
      const day = Math.round((atMs - reference.takenMs) / DAY_MS);
      const worst = features.reduce((most, { psi }) => Math.max(most, psi ?? 0), 0);
      const told = byDay.get(day);
      if (told) told.push(worst);
      else byDay.set(day, [worst]);
    }
  }
  const days = [...byDay.keys()].filter((day) => day > 0).sort((a, b) => a - b);
  if (days.length === 0) return null;
  const at = (part: number): [number, number][] =>
    days.map((day) => {
      const sorted = (byDay.get(day) as number[]).toSorted((a, b) => a - b);
      return [day, sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number];
    });
  const last = days.at(-1) as number;
  const bound = (name: string, value: number) => ({
    name,
    points: [
      [1, value],
      [last, value],
    ] as [number, number][],
    dashed: true,
  });
  return {
    plot: "Drift of honest pools from their own reference day",
    x: { label: "days since" },
    y: { label: "largest stability index" },
    lines: [
      { name: "median pool", points: at(0.5) },
      { name: "nine pools in ten", points: at(0.9) },
      { name: "largest", points: at(1) },
      bound("look at it", 0.1),
      bound("thresholds stop", 0.25),
    ],
  };
}

/** Rows of each world's windows, in order of time. */
function windowsOf(set: Dataset): Map<string, [atMs: number, rows: number[]][]> {
  const worlds = new Map<string, Map<number, number[]>>();
  for (let row = 0; row < set.count; row += 1) {
    const name = `world ${set.worldOf[set.owner[row] as number]}`;
    const windows = worlds.get(name) ?? new Map<number, number[]>();
    worlds.set(name, windows);
    const rows = windows.get(set.atMs[row] as number);
    if (rows) rows.push(row);
    else windows.set(set.atMs[row] as number, [row]);
  }
  return new Map(
    [...worlds].map(([name, windows]) => [name, [...windows].sort(([left], [right]) => left - right)]),
  );
}

function gather(rows: Float32Array, chosen: readonly number[]): Float32Array {
  const width = FEATURES.length;
  const gathered = new Float32Array(chosen.length * width);
  for (const [at, row] of chosen.entries())
    gathered.set(rows.subarray(row * width, (row + 1) * width), at * width);
  return gathered;
}
