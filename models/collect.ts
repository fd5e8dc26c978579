import { Analysis } from "#core/analysis.ts";
import { FEATURES } from "#core/features.ts";
import type { Observation } from "#core/observation.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import type { Dataset, Truth } from "./evaluate/dataset.ts";
import type { Simulation } from "./simulate/simulate.ts";

const HOUR_MS = 3_600_000;
/** A pool's day or two tells little: windows before are not learned from. */
export const SETTLE_MS = 36 * HOUR_MS;

export interface LabelledOptions {
  lookUpOrigin: LookUpOrigin;
  /** Hours from window to window. Those of one account overlap: a week's memory moves by hours. */
  stepHours: number;
  /** Windows that end before are left out. */
  fromMs: number;
}

/** Runs observations through the analysis and joins its windows with what is true of their accounts. */
export class LabelledWindows {
  readonly #truth: Truth[];
  readonly #index: Map<string, number>;
  readonly #analysis: Analysis;
  readonly #fromMs: number;
  readonly #pieces: Float32Array[] = [];
  readonly #atMs: number[] = [];
  readonly #owner: number[] = [];
  readonly #unknown = new Set<string>();
  #drainedMs = Number.NEGATIVE_INFINITY;

  constructor(truth: Truth[], { lookUpOrigin, stepHours, fromMs }: LabelledOptions) {
    this.#truth = truth;
    this.#index = new Map(truth.map(({ pool, account }, at) => [keyOf(pool, account), at]));
    this.#analysis = new Analysis({ lookUpOrigin, stepHours });
    this.#fromMs = fromMs;
  }

  /** Observations in order of time. */
  take(batch: readonly Observation[]): void {
    this.#analysis.take(batch);
    const nowMs = batch.at(-1)?.atMs ?? this.#drainedMs;
    if (nowMs - this.#drainedMs < HOUR_MS) return;
    this.#drainedMs = nowMs;
    this.#drain();
  }

  /**
   * Closes the windows until `endMs`; without it, a last one over what came. `unknown`: accounts that nothing true was
   * said of, which are left out.
   */
  finish(endMs?: number): { set: Dataset; unknown: number } {
    if (endMs === undefined) this.#analysis.finish();
    else this.#analysis.advance(endMs);
    this.#drain();
    const rows = new Float32Array(this.#owner.length * FEATURES.length);
    let filled = 0;
    for (const piece of this.#pieces) {
      rows.set(piece, filled);
      filled += piece.length;
    }
    const set = {
      rows,
      count: this.#owner.length,
      atMs: Float64Array.from(this.#atMs),
      owner: Uint32Array.from(this.#owner),
      truth: this.#truth,
      worldOf: this.#truth.map(() => 0),
    };
    return { set, unknown: this.#unknown.size };
  }

  #drain(): void {
    this.#analysis.takeSightings();
    this.#analysis.takeDeltas();
    for (const { atMs, rows, accounts } of this.#analysis.takeWindows()) {
      if (atMs < this.#fromMs) continue;
      for (const [at, { pool, account }] of accounts.entries()) {
        const key = keyOf(pool, account);
        const owner = this.#index.get(key);
        if (owner === undefined) {
          this.#unknown.add(key);
          continue;
        }
        this.#pieces.push(rows.slice(at * FEATURES.length, (at + 1) * FEATURES.length));
        this.#atMs.push(atMs);
        this.#owner.push(owner);
      }
    }
  }
}

const keyOf = (pool: string, account: string): string => `${pool}\n${account}`;

/** Runs a simulation through the analysis and keeps the windows. */
export function collect(
  { observations, truth, startMs, endMs }: Simulation,
  options: Omit<LabelledOptions, "fromMs">,
): Dataset {
  const windows = new LabelledWindows(truth, { ...options, fromMs: startMs + SETTLE_MS });
  for (const batch of observations) windows.take(batch);
  return windows.finish(endMs).set;
}
