import { type Forest, nodesOf } from "./forest.ts";

/** Rows that one tree is walked for before the next: they and the tree stay in the nearest cache. */
const BLOCK = 64;

/** What a forest says of many rows, and which of them, ascending, it did not leave early. */
export interface ForestAnswers {
  logits: Float64Array;
  asked: Uint32Array;
}

/** Walks a forest for many rows at once. */
export type ForestBatch = (rows: Float32Array, count: number, width: number) => ForestAnswers;

/**
 * Lays a forest out for batches: every tree full to its depth, a node that does not split sending all rows left, so that
 * each walk has the same number of steps and none of them a branch to be guessed. The logits are those of `forestLogit`,
 * bit for bit. Rows that the first trees find nothing in are left, those that go on are gathered anew.
 */
export function createForestBatch(forest: Forest): ForestBatch {
  const { trees, depth, base, exit } = forest;
  const inner = 2 ** depth - 1;
  const leaves = 2 ** depth;
  const feature = new Uint16Array(trees * inner);
  const split = new Float32Array(trees * inner).fill(Number.POSITIVE_INFINITY);
  const leaf = new Float32Array(trees * leaves);

  /** Copies a node and what lies below; `ended` is the node above it that did not split, or −1. */
  function fill(tree: number, node: number, ended: number): void {
    const at = tree * nodesOf(depth);
    if (node >= inner) {
      leaf[tree * leaves + node - inner] = forest.value[at + (ended < 0 ? node : ended)] as number;
      return;
    }
    const column = forest.feature[at + node] as number;
    const end = ended < 0 && column < 0 ? node : ended;
    if (end < 0) {
      feature[tree * inner + node] = column;
      split[tree * inner + node] = forest.split[at + node] as number;
    }
    fill(tree, 2 * node + 1, end);
    fill(tree, 2 * node + 2, end);
  }
  for (let tree = 0; tree < trees; tree += 1) fill(tree, 0, -1);

  const early = exit ? exit.after : trees;

  return (rows, count, width) => {
    const logits = new Float64Array(count).fill(base);
    const block = new Uint32Array(BLOCK);
    const asked = new Uint32Array(count);

    /** Walks some trees for the rows in `block`. */
    function walk(fromTree: number, toTree: number, some: number): void {
      for (let tree = fromTree; tree < toTree; tree += 1) {
        const first = tree * inner;
        const firstLeaf = tree * leaves - inner;
        for (let index = 0; index < some; index += 1) {
          const row = block[index] as number;
          const at = row * width;
          let node = 0;
          for (let step = 0; step < depth; step += 1) {
            const value = rows[at + (feature[first + node] as number)] as number;
            // `Number` of a comparison is a bit, where a conditional would be a branch.
            node = 2 * node + 1 + Number(value > (split[first + node] as number));
          }
          (logits[row] as number) += leaf[firstLeaf + node] as number;
        }
      }
    }

    let waiting = 0;
    for (let from = 0; from < count; from += BLOCK) {
      const some = Math.min(BLOCK, count - from);
      for (let index = 0; index < some; index += 1) block[index] = from + index;
      walk(0, early, some);
      for (let row = from; row < from + some; row += 1) {
        if (exit && (logits[row] as number) < exit.below) (logits[row] as number) += exit.rest;
        else {
          asked[waiting] = row;
          waiting += 1;
        }
      }
    }
    for (let from = 0; early < trees && from < waiting; from += BLOCK) {
      const some = Math.min(BLOCK, waiting - from);
      block.set(asked.subarray(from, from + some));
      walk(early, trees, some);
    }
    return { logits, asked: asked.subarray(0, waiting) };
  };
}
