import type { Flag, Verdict } from "#core/flag.ts";

/** A flag that somebody answered, with its last verdict. */
export interface Answered {
  pool: string;
  account: string;
  kind: Flag["kind"];
  score: number;
  /** Names, the most probable first. */
  typologies: readonly string[];
  model: Flag["model"];
  outcome: Verdict["outcome"];
  openedMs: number;
  answeredMs: number;
}

/** How often flags were worth the look. `low` and `high` are the 95 % interval of Clopper and Pearson (1934). */
export interface Precision {
  answered: number;
  confirmed: number;
  useful: number;
  falsePositive: number;
  /** Part that was confirmed or useful; null where nothing was answered. */
  precision: number | null;
  low: number;
  high: number;
  /** Mean score: the part that calibrated scores promise; null where nothing was answered. */
  expected: number | null;
}

/** Precision of one part of the answered flags. */
export interface PrecisionPart extends Precision {
  name: string;
}

/** What verdicts say of the model. Screening hits have no likelihood and are counted apart. */
export interface MeasuredPrecision {
  anomalies: Precision;
  screenings: Precision;
  /** Anomalies by score; the name is the band. */
  bands: PrecisionPart[];
  /** Anomalies by their most probable typology, and by the model that raised them. */
  typologies: PrecisionPart[];
  versions: PrecisionPart[];
  /** From opening to the verdict; null where nothing was answered. */
  hoursToVerdict: { median: number; ninetieth: number } | null;
}

/** Edges of the bands: those of severities, and of likelihood in words. */
const EDGES = [0, 0.2, 0.5, 0.65, 0.8, 0.95, 1] as const;
const HOUR_MS = 3_600_000;

/** Measures precision from verdicts: whole, and by score, typology and version. One function for console and evaluation. */
export function measurePrecision(answers: readonly Answered[]): MeasuredPrecision {
  const anomalies = answers.filter(({ kind }) => kind === "anomaly");
  const hours = answers
    .map(({ openedMs, answeredMs }) => Math.max(0, answeredMs - openedMs) / HOUR_MS)
    .sort((left, right) => left - right);
  const at = (part: number) => hours[Math.min(hours.length - 1, Math.floor(part * hours.length))] as number;
  return {
    anomalies: precisionOf(anomalies),
    screenings: precisionOf(answers.filter(({ kind }) => kind === "screening")),
    bands: EDGES.slice(1).flatMap((to, index) => {
      const from = EDGES[index] as number;
      const last = to === 1;
      const inside = anomalies.filter(({ score }) => score >= from && (score < to || last));
      return inside.length > 0 ? [{ name: `${from} to ${to}`, ...precisionOf(inside) }] : [];
    }),
    typologies: partsBy(anomalies, ({ typologies }) => typologies[0] ?? "none"),
    versions: partsBy(anomalies, ({ model }) => `${model.name} ${model.version}`),
    hoursToVerdict: hours.length > 0 ? { median: at(0.5), ninetieth: at(0.9) } : null,
  };
}

function partsBy(answers: readonly Answered[], nameOf: (answer: Answered) => string): PrecisionPart[] {
  const groups = Map.groupBy(answers, nameOf);
  return [...groups]
    .map(([name, inside]) => ({ name, ...precisionOf(inside) }))
    .sort((left, right) => right.answered - left.answered || left.name.localeCompare(right.name, "en"));
}

/** Precision of some answered flags. */
export function precisionOf(answers: readonly Answered[]): Precision {
  const count = (wanted: Verdict["outcome"]) => answers.filter(({ outcome }) => outcome === wanted).length;
  const [confirmed, useful] = [count("confirm"), count("useful")];
  const answered = answers.length;
  return {
    answered,
    confirmed,
    useful,
    falsePositive: count("false-positive"),
    precision: answered > 0 ? (confirmed + useful) / answered : null,
    ...binomialInterval(confirmed + useful, answered),
    expected: answered > 0 ? answers.reduce((sum, { score }) => sum + score, 0) / answered : null,
  };
}

/** 95 % interval of a part of which `hits` of `count` were seen, exact and so never too narrow; 0 to 1 for none. */
export function binomialInterval(hits: number, count: number): { low: number; high: number } {
  if (!(hits >= 0 && hits <= count)) throw new Error(`interval: ${hits} of ${count} cannot be`);
  return {
    low: hits === 0 ? 0 : solve((part) => atLeast(hits, count, part) - 0.025),
    high: hits === count ? 1 : solve((part) => 0.975 - atLeast(hits + 1, count, part)),
  };
}

/** Probability of `hits` or more of `count` at a part strictly between 0 and 1. */
function atLeast(hits: number, count: number, part: number): number {
  let sum = 0;
  let logTerm = count * Math.log1p(-part);
  for (let index = 0; index <= count; index += 1) {
    if (index >= hits) sum += Math.exp(logTerm);
    logTerm += Math.log((count - index) / (index + 1)) + Math.log(part) - Math.log1p(-part);
  }
  return Math.min(1, sum);
}

/** Where a function that changes sign once between 0 and 1 does so. */
function solve(of: (part: number) => number): number {
  let [low, high] = [0, 1];
  const rising = of(1 - 1e-12) > 0;
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (of(middle) > 0 === rising) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
