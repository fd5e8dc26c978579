import { USUAL_THRESHOLD } from "#core/model.ts";
import { type Description, TYPOLOGIES } from "#core/typologies.ts";
import type { GrowOptions } from "./baselines/grow-forest.ts";
import { Descriptions } from "./descriptions.ts";
import { type DrawWorlds, drawSet } from "./draw-worlds.ts";
import { ENCODED, encodeRow, fitScaler, type Scaler } from "./encode.ts";
import { type Dataset, leaveOut } from "./evaluate/dataset.ts";
import type { Finding } from "./evaluate/figure.ts";
import { evaluateHoldouts } from "./evaluate/holdouts.ts";
import { evaluateLatency } from "./evaluate/latency.ts";
import type { Scorer } from "./evaluate/population.ts";
import { classesOf, fitModel, TREES } from "./fit-model.ts";
import { judgePopulation, modelScorer } from "./judge-population.ts";
import { type LoadedModel, logitsOf } from "./load-model.ts";
import { CLASSES, SIZES, type Sizes } from "./network.ts";
import { VOLUME, type Volume } from "./train.ts";
import { SCHEDULE, type Schedule } from "./train-network.ts";
import { ANY_TIME, SEASON_DAYS, type WorldOptions } from "./worlds.ts";

type Rows = Float32Array;
type Score = (rows: Rows, count: number) => ArrayLike<number>;

/** A rival that learns without labels, and one that learns with them (models/baselines). */
export interface OutlierRival {
  readonly name: string;
  fit(rows: Rows, count: number, width: number): Score;
}
export interface LabelledRival {
  readonly name: string;
  fit(rows: Rows, count: number, width: number, labels: ArrayLike<number>): Score;
}

/** What every evaluation on simulated pools takes. */
export interface EvaluationOptions {
  model: LoadedModel;
  /** Simulates worlds, here or in threads. */
  draw: DrawWorlds;
  outliers?: readonly OutlierRival[];
  classifiers?: readonly LabelledRival[];
  /** Calibrated value from which an account is flagged. */
  threshold?: number;
  seed?: number;
  /** Worlds to judge by, about 4,000 honest account-days each. */
  worlds?: number;
  /** Accounts of each world that is judged by. */
  accounts?: number;
  onProgress?: (done: number, total: number, note?: string) => void;
}

/** How each hold-out is trained: on a quarter of the worlds of a shipped model, since ten of them are. */
export interface HoldoutsTraining {
  typologies: readonly string[];
  volume: Omit<Volume, "judge">;
  sizes: Sizes;
  schedule: Schedule;
  trees: GrowOptions;
}
const TRAINING: HoldoutsTraining = {
  typologies: CLASSES.slice(1, -1),
  volume: { ...VOLUME, learn: 120 },
  sizes: SIZES,
  schedule: { ...SCHEDULE, epochs: 4 },
  trees: { ...TREES, trees: 300 },
};
/** Seeds of worlds that are judged by lie far from those of training (1000 × its seed and on). */
const JUDGING_SEED = 2_000_000_000;
const LEARNING_SEED = 1000;
const ACCOUNTS = 480;
/** Hours between the windows that are judged by: those of an account are much alike. */
const JUDGING_HOURS = 12;

/** Worlds watched for a season: a sixth of the accounts, six times as long. There must be campaigns enough among them. */
const seasonOf = (first: number, accounts: number): { seed: number; world: WorldOptions } => {
  return { seed: first + 700, world: { accounts, campaignPart: 0.25, mix: "usual", days: [SEASON_DAYS] } };
};

/** Simulates worlds and tells how far it is. */
function simulator(options: EvaluationOptions, total: number) {
  let before = 0;
  return async (
    count: number,
    first: { seed: number; world: WorldOptions; stepHours?: number },
    note: string,
  ): Promise<Dataset> => {
    const set = await drawSet(options.draw, count, { stepHours: JUDGING_HOURS, ...first }, (done) =>
      options.onProgress?.(before + done, total, note),
    );
    before += count;
    return set;
  };
}

