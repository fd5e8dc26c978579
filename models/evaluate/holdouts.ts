import type { Dataset } from "./dataset.ts";
import { type CampaignScore, judge, recallAt, thresholdForFlags } from "./detection-metrics.ts";
import { type Finding, judged } from "./figure.ts";
import { bootstrapRecall, poissonUpper } from "./intervals.ts";
import type { Scorer } from "./population.ts";

const ACCOUNTS = 100_000;
const BUDGET = 10;

export interface HoldoutsOptions {
  /** Usual populations with campaigns of every typology: as others are judged by, and watched for longer. */
  set: Dataset;
  longer: { set: Dataset; days: number };
  /** Typologies left out in turn. */
  typologies: readonly string[];
  /**
   * Trains without one typology, from the same rows otherwise; a fresh model each time. By that model alone, and with the
   * typology's description beside it.
   */
  trainWithout(typology: string): Promise<Record<Exclude<How, "shipped">, Scorer>>;
  /** The model as shipped, and honest populations with something moved out of what training saw. */
  model: Scorer;
  shifted(): AsyncIterable<{ name: string; set: Dataset }>;
  /** Calibrated value from which an account is flagged. */
  threshold: number;
}

/** What a typology that was left out is found by; last the model as shipped, which has learned it. */
const HOW = ["learned", "described", "shipped"] as const;
type How = (typeof HOW)[number];
/** Figures of the lowest recall. */
const FIGURES = {
  learned: "holdouts.leave_one_out_recall",
  described: "holdouts.described_recall",
} as const;

/** The campaigns of a typology, and what they are found by. */
interface Found {
  typology: string;
  own: CampaignScore[];
  level: number;
  recall: number;
}

/** Pools that hold-outs are judged on, and what is found there. */
interface Pools {
  set: Dataset;
  suffix: string;
  watched: string;
  found: Record<How, Found[]>;
}

const round = (value: number | undefined) => Math.round((value ?? Number.NaN) * 1000) / 1000;

/** The figures and the table of typologies that were left out. */
function* leftOut({ suffix, watched, found }: Pools): Generator<Finding> {
  const lowest = (how: How) => {
    const least = found[how].reduce((a, b) => (b.recall < a.recall ? b : a));
    const { own, level, recall: value, typology } = least;
    const mean = found[how].reduce((sum, { recall }) => sum + recall, 0) / found[how].length;
    return {
      value,
      unit: "part of campaigns",
      ...bootstrapRecall(own, level),
      note: `lowest: ${typology}; mean over typologies: ${round(mean)}; blatant and middle campaigns at 10 flags a day${watched}`,
    };
  };
  for (const how of ["learned", "described"] as const)
    yield judged({ figure: `${FIGURES[how]}${suffix}`, ...lowest(how) }, { atLeast: 0.4 });
  yield {
    table: `Recall on a typology that training never saw${watched}`,
    columns: ["typology", "campaigns", "by the others alone", "with its description", "once learned"],
    rows: found.learned.map(({ typology, own }, index) => [
      typology,
      own.length,
      ...HOW.map((how) => round(found[how][index]?.recall)),
    ]),
    note: "Blatant and middle care, at 10 flags a day over 100,000 accounts. A description is a typology's signs (docs/typologies.md): nothing of it was learned. Once learned: the model as shipped, on the same worlds.",
  };
}

/** What happens where the world is not as in training: a typology never seen, other hardware, rates, places, logs. */
export async function* evaluateHoldouts(options: HoldoutsOptions): AsyncGenerator<Finding> {
  const { set, longer, typologies, model, threshold } = options;
  const pools: Pools[] = [
    { set, suffix: "", watched: "", found: { learned: [], described: [], shipped: [] } },
    {
      set: longer.set,
      suffix: `_${longer.days}_days`,
      watched: `, on pools watched for ${longer.days} days`,
      found: { learned: [], described: [], shipped: [] },
    },
  ];
  for (const typology of typologies) {
    const scorers = { ...(await options.trainWithout(typology)), shipped: model };
    for (const { set: judging, found } of pools) {
      for (const how of HOW) {
        const result = judge(judging, await scorers[how].score(judging.rows, judging.count));
        const level = thresholdForFlags(result, BUDGET / ACCOUNTS);
        const own = result.campaigns.filter((one) => one.typology === typology && one.care !== "careful");
        found[how].push({ typology, own, level, recall: recallAt(own, level) });
      }
    }
  }
  for (const one of pools) yield* leftOut(one);

  const shiftRows: (string | number)[][] = [];
  let worst = 0;
  let worstName = "";
  let worstUpper = 0;
  for await (const { name, set: moved } of options.shifted()) {
    const { clean } = judge(moved, await model.score(moved.rows, moved.count));
    const flags = clean.filter((value) => value >= threshold).length;
    const upper = poissonUpper(flags) / clean.length;
    shiftRows.push([name, clean.length, flags, flags / clean.length, upper]);
    if (
      flags / clean.length < worst ||
      (worstName !== "" && flags / clean.length === worst && upper <= worstUpper)
    )
      continue;
    worst = flags / clean.length;
    worstName = name;
    worstUpper = upper;
  }
  yield judged(
    {
      figure: "holdouts.shifted_fpr",
      value: worst,
      unit: "per account-day",
      low: 0,
      high: worstUpper,
      note: `highest: ${worstName}`,
    },
    { atMost: 3e-5 },
  );
  yield {
    table: "False flags where something is moved out of what training saw",
    columns: ["moved", "honest account-days", "flags", "rate", "95 % upper bound"],
    rows: shiftRows,
    note: `Flagged from a value of ${threshold}, before the two-family policy.`,
  };
}
