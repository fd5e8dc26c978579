/**
 * The Numenta Anomaly Benchmark's score (Lavin & Ahmad, ICMLA 2015), from its published rules: a window found counts by
 * how early it was found, a window missed costs, and every detection outside counts against, less right after a window.
 * One threshold for all series; 0 is a detector that says nothing, 100 one that finds every window at once.
 */
export interface ScoredSeries {
  name: string;
  /** One a row, 0..1. */
  scores: Float64Array;
  /** First and last row of each labelled window, in order. */
  windows: readonly (readonly [first: number, last: number])[];
}

/** Weights of a profile: a window found, a detection outside, a window missed. */
export interface NabProfile {
  tpWeight: number;
  fpWeight: number;
  fnWeight: number;
}

/** A score and the threshold it was reached at: rows scored at or above it are detections. */
export interface NabResult {
  score: number;
  threshold: number;
  /** Windows found, of `windows`, and detections outside any. */
  found: number;
  windows: number;
  falseRows: number;
}

/** Rows at the start that are not scored: 15 % of a series, 750 at most. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

/** From 1 far before the end of a window, over 0 at its end, to −1 far after it. */
function scaledSigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

const EARLIEST = scaledSigmoid(-1);

/** What every scored row would count if it were a detection, with the window it lies in (−1: none). */
interface Rows {
  score: Float64Array;
  worth: Float64Array;
  window: Int32Array;
  windows: number;
}

function rowsOf(series: readonly ScoredSeries[]): Rows {
  const total = series.reduce((sum, { scores }) => sum + scores.length - probationRows(scores.length), 0);
  const rows = {
    score: new Float64Array(total),
    worth: new Float64Array(total),
    window: new Int32Array(total).fill(-1),
    windows: 0,
  };
  let at = 0;
  for (const { name, scores, windows } of series) {
    let next = 0;
    let previous: readonly [number, number] | undefined;
    for (let row = probationRows(scores.length); row < scores.length; row += 1) {
      const score = scores[row] as number;
      if (Number.isNaN(score)) throw new RangeError(`nab: ${name} has no score in row ${row}`);
      while (next < windows.length && row > windows[next]![1]) {
        previous = windows[next];
        next += 1;
      }
      const current = windows[next];
      rows.score[at] = score;
      if (current && row >= current[0]) {
        const width = current[1] - current[0] + 1;
        rows.worth[at] = scaledSigmoid(-(current[1] - row + 1) / width) / EARLIEST;
        rows.window[at] = rows.windows + next;
      } else {
        const width = previous ? previous[1] - previous[0] : 0;
        rows.worth[at] = previous && width > 0 ? scaledSigmoid((row - previous[1]) / width) : -1;
      }
      at += 1;
    }
    rows.windows += windows.length;
  }
  return rows;
}

/** Score of one series set at every threshold, highest first. */
function* sweep(series: readonly ScoredSeries[], profile: NabProfile): Generator<NabResult> {
  const { score, worth, window, windows } = rowsOf(series);
  const order = Uint32Array.from(score, (_, index) => index).sort((a, b) => score[b]! - score[a]!);
  const best = new Float64Array(windows).fill(-profile.fnWeight);
  const perfect = windows * profile.tpWeight;
  const silent = -windows * profile.fnWeight;
  let raw = silent;
  let found = 0;
  let falseRows = 0;
  const result = (threshold: number): NabResult => ({
    score: (100 * (raw - silent)) / (perfect - silent),
    threshold,
    found,
    windows,
    falseRows,
  });
  let threshold = Number.POSITIVE_INFINITY;
  for (const row of order) {
    if (score[row] !== threshold) {
      yield result(threshold);
      threshold = score[row]!;
    }
    const inside = window[row]!;
    if (inside < 0) {
      raw += worth[row]! * profile.fpWeight;
      falseRows += 1;
      continue;
    }
    const reached = worth[row]! * profile.tpWeight;
    if (best[inside] === -profile.fnWeight) found += 1;
    if (reached > best[inside]!) {
      raw += reached - best[inside]!;
      best[inside] = reached;
    }
  }
  yield result(threshold);
}

/** The best score over all thresholds, as the benchmark publishes it. Throws on a missing score. */
export function bestNabScore(series: readonly ScoredSeries[], profile: NabProfile): NabResult {
  let best: NabResult | undefined;
  for (const result of sweep(series, profile)) if (!best || result.score > best.score) best = result;
  return best as NabResult;
}

/** The score at one threshold, decided beforehand. Throws on a missing score. */
export function nabScoreAt(
  series: readonly ScoredSeries[],
  profile: NabProfile,
  threshold: number,
): NabResult {
  let last: NabResult | undefined;
  for (const result of sweep(series, profile)) {
    if (result.threshold < threshold) break;
    last = result;
  }
  return { ...(last as NabResult), threshold };
}
