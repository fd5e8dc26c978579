import type { Origin } from "#core/origin.ts";
import { holds, type Period } from "./dated.ts";

/** An answer, and the stretch of time over which it is the same. */
export interface Answer extends Period {
  origin: Origin;
}

/** Combinations of stretches and records whose answer is kept. */
const ANSWERS_KEPT = 65_536;

/**
 * Answers by the very objects they were made from: most addresses of a pool lie in few stretches and records, and
 * differ in nothing but themselves. A chain of Maps, one a table or database; all is forgotten when it is full.
 */
export class Answers {
  #root = new Map<unknown, unknown>();
  #size = 0;

  get(parts: readonly unknown[], atMs: number): Answer | undefined {
    let node: unknown = this.#root;
    for (const part of parts) {
      if (node === undefined) return undefined;
      node = (node as Map<unknown, unknown>).get(part);
    }
    return (node as Answer[] | undefined)?.find((answer) => holds(answer, atMs));
  }

  set(parts: readonly unknown[], answer: Answer): void {
    if (this.#size >= ANSWERS_KEPT) {
      this.#root = new Map();
      this.#size = 0;
    }
    this.#size += 1;
    let node = this.#root;
    for (const part of parts.slice(0, -1)) {
      let next = node.get(part) as Map<unknown, unknown> | undefined;
      if (next === undefined) {
        next = new Map();
        node.set(part, next);
      }
      node = next;
    }
    const answers = node.get(parts.at(-1)) as Answer[] | undefined;
    if (answers) answers.push(answer);
    else node.set(parts.at(-1), [answer]);
  }
}
