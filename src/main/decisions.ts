import type { Flag, Verdict } from "#core/flag.ts";
import type { MetricDelta } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Window } from "#core/window.ts";
import type { Comparison } from "../../models/shadow.ts";

/** Measures what was decided, by event time: scores, the drift of what they were made from, flags and verdicts. */
export interface Decisions {
  scored(window: Window, values: Float32Array): void;
  /** How far a model's inputs and scores are from what they should be, the worst of all pools; NaN: not measured. */
  drifted(drift: { model: string; atMs: number; psi: number; training: number; conformal: number }): void;
  /** A window that a shadow scored beside the active model. */
  shadowed(shadowed: { model: string; comparison: Comparison }): void;
  flagged(flag: Flag): void;
  /** A verdict on a flag, and how long it took. */
  decided(flag: Flag, verdict: Verdict): void;
  /** What the `score`, `drift`, `shadow` and `flag` measurements gained since the last call. */
  takeDeltas(): MetricDelta[];
}

export function createDecisions(): Decisions {
  const book = new MetricsBook();
  const flagBucket = ({ pool, kind, severity }: Flag, atMs: number) =>
    book.bucket("flag", [pool, kind, severity], atMs);
  return {
    scored({ pool, atMs }, scores) {
      const { values } = book.bucket("score", [pool], atMs);
      values[0] = (values[0] ?? 0) + scores.length;
      values[1] = (values[1] ?? 0) + scores.reduce((sum, score) => sum + score, 0);
      values[2] = scores.reduce((most, score) => Math.max(most, score), 0);
    },
    drifted({ model, atMs, psi, training, conformal }) {
      // A row without a figure in it is none, in every store alike.
      if ([psi, training, conformal].every(Number.isNaN)) return;
      const { values } = book.bucket("drift", [model], atMs);
      values.splice(0, values.length, psi, training, conformal);
    },
    shadowed({ model, comparison }) {
      const { pool, atMs, accounts, both, onlyActive, onlyShadow, rankCorrelation } = comparison;
      const { values } = book.bucket("shadow", [pool, model], atMs);
      for (const [at, gained] of [accounts, both, onlyActive, onlyShadow].entries())
        values[at] = (values[at] ?? 0) + gained;
      values[4] = rankCorrelation ?? Number.NaN;
    },
    flagged(flag) {
      const { values } = flagBucket(flag, Date.parse(flag.openedAt));
      values[0] = (values[0] ?? 0) + 1;
    },
    decided(flag, { outcome, atMs }) {
      const { values } = flagBucket(flag, atMs);
      const column = { confirm: 1, useful: 2, "false-positive": 3 }[outcome];
      values[column] = (values[column] ?? 0) + 1;
      values[4] = (values[4] ?? 0) + Math.max(0, atMs - Date.parse(flag.openedAt));
    },
    takeDeltas: () => book.take(),
  };
}
