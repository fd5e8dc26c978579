import { FOCUS_CELLS, focusStatistic, resetFocus, thresholdFor, updateFocus } from "#core/focus.ts";
import { exponential, randomFrom } from "#core/random.ts";
import { type Finding, judged, meanInterval, type OnProgress } from "./figure.ts";
import { formatNumber } from "./format-number.ts";
import { cusum, ewma, focus, type RateDetector, shareWindow } from "./rate-detectors.ts";
import { calibrateThreshold, detectionDelay, falseAlarmRunLength } from "./run-length.ts";

/** What `assay evaluate change` can be told. */
export interface ChangeOptions {
  seed?: number;
  /** Simulated changes a rate and detector. */
  runs?: number;
  /** Mean shares between false alarms that every detector is set to. */
  gammaShares?: number;
  /** Shares of each of the five runs that measure the speed. */
  speedShares?: number;
  /** Also simulate the table of thresholds in core/focus.ts again (some minutes). */
  thresholds?: boolean;
  onProgress?: OnProgress;
}

const RATIOS = [0, 0.5, 0.8, 1.25, 2];
/** Streams of random numbers under one seed: every ρ has its place in RATIOS, these are apart from them. */
const CALIBRATION_STREAM = 1_000;
const GAMMA_STREAM = 2_000;
const SPEED_STREAM = 3_000;
const TABLE_STREAM = 4_000;
const TABLE_RUNS: readonly (readonly [threshold: number, runs: number])[] = [
  [2, 40_000],
  [4, 20_000],
  [6, 20_000],
  [8, 10_000],
  [10, 6_000],
  [12, 2_000],
  [14, 400],
  [16, 60],
];

/** Lorden's first-order bound on the mean delay, in shares expected under the baseline: ln γ / (ρ·ln ρ − ρ + 1). */
export function lordenBound(ratio: number, gammaShares: number): number {
  const information = ratio === 0 ? 1 : ratio * Math.log(ratio) - ratio + 1;
  return Math.log(gammaShares) / information;
}

/**
 * `assay evaluate change`: mean delay to an alarm over Lorden's bound, for changes of a Poisson rate after 1,000 shares
 * without one, beside the usual practices at the same mean time between false alarms; and how fast the detector is.
 */
