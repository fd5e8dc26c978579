import { FEATURES } from "#core/features.ts";
import type { Contribution, Model, Scores } from "#core/model.ts";
import { type Description, SCORED_TYPOLOGIES } from "#core/typologies.ts";
import { createForestBatch } from "./baselines/forest-batch.ts";
import { findCounterfactual } from "./counterfactual.ts";
import { Descriptions } from "./descriptions.ts";
import { ENCODED, encodeRisk, encodeRow, RISK_FEATURES, type Scaler } from "./encode.ts";
import { explain } from "./explain.ts";
import {
  campaignLogit,
  eitherLogit,
  type Fusion,
  fuse,
  hoursLogit,
  rebuildingError,
  sigmoid,
  unseenPart,
  writeTypologyParts,
} from "./fusion.ts";
import { readModelFiles, weightsOf } from "./model-files.ts";
import { CLASSES, runNetwork } from "./network.ts";
import { Oracle } from "./oracle.ts";
import type { Reference } from "./reference.ts";
import type { Honest } from "./signs.ts";
import { type Backend, useBackend } from "./tensor-flow.ts";

/** A score could not be computed. Never answered by a default number: 0 would mean clean. */
export class ScoringFailed extends Error {
  override name = "ScoringFailed";
}

/** A model with what it was calibrated on: conformal p-values and drift are ranked against `reference`. */
export interface LoadedModel extends Model {
  readonly reference: Reference;
  /** Typologies it looks for beside those it has learned, and those of their signs that say nothing here. */
  readonly described: readonly Description[];
  readonly silentSigns: Descriptions["silent"];
}

/** Rows given to a backend at a time; larger batches gain nothing and hold more memory. */
const BATCH = 4096;
/** Up to so many rows plain JavaScript is faster than a backend. */
const FEW = 16;

/**
 * Loads a model's directory. Rejects with ModelRefused where a file does not match the manifest or the manifest not
 * this build. `auto` takes @tensorflow/tfjs-node where it loads, else wasm; "oracle" scores in plain JavaScript.
 * `described` are typologies to look for beside the learned ones, by their signs.
 */
export async function loadModel(
  directory: string,
  options: { backend?: Backend | "auto" | "oracle"; described?: readonly Description[] } = {},
): Promise<LoadedModel> {
  const { backend = "auto", described = [] } = options;
  await useBackend(backend === "oracle" ? "wasm" : backend);
  const files = await readModelFiles(directory);
  const { manifest, network, scaler, fusion, reference, honest } = files;
  const oracle = new Oracle(weightsOf(network), files);
  const trees = createForestBatch(files.forest);
  const hours = createForestBatch(files.hours);
  const width = FEATURES.length;
  const descriptions =
    described.length > 0 ? new Descriptions(described, honest, logitsOf(oracle, honest)) : undefined;
  /** As `score` answers: 32 bits. */
  const scoreRow = (row: Float32Array): number => {
    const value = Math.fround(oracle.score(row, 0).value);
    return descriptions?.raise(row, 0, value).value ?? value;
  };

  return {
    name: manifest.name,
    version: manifest.version,
    typologies: [...SCORED_TYPOLOGIES, ...described.map(({ name }) => name)],
    reference,
    described,
    silentSigns: descriptions?.silent ?? [],
    async score(rows, count) {
      refuseInfinite(rows, count * width);
      const scores: Scores = {
        value: new Float32Array(count),
        typologies: new Float32Array(count * SCORED_TYPOLOGIES.length),
        novelty: new Float32Array(count),
      };
      if (backend === "oracle" || count <= FEW) scoreByOracle(oracle, rows, count, scores);
      else {
        const { logits, asked } = trees(rows, count, width);
        const byHours = hours(rows, count, width).logits;
        for (let row = 0; row < count; row += 1) byHours[row] = hoursLogit(fusion, byHours[row] as number);
        writeLeft(fusion, { logits, byHours }, scores);
        for (let from = 0; from < asked.length; from += BATCH) {
          const chosen = asked.subarray(from, from + BATCH);
          const encoded = new Float32Array(chosen.length * ENCODED);
          const risky = new Float32Array(chosen.length * RISK_FEATURES.length);
          for (const [at, row] of chosen.entries()) {
            encodeRow(scaler, rows, row, encoded, at);
            encodeRisk(rows, row, risky, at);
          }
          const outputs = await runNetwork(network, encoded, risky, chosen.length);
          writeScores(fusion, { chosen, logits, byHours, encoded, ...outputs }, scores);
        }
      }
      refuseNaN(scores);
      return descriptions?.widen(scores, rows, count) ?? scores;
    },
    async explain(row): Promise<Contribution[]> {
      refuseInfinite(row, width);
      const contributions = explain(oracle, scaler, row);
      const own = Math.fround(oracle.score(row, 0).value);
      return descriptions?.explain(row, own, contributions) ?? contributions;
    },
    async counterfactual(row, threshold, contributions) {
      refuseInfinite(row, width);
      return findCounterfactual(row, {
        threshold,
        score: scoreRow,
        contributions,
        average: scaler.mean,
      });
    },
    async close() {
      network.dispose();
    },
  };
}