/** The model against rules and baselines on a usual population, at one campaign in ten thousand accounts. */
export async function* populationFindings(options: EvaluationOptions): AsyncGenerator<Finding> {
  const {
    model,
    outliers = [],
    classifiers = [],
    threshold = USUAL_THRESHOLD,
    seed = 1,
    worlds = 24,
  } = options;
  const { accounts = ACCOUNTS } = options;
  const rivals = outliers.length + classifiers.length > 0;
  const draw = simulator(options, 2 * worlds + (rivals ? VOLUME.learn : 0));
  const baselines: Scorer[] = [];
  if (rivals) {
    // The very worlds of the model's own training with seed 1: rivals learn from as much as it did.
    const world: WorldOptions = { accounts: VOLUME.accounts, campaignPart: 0.35, days: ANY_TIME };
    const learning = await draw(
      VOLUME.learn,
      { seed: LEARNING_SEED, world, stepHours: 24 },
      "worlds to learn from",
    );
    baselines.push(...fitRivals(learning, outliers, classifiers));
  }
  const first = JUDGING_SEED + 1000 * seed;
  const by = { model, baselines, threshold, stepHours: JUDGING_HOURS };
  const set = await draw(
    worlds,
    { seed: first, world: { accounts, campaignPart: 0.06, mix: "usual" } },
    "worlds to judge by",
  );
  yield* judgePopulation("population", { ...by, set });
  const season = await draw(worlds, seasonOf(first, accounts), "worlds watched for a season");
  for await (const finding of judgePopulation("season", { ...by, set: season }))
    yield entitled(finding, `, on pools watched for ${SEASON_DAYS} days`);
}

/** A finding whose title, where it has one, says more. */
function entitled(finding: Finding, more: string): Finding {
  if ("table" in finding) return { ...finding, table: finding.table + more };
  return "plot" in finding ? { ...finding, plot: finding.plot + more } : finding;
}

/** Rivals see what the network sees: standard scores with 0 for missing, and which are present. */
function fitRivals(
  learning: Dataset,
  outliers: readonly OutlierRival[],
  classifiers: readonly LabelledRival[],
): Scorer[] {
  const scaler = fitScaler(learning.rows, learning.count);
  const encoded = encodeAll(scaler, learning.rows, learning.count);
  const labels = classesOf(learning).map((one) => (one === 0 ? 0 : 1));
  const honest = pickRows(encoded, labels, 0);
  const wrap = (name: string, score: Score): Scorer => ({
    name,
    score: (rows, count) => score(encodeAll(scaler, rows, count), count),
  });
  return [
    ...outliers.map((one) => wrap(one.name, one.fit(honest, honest.length / ENCODED, ENCODED))),
    ...classifiers.map((one) => wrap(one.name, one.fit(encoded, learning.count, ENCODED, labels))),
  ];
}

function encodeAll(scaler: Scaler, rows: Float32Array, count: number): Float32Array {
  const encoded = new Float32Array(count * ENCODED);
  for (let row = 0; row < count; row += 1) encodeRow(scaler, rows, row, encoded, row);
  return encoded;
}

function pickRows(encoded: Float32Array, labels: ArrayLike<number>, label: number): Float32Array {
  const kept: number[] = [];
  for (let row = 0; row < labels.length; row += 1) if (labels[row] === label) kept.push(row);
  const picked = new Float32Array(kept.length * ENCODED);
  for (const [at, row] of kept.entries())
    picked.set(encoded.subarray(row * ENCODED, (row + 1) * ENCODED), at * ENCODED);
  return picked;
}

const SHIFTS: readonly { name: string; world: Partial<WorldOptions> }[] = [
  { name: "share rate of a real pool", world: { shift: "share-rate" } },
  { name: "pools in other continents", world: { shift: "geography" } },
  { name: "scrypt and Etchash only", world: { shift: "hardware" } },
  { name: "poor logs", world: { shift: "logs" } },
  {
    name: "the hard honest set",
    world: {
      mix: "hard",
      benign: [
        "vpn-hobbyist",
        "hosting-farm",
        "rental-customer",
        "border-miner",
        "migrating-farm",
        "failover-fleet",
        "hidden-resident",
        "developer-fee",
        "volunteer-wallet",
        "cloud-miner",
      ],
    },
  },
];

