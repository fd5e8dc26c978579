import { type Answered, measurePrecision, type Precision, type PrecisionPart } from "#core/precision.ts";
import type { FlagVolume } from "#core/store.ts";
import type { Finding, Table } from "./figure.ts";

const DAY_MS = 86_400_000;

/** What operators' verdicts say of the flags: measured precision beside the promised one, volume, time to verdict. */
export async function* evaluateVerdicts(options: {
  answers: readonly Answered[];
  volume: readonly FlagVolume[];
}): AsyncGenerator<Finding> {
  const { answers, volume } = options;
  const { anomalies, screenings, bands, typologies, versions, hoursToVerdict } = measurePrecision(answers);
  yield* precisionFigures("verdicts.precision", anomalies);
  if (anomalies.expected !== null) {
    const { expected, low, high } = anomalies;
    yield {
      figure: "verdicts.expected_precision",
      value: expected,
      unit: "mean score of the answered anomalies",
      target: "in the interval of the measured one",
      met: expected >= low && expected <= high,
    };
  }
  yield* precisionFigures("verdicts.screening_precision", screenings);
  yield* volumeFigures(volume);
  if (hoursToVerdict) {
    const { median, ninetieth } = hoursToVerdict;
    yield {
      figure: "verdicts.hours_to_verdict",
      value: median,
      unit: "hours, median",
      note: `nine in ten within ${ninetieth.toFixed(1)} hours`,
    };
  }
  yield precisionTable("Anomalies by score", "score", bands);
  yield precisionTable("Anomalies by typology", "typology", typologies);
  yield precisionTable("Anomalies by model", "model", versions);
  yield {
    plot: "Measured precision against the promised one",
    x: { label: "mean score" },
    y: { label: "part confirmed or useful" },
    lines: [
      { name: "measured", points: points(bands, ({ precision }) => precision) },
      { name: "95 % low", points: points(bands, ({ low }) => low), dashed: true },
      { name: "95 % high", points: points(bands, ({ high }) => high), dashed: true },
      {
        name: "promised",
        points: [
          [0, 0],
          [1, 1],
        ],
        dashed: true,
      },
    ],
    note: "Only what operators answered: what nobody opened is not in it.",
  };
}

function* precisionFigures(
  figure: string,
  { answered, precision, low, high, ...of }: Precision,
): Generator<Finding> {
  if (precision === null) return;
  const note = `${of.confirmed} confirmed, ${of.useful} useful, ${of.falsePositive} false positives`;
  yield { figure, value: precision, unit: `of ${answered} answered`, low, high, note };
}

function* volumeFigures(volume: readonly FlagVolume[]): Generator<Finding> {
  const sum = (all: readonly FlagVolume[]) => all.reduce((total, { flags }) => total + flags, 0);
  const flags = sum(volume);
  if (flags === 0) {
    yield { figure: "verdicts.flags", value: 0, unit: "flags" };
    return;
  }
  const first = Math.min(...volume.map(({ firstMs }) => firstMs));
  const last = Math.max(...volume.map(({ lastMs }) => lastMs));
  const days = Math.max(1, (last - first) / DAY_MS);
  const anomalies = sum(volume.filter(({ kind }) => kind === "anomaly"));
  yield {
    figure: "verdicts.flags",
    value: flags,
    unit: "flags",
    note: `${anomalies} anomalies; ${sum(volume.filter(({ state }) => state !== "closed"))} wait for an answer`,
  };
  yield {
    figure: "verdicts.anomalies_per_day",
    value: anomalies / days,
    unit: "flags a day",
    note: `${new Date(first).toISOString().slice(0, 10)} to ${new Date(last).toISOString().slice(0, 10)}`,
  };
}

const rounded = (value: number | null): number | string =>
  value === null ? "–" : Math.round(value * 1000) / 1000;

function precisionTable(title: string, name: string, parts: readonly PrecisionPart[]): Table {
  return {
    table: title,
    columns: [name, "answered", "confirmed", "useful", "false", "precision", "95 % low", "high", "expected"],
    rows: parts.map((part) => [
      part.name,
      part.answered,
      part.confirmed,
      part.useful,
      part.falsePositive,
      rounded(part.precision),
      rounded(part.low),
      rounded(part.high),
      rounded(part.expected),
    ]),
  };
}

function points(
  bands: readonly PrecisionPart[],
  of: (part: PrecisionPart) => number | null,
): [number, number][] {
  return bands.flatMap((part): [number, number][] => {
    const y = of(part);
    return part.expected === null || y === null ? [] : [[part.expected, y]];
  });
}
