import { estimateHiddenLeg } from "./hidden-leg.ts";
import { CONDITIONS, type Condition, drawPath, observe, type Random } from "./simulated-paths.ts";

/** Recall of one method at one hidden leg, and the threshold it takes. */
interface Row {
  method: string;
  /** Round trips of each kind in the hour. */
  samples: number;
  hiddenMs: number;
  /** Part of the relays found when 1 % of the direct miners are taken for relays. */
  recallAt1Percent: number;
  /** Area under the ROC curve. */
  auc: number;
  thresholdMs: number;
}

/** What `assay evaluate latency` prints. */
export interface LatencyEvaluation {
  rows: Row[];
  /** At the threshold in use, an hour of one sample a minute: part of the direct miners called relays, by condition. */
  falsePositives: { condition: Condition; part: number }[];
  /** The same over all conditions, and the part of the relays with 20 ms found. */
  inUse: { falsePositiveRate: number; recall20Ms: number };
  /** Median error of the estimate, ms, and the part of the intervals that hold the truth, by hidden leg. */
  estimates: { hiddenMs: number; medianErrorMs: number; covered: number }[];
}

/** One way to tell relays from direct miners; larger scores mean relay. */
type Score = (tcp: readonly number[], app: readonly number[]) => number;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const METHODS: Readonly<Record<string, Score>> = {
  "minima (in use)": (tcp, app) => estimateHiddenLeg(tcp, app)?.hiddenMs ?? 0,
  medians: (tcp, app) => median(app) - median(tcp),
  means: (tcp, app) => mean(app) - mean(tcp),
  // "Likely" from 20 ms and 50 % on, as an implementation of CalcuLatency (USENIX Security 2024) has it.
  "one pair, if over 50 %": ([tcp = 0], [app = 0]) => (app > tcp * 1.5 ? app - tcp : 0),
};

const HIDDEN_MS = [5, 20, 80, 200];
const HOUR_MS = 3_600_000;
const SAMPLES = [60, 12];

interface Miner {
  condition: Condition;
  tcp: number[];
  app: number[];
}

/**
 * Measures relay detection on simulated paths over an hour: direct miners in equal parts of every condition, and
 * relays in the same conditions with each hidden leg. Deterministic. `onStep` is told how many of how many steps are done.
 */
export function evaluateLatency(options: {
  miners: number;
  random: Random;
  onStep?: (done: number, of: number) => void;
}): LatencyEvaluation {
  const { miners, random, onStep = () => {} } = options;
  const steps = SAMPLES.length * (HIDDEN_MS.length + 1);
  let done = 0;
  const population = (hiddenMs: number, samples: number): Miner[] => {
    const observed = { durationMs: HOUR_MS, everyMs: HOUR_MS / samples };
    const all = Array.from({ length: miners }, (_, index) => {
      const condition = CONDITIONS[index % CONDITIONS.length] as Condition;
      return { condition, ...observe(drawPath(condition, hiddenMs, random), observed, random) };
    });
    done += 1;
    onStep(done, steps);
    return all;
  };
  const hours = SAMPLES.map((samples) => ({
    samples,
    direct: population(0, samples),
    relays: HIDDEN_MS.map((hiddenMs) => ({ hiddenMs, miners: population(hiddenMs, samples) })),
  }));
  const [hour] = hours as [(typeof hours)[number]];
  const groups = [{ hiddenMs: 0, miners: hour.direct }, ...hour.relays];
  return {
    rows: hours.flatMap(rowsOf),
    falsePositives: CONDITIONS.map((condition) => ({
      condition,
      part: likely(hour.direct.filter((miner) => miner.condition === condition)),
    })),
    inUse: {
      falsePositiveRate: likely(hour.direct),
      recall20Ms: likely(hour.relays.find(({ hiddenMs }) => hiddenMs === 20)?.miners ?? []),
    },
    estimates: groups.map(({ hiddenMs, miners: group }) => {
      const legs = group.flatMap(({ tcp, app }) => estimateHiddenLeg(tcp, app) ?? []);
      const covered = legs.filter(({ lowMs, highMs }) => lowMs <= hiddenMs && hiddenMs <= highMs);
      const medianErrorMs = median(legs.map((leg) => leg.hiddenMs - hiddenMs));
      return { hiddenMs, medianErrorMs, covered: covered.length / legs.length };
    }),
  };
}

function rowsOf(hour: {
  samples: number;
  direct: Miner[];
  relays: { hiddenMs: number; miners: Miner[] }[];
}): Row[] {
  return Object.entries(METHODS).flatMap(([method, score]) => {
    const clean = hour.direct.map(({ tcp, app }) => score(tcp, app)).sort((a, b) => a - b);
    const thresholdMs = clean[Math.ceil(clean.length * 0.99) - 1] as number;
    return hour.relays.map(({ hiddenMs, miners }) => {
      const scores = miners.map(({ tcp, app }) => score(tcp, app));
      const recallAt1Percent = scores.filter((value) => value > thresholdMs).length / scores.length;
      const auc = areaUnderCurve(clean, scores);
      return { method, samples: hour.samples, hiddenMs, recallAt1Percent, auc, thresholdMs };
    });
  });
}

/** Part of the miners a hidden leg is reported of. */
function likely(miners: readonly Miner[]): number {
  return miners.filter(({ tcp, app }) => estimateHiddenLeg(tcp, app)?.likely).length / miners.length;
}

/** Part of the pairs of one direct miner and one relay that the score puts in the right order; `clean` ascending. */
function areaUnderCurve(clean: readonly number[], scores: readonly number[]): number {
  let sum = 0;
  for (const score of scores) {
    let low = 0;
    let high = clean.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((clean[middle] as number) < score) low = middle + 1;
      else high = middle;
    }
    sum += low;
  }
  return sum / (clean.length * scores.length);
}
