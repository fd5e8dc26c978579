/**
 * The score from which an account is flagged unless an operator says otherwise: where the shipped model finds a third of
 * the campaigns that are simulated in a pool's first month, half of a season's, and no honest account (models/README.md).
 */
export const USUAL_THRESHOLD = 0.8;

/**
 * What a model says of a batch of feature vectors, row by row. Of a row that it finds nothing in from the first (its value is
 * next to nothing) `typologies` divides the value, and `novelty` stands, as for such rows on average: they were not asked.
 */
export interface Scores {
  /** Calibrated likelihood that the account belongs to some campaign, 0..1. */
  value: Float32Array;
  /** Probability of each typology, and of a described one what it adds to the value; row-major: rows × `typologies.length`. */
  typologies: Float32Array;
  /** Reconstruction error of the auto-encoder, in units of its calibration median. */
  novelty: Float32Array;
}

/**
 * How much one feature moved one score; contributions add up to the score's logit minus the baseline's. `sign`: the feature
 * is one of a described typology that raises the score.
 */
export interface Contribution {
  feature: string;
  contribution: number;
  sign?: {
    typology: string;
    about: string;
    source?: string | undefined;
    side: "high" | "low";
    /** Part of honest accounts in which the feature is less so. */
    below: number;
  };
}

/** What would have to be otherwise for a score to be below a threshold: true of the model, not of the world. */
export interface Counterfactual {
  threshold: number;
  /** Score of the vector with the changes in it. */
  value: number;
  changes: { feature: string; from: number; to: number }[];
}

/**
 * Scores feature vectors of the schema it was trained on. Loading refuses files that do not match their manifest or
 * this build's feature schema. `score` throws on NaN (a missing feature is its mask, see features.ts) and never
 * answers with a default.
 */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly typologies: readonly string[];
  /** `rows` holds `count` vectors, row-major, in the order of FEATURES; missing values are NaN and are imputed with their mask inside. */
  score(rows: Float32Array, count: number): Promise<Scores>;
  /** The strongest contributions to the score of one vector, largest first. */
  explain(row: Float32Array): Promise<Contribution[]>;
  /**
   * A small change that takes one vector's score below a threshold, scored again; null where none is found or needed.
   * `contributions` are what `explain` said of the vector.
   */
  counterfactual(
    row: Float32Array,
    threshold: number,
    contributions: readonly Contribution[],
  ): Promise<Counterfactual | null>;
  close(): Promise<void>;
}
