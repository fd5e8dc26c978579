import { type SortedHistory, sortedHistory } from "./sorted-history.ts";

/**
 * One detector for any evenly sampled series of numbers: something is strange when nothing like it was seen before.
 * Four views of the series (the value, the step with its neighbour, the mean of the last rows, their spread at this time
 * of day) each give the distance to the nearest earlier view. The rank of that distance among all earlier ones is its
 * p-value; the evidence beyond 1 in 10 adds up. No distribution is assumed and nothing is tuned to a series.
 *
 * Two rules keep it quiet. A burst is told once: after an alarm only a stronger one passes for a while. And an alarm
 * means less the more often one as strong was raised: log10(1 + earlier ones) is taken off, its rank among alarms.
 */
export interface Novelty {
  /** Strangeness of the next row, 0..1, from this row and earlier ones. Throws on a value that is not finite. */
  next(timeMs: number, value: number): number;
}

/** Rows each view is compared with; at five minutes a row, 17 days. */
const HISTORY = 5_000;
/** Distances a view's p-value is ranked among. */
const RANKS = 32_768;
const MEAN_ROWS = 40;
const SPREAD_ROWS = 48;
/** A spread is compared with those of this many days, this many rows around the time of day. */
const DAYS = 14;
const AROUND = 6;
const DAY_MS = 86_400_000;
/** The rows the sampling interval is taken from. */
const INTERVAL_ROWS = 100;
/** Fewer ranks than this are no evidence. */
const LEAST_RANKS = 20;
/** log10 of the p-value from which a view counts. */
const ORDINARY = 1;
/** Rows for which only a stronger alarm passes. */
const BURST_ROWS = 150;

/** A fresh detector for one series. */
export function createNovelty(): Novelty {
  const views: View[] = [valueView(), stepView(), meanView(), spreadView()];
  const ranks = views.map(() => sortedHistory(RANKS));
  const alarm = alarms();
  return {
    next(timeMs, value) {
      if (!Number.isFinite(value)) throw new RangeError(`novelty: a value must be finite, got ${value}`);
      let evidence = 0;
      for (const [index, view] of views.entries()) {
        evidence += Math.max(0, surprise(ranks[index] as SortedHistory, view(timeMs, value)) - ORDINARY);
      }
      const strength = alarm(evidence);
      return strength / (1 + strength);
    },
  };
}

/** −log10 of the share of earlier distances that were at least as large; then the distance is one of them. */
function surprise(ranks: SortedHistory, distance: number): number {
  const { size } = ranks;
  const larger = ranks.countFrom(distance);
  ranks.add(distance);
  return size < LEAST_RANKS ? 0 : Math.log10((size + 1) / (larger + 1));
}

/** Distance of a row, as one view has it, from the nearest earlier one. */
type View = (timeMs: number, value: number) => number;

function valueView(): View {
  const history = sortedHistory(HISTORY);
  return (_, value) => {
    const distance = history.distance(value);
    history.add(value);
    return distance;
  };
}

/** The pair of this row and the last one, by the sum of both differences. */
function stepView(): View {
  const values = new Float64Array(HISTORY);
  let rows = 0;
  return (_, value) => {
    const last = values[(rows - 1 + HISTORY) % HISTORY]!;
    let nearest = Number.POSITIVE_INFINITY;
    // Not the slot after next: its neighbour is about to be overwritten.
    const kept = Math.min(rows, HISTORY - 1);
    for (let back = 1; back < kept; back += 1) {
      const at = (rows - back + HISTORY) % HISTORY;
      const before = at === 0 ? HISTORY - 1 : at - 1;
      const distance = Math.abs(value - values[at]!) + Math.abs(last - values[before]!);
      if (distance < nearest) nearest = distance;
    }
    values[rows % HISTORY] = value;
    rows += 1;
    return nearest === Number.POSITIVE_INFINITY ? 0 : nearest;
  };
}

/** The mean of the last rows, compared with means that share no row with it. */
function meanView(): View {
  const history = sortedHistory(HISTORY);
  const values = new Float64Array(MEAN_ROWS);
  const waiting = new Float64Array(MEAN_ROWS);
  let rows = 0;
  let sum = 0;
  return (_, value) => {
    const slot = rows % MEAN_ROWS;
    if (rows >= MEAN_ROWS) history.add(waiting[slot]!);
    sum += value - values[slot]!;
    values[slot] = value;
    rows += 1;
    const mean = sum / Math.min(rows, MEAN_ROWS);
    waiting[slot] = mean;
    return history.distance(mean);
  };
}

/** The standard deviation of the last rows, compared with those at the same time of the days before. */
function spreadView(): View {
  const values = new Float64Array(SPREAD_ROWS);
  const intervals: number[] = [];
  let spreads = new Float64Array(0);
  let dayRows = 0;
  let rows = 0;
  let lastMs = 0;
  const early: number[] = [];
  return (timeMs, value) => {
    values[rows % SPREAD_ROWS] = value;
    rows += 1;
    const spread = standardDeviation(values, Math.min(rows, SPREAD_ROWS));
    if (rows <= INTERVAL_ROWS) {
      early.push(spread);
      if (rows > 1) intervals.push(timeMs - lastMs);
      lastMs = timeMs;
      if (rows < INTERVAL_ROWS) return 0;
      intervals.sort((a, b) => a - b);
      dayRows = Math.max(1, Math.round(DAY_MS / Math.max(1, intervals[intervals.length >> 1]!)));
      spreads = new Float64Array(dayRows * DAYS + AROUND + 1);
      for (const [row, item] of early.entries()) spreads[row % spreads.length] = item;
      return 0;
    }
    const row = rows - 1;
    spreads[row % spreads.length] = spread;
    let nearest = Number.POSITIVE_INFINITY;
    for (let day = 1; day <= DAYS && row - day * dayRows >= 0; day += 1) {
      for (let offset = -AROUND; offset <= AROUND; offset += 1) {
        const other = row - day * dayRows + offset;
        if (other < 0 || other >= row) continue;
        const distance = Math.abs(spread - spreads[other % spreads.length]!);
        if (distance < nearest) nearest = distance;
      }
    }
    return nearest === Number.POSITIVE_INFINITY ? 0 : nearest;
  };
}

function standardDeviation(values: Float64Array, count: number): number {
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += values[index]!;
  const mean = sum / count;
  let squares = 0;
  for (let index = 0; index < count; index += 1) squares += (values[index]! - mean) ** 2;
  return Math.sqrt(squares / count);
}

/** Lets one alarm of a burst pass, the first or a stronger one, less what earlier alarms as strong have used up. */
function alarms(): (evidence: number) => number {
  const raised = sortedHistory(RANKS);
  let held = 0;
  let quietUntil = 0;
  let row = 0;
  return (evidence) => {
    row += 1;
    if (row > quietUntil) held = 0;
    if (evidence <= held) return 0;
    held = evidence;
    quietUntil = row + BURST_ROWS;
    const earlier = raised.countFrom(evidence);
    raised.add(evidence);
    return Math.max(0, evidence - Math.log10(1 + earlier));
  };
}