function scoreByOracle(oracle: Oracle, rows: Float32Array, count: number, scores: Scores): void {
  for (let row = 0; row < count; row += 1) {
    const { value, typologies, novelty } = oracle.score(rows, row);
    scores.value[row] = value;
    scores.typologies.set(typologies, row * SCORED_TYPOLOGIES.length);
    scores.novelty[row] = novelty;
  }
}

/** What the model says of honest accounts. */
export function logitsOf(oracle: Oracle, { rows, count }: Honest): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => oracle.score(rows, row).logit);
}

/** Encodes rows for the network. */
export function encodeAll(
  scaler: Scaler,
  rows: Float32Array,
  count: number,
  encoded: Float32Array,
  risky: Float32Array,
): void {
  for (let row = 0; row < count; row += 1) {
    encodeRow(scaler, rows, row, encoded, row);
    encodeRisk(rows, row, risky, row);
  }
}

/** What trees say of every row: those of the model, and, as a logit at the base rate, those that see the hours alone. */
interface TreeLogits {
  logits: Float64Array;
  byHours: Float64Array;
}

/** Scores every row as one that the trees left early, which nine in ten are: hot path, the others are written over. */
function writeLeft(fusion: Fusion, { logits, byHours }: TreeLogits, scores: Scores): void {
  const { typologies: parts, novelty } = fusion.left;
  const rest = fuse(fusion, { ...fusion.left, forest: 0 });
  scores.novelty.fill(novelty);
  for (let row = 0; row < logits.length; row += 1) {
    const known = writeValue(rest + fusion.forest * (logits[row] as number), byHours, row, scores);
    const into = row * SCORED_TYPOLOGIES.length;
    for (let index = 0; index < parts.length; index += 1)
      scores.typologies[into + index] = known * (parts[index] as number);
  }
}

/** Writes a row's value and the part of it that the hours alone have; answers the part of the learned typologies. */
function writeValue(
  known: number,
  byHours: Float64Array,
  row: number,
  { value, typologies }: Scores,
): number {
  const hours = byHours[row] as number;
  const own = sigmoid(eitherLogit(known, hours));
  const unseen = own * unseenPart(known, hours);
  value[row] = own;
  typologies[(row + 1) * SCORED_TYPOLOGIES.length - 1] = unseen;
  return own - unseen;
}

function writeScores(
  fusion: Fusion,
  batch: { chosen: Uint32Array } & TreeLogits &
    Record<"encoded" | "features" | "typologies" | "risk", Float32Array>,
  scores: Scores,
): void {
  for (const [at, row] of batch.chosen.entries()) {
    const first = at * CLASSES.length;
    const error = rebuildingError(batch.encoded, at * ENCODED, batch.features, at * FEATURES.length);
    const novelty = error / fusion.noveltyUnit;
    const campaign = campaignLogit(batch.typologies, first);
    const risk = batch.risk[at] as number;
    const fused = fuse(fusion, { campaign, risk, novelty, forest: batch.logits[row] as number });
    const known = writeValue(fused, batch.byHours, row, scores);
    scores.novelty[row] = novelty;
    const into = row * SCORED_TYPOLOGIES.length;
    writeTypologyParts(batch.typologies, first, campaign, known, scores.typologies, into);
  }
}

/** NaN is a missing feature; an infinite one is a mistake upstream. */
function refuseInfinite(rows: Float32Array, length: number): void {
  if (rows.length < length)
    throw new ScoringFailed(`score: ${length} values were announced, ${rows.length} given`);
  for (let index = 0; index < length; index += 1) {
    const value = rows[index] as number;
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      const feature = FEATURES[index % FEATURES.length]?.name;
      throw new ScoringFailed(
        `score: row ${Math.floor(index / FEATURES.length)} has an infinite "${feature}"`,
      );
    }
  }
}

function refuseNaN({ value, typologies, novelty }: Scores): void {
  if (value.some(Number.isNaN) || typologies.some(Number.isNaN) || novelty.some(Number.isNaN))
    throw new ScoringFailed("score: the network answered NaN");
}