export async function* evaluateChange(options: ChangeOptions = {}): AsyncGenerator<Finding> {
  const {
    seed = 1,
    runs = 1_000,
    gammaShares = 1e5,
    speedShares = 1e6,
    onProgress = () => undefined,
  } = options;
  const peers = [shareWindow(60), ewma(0.05), cusum(0.5, 2)];
  const steps = peers.length + 1 + (peers.length + 1) * RATIOS.length;
  let done = 0;
  const step = (note: string) => {
    done += 1;
    onProgress(done, steps, note);
  };

  const thresholds = new Map<RateDetector, number>([[focus(), thresholdFor(gammaShares)]]);
  for (const peer of peers) {
    thresholds.set(peer, calibrateThreshold(peer, gammaShares, 200, randomFrom(seed, CALIBRATION_STREAM)));
    step(`threshold of ${peer.name}`);
  }
  const length = falseAlarmRunLength(focus(), thresholdFor(gammaShares), 200, randomFrom(seed, GAMMA_STREAM));
  step("time between false alarms");

  const delays = new Map<string, number[]>();
  let worst = { value: 0, low: 0, high: 0, ratio: 0 };
  const rows: (string | number)[][] = [];
  for (const [detector, threshold] of thresholds) {
    const means: number[] = [];
    const intervals: string[] = [];
    for (const [stream, ratio] of RATIOS.entries()) {
      const bound = lordenBound(ratio, gammaShares);
      const limit = 10 * bound;
      const random = randomFrom(seed, stream);
      const found = Array.from({ length: runs }, () =>
        detectionDelay(detector, { ratio, threshold, warmUpShares: 1_000, tick: 0.25, limit }, random),
      );
      const cut = found.filter((delay) => delay >= limit).length;
      const mean = meanInterval(found);
      means.push(mean.value);
      intervals.push(
        `${cut > 0 ? "≥ " : ""}${formatNumber(mean.value)} ± ${formatNumber(mean.high - mean.value)}`,
      );
      if (detector.name === "FOCuS" && mean.value / bound > worst.value) {
        worst = { value: mean.value / bound, low: mean.low / bound, high: mean.high / bound, ratio };
      }
      step(`${detector.name}, ρ = ${ratio}`);
    }
    delays.set(detector.name, means);
    rows.push([detector.name, ...intervals]);
  }
  const bounds = RATIOS.map((ratio) => lordenBound(ratio, gammaShares));
  yield {
    table: `Mean delay ± 95 %, in expected shares, at ${formatNumber(gammaShares)} shares between false alarms`,
    columns: ["detector", ...RATIOS.map((ratio) => `ρ = ${ratio}`)],
    rows: [["Lorden's bound", ...bounds.map((bound) => bound.toPrecision(3))], ...rows],
    note: "≥: some runs were cut off at 10 times the bound. The bound is of first order: a little below it is possible.",
  };
  yield {
    plot: "Delay over Lorden's bound",
    x: { label: "rate after the change ÷ rate before (ρ)" },
    y: { label: "mean delay ÷ bound", log: true },
    lines: [...delays].map(([name, means]) => ({
      name,
      points: means.map(
        (mean, index) => [RATIOS[index] as number, mean / (bounds[index] as number)] as const,
      ),
    })),
  };
  yield judged(
    {
      figure: "change.delay_over_bound",
      value: worst.value,
      unit: "× bound",
      low: worst.low,
      high: worst.high,
      note: `the highest, at ρ = ${worst.ratio}`,
    },
    { atMost: 1.15 },
  );
  const half = 1.96 * length.standardError;
  yield {
    figure: "change.false_alarm_shares",
    value: length.mean,
    unit: "shares",
    low: length.mean - half,
    high: length.mean + half,
    target: `${formatNumber(gammaShares)} in the interval`,
    met: Math.abs(length.mean - gammaShares) <= half,
    note: "mean time between false alarms at the detector's threshold",
  };
  yield judged(
    {
      figure: "change.shares_per_cpu_second",
      value: sharesPerCpuSecond(seed, speedShares),
      unit: "shares/CPU-s",
    },
    { atLeast: 2e6 },
  );
  if (options.thresholds) yield* thresholdTable(seed, onProgress);
}

/** Median of five runs over `shares` shares, the statistic read after each: the gaps are drawn beforehand. */
function sharesPerCpuSecond(seed: number, shares: number): number {
  const random = randomFrom(seed, SPEED_STREAM);
  const gaps = Float64Array.from({ length: shares }, () => exponential(random));
  const cells = new Float64Array(FOCUS_CELLS);
  const speeds: number[] = [];
  let highest = 0;
  for (let run = 0; run < 5; run += 1) {
    resetFocus(cells, 0);
    const before = process.cpuUsage();
    for (let index = 0; index < gaps.length; index += 1) {
      updateFocus(cells, 0, 1, gaps[index]!);
      highest = Math.max(highest, focusStatistic(cells, 0));
    }
    const { user, system } = process.cpuUsage(before);
    speeds.push(gaps.length / ((user + system) / 1e6));
  }
  if (!(highest > 0)) throw new Error("change: the detector read nothing from its shares");
  return speeds.sort((a, b) => a - b)[2]!;
}

/** The table of core/focus.ts, simulated again. */
function* thresholdTable(seed: number, onProgress: OnProgress): Generator<Finding> {
  const rows: [number, number, number, number][] = [];
  for (const [threshold, runs] of TABLE_RUNS) {
    const random = randomFrom(seed, TABLE_STREAM + threshold);
    const { mean, standardError } = falseAlarmRunLength(focus(), threshold, runs, random);
    rows.push([threshold, mean, standardError, runs]);
    onProgress(rows.length, TABLE_RUNS.length, `threshold ${threshold}`);
  }
  yield {
    table: "Thresholds of FOCuS",
    columns: ["threshold", "shares between false alarms", "standard error", "runs"],
    rows,
  };
}
