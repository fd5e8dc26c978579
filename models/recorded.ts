import { z } from "zod";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import { USUAL_THRESHOLD } from "#core/model.ts";
import { concatenate, type Dataset, leaveOut, type Truth } from "./evaluate/dataset.ts";
import { CARES } from "./evaluate/detection-metrics.ts";
import type { Finding } from "./evaluate/figure.ts";
import { judgePopulation } from "./judge-population.ts";
import type { LoadedModel } from "./load-model.ts";

/** Mistakes that are told of one file of truth. */
const TOLD = 20;

const truthSchema = z
  .object({
    pool: z.string().min(1),
    account: z.string().min(1),
    kind: z.string().default("honest"),
    typology: z.string().min(1).nullable().default(null),
    care: z.enum(CARES).nullable().default(null),
    campaign: z.string().min(1).nullable().default(null),
    machines: z.number().int().min(0).default(0),
    hiddenLegMs: z.number().min(0).default(0),
  })
  .refine(({ campaign, typology, care }) => campaign === null || (typology !== null && care !== null), {
    message: "a campaign needs a typology and a care",
  });

/**
 * What is true of the accounts of a recording, one JSON object a line as `assay simulate` writes it. Throws with every
 * line that is wrong: figures from half a truth would be wrong and look right.
 */
export function readTruth(text: string, place: string): Truth[] {
  const truth: Truth[] = [];
  const seen = new Map<string, number>();
  const wrong: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = `${place}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      wrong.push(`${at}: not JSON`);
      continue;
    }
    const { data, error } = truthSchema.safeParse(value);
    if (!data) {
      const said = error.issues.map(({ path, message }) => [...path, message].join(" "));
      wrong.push(`${at}: ${said.join("; ")}`);
      continue;
    }
    const key = JSON.stringify([data.pool, data.account]);
    const before = seen.get(key);
    if (before === undefined) truth.push(data);
    else wrong.push(`${at}: ${data.account} was told of on line ${before}`);
    seen.set(key, index + 1);
  }
  if (wrong.length === 0 && truth.length === 0) wrong.push(`${place}: no account`);
  if (wrong.length === 0) return truth;
  const more = wrong.length > TOLD ? [`and ${wrong.length - TOLD} more`] : [];
  throw new Error([...wrong.slice(0, TOLD), ...more].join("\n"));
}

/** A recording that was run through the analysis: a pool, or pools, over some days. */
export interface Recording {
  name: string;
  set: Dataset;
  observations: number;
  /** Lines that could not be read. */
  refused: number;
  /** Accounts that nothing true was said of; they are left out. */
  unknown: number;
}

/** Honest accounts that mine from places under comprehensive sanctions. */
export function screenedIn({ rows, count, owner, truth }: Dataset): Set<number> {
  const column = FEATURE_INDEX.get("origin.comprehensive") as number;
  const found = new Set<number>();
  for (let row = 0; row < count; row += 1) {
    const account = owner[row] as number;
    const isThere = (rows[row * FEATURES.length + column] as number) > 0;
    if (isThere && truth[account]?.campaign === null) found.add(account);
  }
  return found;
}

/** Hours between the windows that recordings are judged by: those of an account are much alike. */
export const RECORDED_HOURS = 12;

/** The model on recordings whose truth is known: from another simulator, or a pool's own closed cases. */
export async function* recordedFindings(options: {
  model: LoadedModel;
  recordings: AsyncIterable<Recording>;
  /** Calibrated value from which an account is flagged. */
  threshold?: number;
}): AsyncGenerator<Finding> {
  const { model, recordings, threshold = USUAL_THRESHOLD } = options;
  const sets: Dataset[] = [];
  const rows: (string | number)[][] = [];
  for await (const { name, set, observations, refused, unknown } of recordings) {
    const campaigns = new Set(set.truth.flatMap(({ campaign }) => campaign ?? []));
    const seen = new Set(set.owner);
    const screened = screenedIn(set);
    const all = set.truth.length;
    rows.push([name, observations, refused, all, seen.size, campaigns.size, screened.size, unknown]);
    sets.push(leaveOut(set, (owner) => screened.has(owner)));
  }
  yield {
    table: "Recordings",
    columns: [
      "recording",
      "observations",
      "refused",
      "accounts",
      "with a window",
      "campaigns",
      "screened",
      "of unknown truth",
    ],
    rows,
    note: "Left out: honest accounts in places under comprehensive sanctions, which are screening hits whatever they do, and accounts of unknown truth. A campaign without a window counts as missed.",
  };
  const set = concatenate(sets);
  yield* judgePopulation("recorded", { set, model, baselines: [], threshold, stepHours: RECORDED_HOURS });
}
