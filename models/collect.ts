import { Analysis } from "#core/analysis.ts";
import { FEATURES } from "#core/features.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import type { Dataset } from "./evaluate/dataset.ts";
import type { Simulation } from "./simulate/simulate.ts";

/** A pool's day or two tells little: windows before are not learned from. */
const SETTLE_MS = 36 * 3_600_000;

/**
 * Runs a simulation through the analysis and keeps the windows. `every` keeps one window in so many (windows of one
 * account overlap: a week's memory moves by hours). `onProgress` gets the part of simulated time done.
 */
export function collect(
  simulation: Simulation,
  options: {
    lookUpOrigin: LookUpOrigin;
    stepHours: number;
    settleMs?: number;
    onProgress?: (part: number) => void;
  },
): Dataset {
  const { lookUpOrigin, stepHours, settleMs = SETTLE_MS, onProgress } = options;
  const analysis = new Analysis({ lookUpOrigin, stepHours });
  const index = new Map(simulation.truth.map((record, at) => [`${record.pool}\n${record.account}`, at]));
  const width = FEATURES.length;
  const pieces: Float32Array[] = [];
  const atMs: number[] = [];
  const owner: number[] = [];
  const { startMs, endMs } = simulation;
  const drain = (): void => {
    analysis.takeSightings();
    analysis.takeDeltas();
    for (const window of analysis.takeWindows()) {
      if (window.atMs < startMs + settleMs) continue;
      pieces.push(window.rows.subarray(0, window.accounts.length * width));
      for (const { pool, account } of window.accounts) {
        atMs.push(window.atMs);
        owner.push(index.get(`${pool}\n${account}`) ?? -1);
      }
    }
  };
  let lastMs = startMs;
  for (const batch of simulation.observations) {
    analysis.take(batch);
    const nowMs = batch.at(-1)?.atMs ?? lastMs;
    if (nowMs - lastMs < 3_600_000) continue;
    lastMs = nowMs;
    drain();
    onProgress?.((nowMs - startMs) / (endMs - startMs));
  }
  analysis.advance(endMs);
  drain();
  const rows = new Float32Array(owner.length * width);
  let filled = 0;
  for (const piece of pieces) {
    rows.set(piece, filled);
    filled += piece.length;
  }
  return {
    rows,
    count: owner.length,
    atMs: Float64Array.from(atMs),
    owner: Uint32Array.from(owner),
    truth: simulation.truth,
    worldOf: simulation.truth.map(() => 0),
  };
}
