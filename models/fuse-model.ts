import { FEATURES } from "#core/features.ts";
import { LEARNED_TYPOLOGIES } from "#core/typologies.ts";
import type { Forest } from "./baselines/forest.ts";
import { createForestBatch } from "./baselines/forest-batch.ts";
import { ENCODED, RISK_FEATURES, type Scaler } from "./encode.ts";
import { concatenate, type Dataset } from "./evaluate/dataset.ts";
import { BASE_RATE, fitFusion, fitSteepness, imposeBaseRate } from "./fit-fusion.ts";
import {
  boundNovelty,
  campaignLogit,
  type Fusion,
  type Left,
  rebuildingError,
  writeTypologyParts,
} from "./fusion.ts";
import { encodeAll } from "./load-model.ts";
import { weightsOf } from "./model-files.ts";
import { CLASSES, runNetwork } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { makeReference, type Reference } from "./reference.ts";
import type { Honest } from "./signs.ts";
import { accountWeights } from "./weights.ts";

/** What was trained. */
export interface Parts {
  network: Parameters<typeof runNetwork>[0];
  forest: Forest;
  /** Trees that see nothing but when people act. */
  hours: Forest;
  scaler: Scaler;
}

/** What makes one value of the parts' answers. */
export interface Fused {
  fusion: Fusion;
  oracle: Oracle;
  /** Honest accounts of the worlds it was fused on: their ranks, and some of them. */
  reference: Reference;
  honest: Honest;
}

/** Fuses a network and trees on worlds that none of them has seen, and on recorded pools beside. */
export async function fuseModel(
  { network, forest, hours, scaler }: Parts,
  simulated: Dataset,
  recorded?: Dataset,
): Promise<Fused> {
  const fitting = recorded ? concatenate([simulated, recorded]) : simulated;
  const { logits, asked } = createForestBatch(forest)(fitting.rows, fitting.count, FEATURES.length);
  const byHours = createForestBatch(hours)(fitting.rows, fitting.count, FEATURES.length).logits;
  const positive = Uint8Array.from(fitting.owner, (owner) => (fitting.truth[owner]?.campaign ? 1 : 0));
  const weight = accountWeights(simulated, recorded);
  const heads = await runHeads(network, scaler, fitting);
  const noveltyUnit = median(heads.error.filter((_, row) => positive[row] === 0));
  const novelty = heads.error.map((error) => Math.log(boundNovelty(error / noveltyUnit)));
  const told = new Uint8Array(fitting.count);
  for (const row of asked) told[row] = 1;
  const left = averageLeft({ ...heads, novelty }, told, imposeBaseRate({ positive, weight }, BASE_RATE));
  // In use the network is not asked about what the trees leave: the fusion learns from what it will be given.
  const given = (head: Float64Array, instead: number) =>
    head.map((own, row) => (told[row] === 1 ? own : instead));
  const fusion: Fusion = {
    ...fitFusion(
      {
        campaign: given(heads.campaign, left.campaign),
        risk: given(heads.risk, left.risk),
        novelty: given(novelty, Math.log(left.novelty)),
        forest: logits,
        positive,
        weight,
        asked: told,
      },
      BASE_RATE,
    ),
    hours: fitSteepness(byHours, { positive, weight }, BASE_RATE),
    noveltyUnit,
    left,
  };
  const oracle = new Oracle(weightsOf(network), { scaler, fusion, forest, hours });
  const honest = Array.from(positive.keys()).filter((row) => positive[row] === 0);
  const rows = new Float32Array(honest.length * FEATURES.length);
  const honestLogits = new Float64Array(honest.length);
  const owner = new Uint32Array(honest.length);
  for (const [at, row] of honest.entries()) {
    const from = row * FEATURES.length;
    rows.set(fitting.rows.subarray(from, from + FEATURES.length), at * FEATURES.length);
    honestLogits[at] = oracle.score(fitting.rows, row).logit;
    owner[at] = fitting.owner[row] as number;
  }
  return {
    fusion,
    oracle,
    reference: makeReference(rows, honest.length, honestLogits, owner),
    honest: pickAccounts(rows, owner),
  };
}

/** Most honest accounts that are kept with a model. */
const MOST_ACCOUNTS = 10_000;

/** The last row of every account, or of as many that lie evenly among them. */
function pickAccounts(rows: Float32Array, owner: Uint32Array): Honest {
  const last = [...new Map(Array.from(owner, (account, row) => [account, row])).values()];
  const every = Math.max(1, last.length / MOST_ACCOUNTS);
  const count = Math.floor(last.length / every);
  const picked = new Float32Array(count * FEATURES.length);
  for (let at = 0; at < count; at += 1) {
    const from = (last[Math.floor(at * every)] as number) * FEATURES.length;
    picked.set(rows.subarray(from, from + FEATURES.length), at * FEATURES.length);
  }
  return { rows: picked, count };
}

/** What the network says of every row: campaign logit, risk, rebuilding error, and a campaign's parts by typology. */
async function runHeads(network: Parameters<typeof runNetwork>[0], scaler: Scaler, set: Dataset) {
  const parts = LEARNED_TYPOLOGIES.length;
  const heads = {
    campaign: new Float64Array(set.count),
    risk: new Float64Array(set.count),
    error: new Float64Array(set.count),
    typologies: new Float32Array(set.count * parts),
  };
  const width = set.rows.length / set.count;
  for (let from = 0; from < set.count; from += 4096) {
    const some = Math.min(4096, set.count - from);
    const encoded = new Float32Array(some * ENCODED);
    const risky = new Float32Array(some * RISK_FEATURES.length);
    encodeAll(scaler, set.rows.subarray(from * width), some, encoded, risky);
    const outputs = await runNetwork(network, encoded, risky, some);
    for (let row = 0; row < some; row += 1) {
      const at = row * CLASSES.length;
      const campaign = campaignLogit(outputs.typologies, at);
      heads.campaign[from + row] = campaign;
      heads.risk[from + row] = outputs.risk[row] as number;
      heads.error[from + row] = rebuildingError(encoded, row * ENCODED, outputs.features, row * width);
      writeTypologyParts(outputs.typologies, at, campaign, 1, heads.typologies, (from + row) * parts);
    }
  }
  return heads;
}

/** The heads' means over the rows that the trees leave, by weight; novelty's by its logarithm. */
function averageLeft(
  heads: { campaign: Float64Array; risk: Float64Array; novelty: Float64Array; typologies: Float32Array },
  asked: Uint8Array,
  weight: Float64Array,
): Left {
  const parts = LEARNED_TYPOLOGIES.length;
  const typologies = new Array<number>(parts).fill(0);
  let [whole, campaign, risk, novelty] = [0, 0, 0, 0];
  for (let row = 0; row < asked.length; row += 1) {
    if (asked[row] === 1) continue;
    const own = weight[row] as number;
    whole += own;
    campaign += own * (heads.campaign[row] as number);
    risk += own * (heads.risk[row] as number);
    novelty += own * (heads.novelty[row] as number);
    for (let part = 0; part < parts; part += 1)
      (typologies[part] as number) += own * (heads.typologies[row * parts + part] as number);
  }
  // Small forests leave nobody; then nothing is ever read here.
  const mean = (sum: number): number => (whole > 0 ? sum / whole : 0);
  return {
    campaign: mean(campaign),
    risk: mean(risk),
    novelty: Math.exp(mean(novelty)),
    typologies: typologies.map(mean),
  };
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  return sorted[Math.floor(sorted.length / 2)] ?? 1;
}
