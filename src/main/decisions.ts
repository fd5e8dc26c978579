import type { Flag, Verdict } from "#core/flag.ts";
import type { MetricDelta } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Window } from "#core/window.ts";
import type { LoadedModel } from "../../models/load-model.ts";
import { drift } from "../../models/reference.ts";

/** Below this many accounts an index of stability is noise. */
const LEAST_FOR_DRIFT = 200;

/** Measures what was decided, by event time: scores, the drift of what they were made from, flags and verdicts. */
export interface Decisions {
  scored(window: Window, values: Float32Array): void;
  flagged(flag: Flag): void;
  /** A verdict on a flag, and how long it took. */
  decided(flag: Flag, verdict: Verdict): void;
  /** What the `score`, `drift` and `flag` measurements gained since the last call. */
  takeDeltas(): MetricDelta[];
}

export function createDecisions({ name, reference }: Pick<LoadedModel, "name" | "reference">): Decisions {
  const book = new MetricsBook();
  const flagBucket = ({ pool, kind, severity }: Flag, atMs: number) =>
    book.bucket("flag", [pool, kind, severity], atMs);
  return {
    scored({ pool, atMs, rows, accounts }, scores) {
      const { values } = book.bucket("score", [pool], atMs);
      values[0] = (values[0] ?? 0) + scores.length;
      values[1] = (values[1] ?? 0) + scores.reduce((sum, score) => sum + score, 0);
      values[2] = scores.reduce((most, score) => Math.max(most, score), 0);
      if (accounts.length < LEAST_FOR_DRIFT) return;
      const features = drift(reference, rows, accounts.length);
      book.bucket("drift", [name], atMs).values[0] = features.reduce(
        (most, { psi }) => Math.max(most, psi),
        0,
      );
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
