import { FEATURES } from "#core/features.ts";
import type { Labelled } from "./baselines/bins.ts";
import type { Forest } from "./baselines/forest.ts";
import { growAside } from "./baselines/grow-aside.ts";
import type { GrowOptions } from "./baselines/grow-forest.ts";
import type { Dataset } from "./evaluate/dataset.ts";

/** Columns that tell when somebody acts. */
const COLUMNS = FEATURES.flatMap(({ name, family }, column) =>
  family === "operator" && name !== "operator.age" ? [column] : [],
);
/** Of so few columns fewer and lower trees tell all there is. */
const TREES_PART = 0.3;
const DEPTH = 3;

/**
 * Trees that see nothing but when people act. Whose hours they keep is the same whatever they do: learned of some typologies, it tells of
 * others that nobody has described. What the model has learned beside it (that honest owners look like this or that) is kept from them.
 */
export async function growHours(
  { rows, count }: Dataset,
  { labels, weights }: Required<Pick<Labelled, "labels" | "weights">>,
  { exit: _, ...options }: GrowOptions,
  signal?: AbortSignal,
): Promise<Forest> {
  const width = COLUMNS.length;
  const seen = new Float32Array(count * width);
  for (let row = 0; row < count; row += 1)
    for (const [at, column] of COLUMNS.entries())
      seen[row * width + at] = rows[row * FEATURES.length + column] as number;
  const forest = await growAside(
    { rows: seen, count, width, labels, weights },
    {
      ...options,
      trees: Math.ceil(TREES_PART * options.trees),
      depth: Math.min(DEPTH, options.depth),
      columnPart: 1,
    },
    signal,
  );
  return { ...forest, feature: forest.feature.map((at) => (at < 0 ? at : (COLUMNS[at] as number))) };
}