/** Typologies left out in turn, and worlds that are not as in training. */
export async function* holdoutsFindings(
  options: EvaluationOptions & { training?: HoldoutsTraining },
): AsyncGenerator<Finding> {
  const { model, threshold = USUAL_THRESHOLD, seed = 1, worlds = 24, accounts = ACCOUNTS } = options;
  const { typologies, volume, sizes, schedule, trees } = options.training ?? TRAINING;
  const draw = simulator(options, volume.learn + volume.fit + worlds * (3 + SHIFTS.length));
  const learning = await draw(
    volume.learn,
    {
      seed: LEARNING_SEED,
      world: { accounts: volume.accounts, campaignPart: 0.35, days: ANY_TIME },
      stepHours: 24,
    },
    "worlds to learn from",
  );
  // Those that the model of seed 1 was fused on: a description needs as many honest accounts to be ranked among.
  const fitting = await draw(
    volume.fit,
    {
      seed: LEARNING_SEED + VOLUME.learn,
      world: { accounts: 2 * volume.accounts, campaignPart: 0.08, mix: "usual", days: ANY_TIME },
    },
    "worlds to fuse on",
  );
  const first = JUDGING_SEED + 1000 * seed;
  const set = await draw(
    worlds,
    { seed: first + 500, world: { accounts, campaignPart: 0.15, mix: "usual" } },
    "worlds to judge by",
  );
  // Those that the population is judged by over a season.
  const longer = await draw(2 * worlds, seasonOf(first, accounts), "worlds watched for a season");
  yield* evaluateHoldouts({
    set,
    longer: { set: longer, days: SEASON_DAYS },
    typologies,
    model: modelScorer(model),
    threshold,
    async trainWithout(typology) {
      const without = (all: Dataset): Dataset =>
        leaveOut(all, (owner) => all.truth[owner]?.typology === typology);
      const fitted = await fitModel(without(learning), async () => without(fitting), {
        seed,
        sizes,
        schedule,
        trees,
      });
      fitted.network.dispose();
      options.onProgress?.(1, 1, `trained without ${typology}`);
      const { oracle, honest } = fitted;
      const logits = logitsOf(oracle, honest);
      // What the model itself says of the pools is the same beside every description.
      const said = new Map<Rows, Float64Array>();
      const own = (rows: Rows, count: number): Float64Array => {
        const values =
          said.get(rows) ?? Float64Array.from({ length: count }, (_, row) => oracle.score(rows, row).value);
        said.set(rows, values);
        return values;
      };
      const scorer = (described: readonly Description[]): Scorer => {
        const descriptions = new Descriptions(described, honest, logits);
        const score = (rows: Rows, count: number) =>
          own(rows, count).map((value, row) => descriptions.raise(rows, row, value).value);
        return { name: typology, score };
      };
      return {
        learned: scorer([]),
        described: scorer(TYPOLOGIES.filter(({ name }) => name === typology)),
      };
    },
    async *shifted() {
      for (const [index, { name, world }] of SHIFTS.entries()) {
        const honest: WorldOptions = { accounts, mix: "usual", campaignPart: 0, ...world };
        yield {
          name,
          set: await draw(worlds, { seed: first + 500 + 100 * (index + 1), world: honest }, name),
        };
      }
    },
  });
}

/** What the two round trips alone show of a hidden leg. */
export async function* latencyFindings(options: EvaluationOptions): AsyncGenerator<Finding> {
  const { seed = 1, worlds = 8, accounts = 300 } = options;
  const draw = simulator(options, worlds);
  const world: WorldOptions = { accounts, campaignPart: 0.4, typologies: ["relay", "outage-synchrony"] };
  const set = await draw(worlds, { seed: JUDGING_SEED + 1000 * seed + 900, world }, "worlds");
  yield* evaluateLatency({ set });
}
