import type { Job } from "#core/observation.ts";

/** Something that one job alone does not tell. */
export type Finding =
  /** A pool has been building on another block than most of the others. */
  | { kind: "divergence"; pool: string; prevHash: string; majority: string; pools: string[]; sinceMs: number }
  /** Two pools hand out the same block templates: one is a proxy of the other, or both of a third. */
  | { kind: "shared-template"; pool: string; with: string; templates: number };

interface Seen {
  prevHash: string;
  sinceMs: number;
  told: boolean;
  /** Merkle branches of the latest template, joined; "" where they say little. */
  template: string;
}

/** Pools hear of a block within seconds; a minute on another one is no matter of propagation. */
export const GRACE_MS = 60_000;
/** Six branches stand for 32 transactions or more: smaller templates may agree by chance, just after a block. */
const LEAST_BRANCHES = 6;
/** Equal templates before two pools are said to share them. */
const LEAST_TEMPLATES = 3;

/** Compares the jobs of several pools of one coin. Memory is bounded by the number of pools. */
export class TemplateWatch {
  readonly #tell: (finding: Finding) => void;
  #pools = new Map<string, Seen>();
  #shared = new Map<string, { last: string; templates: number }>();

  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell;
  }

  /** Takes a pool's newest job, with the merkle branches of its template. */
  take({ pool, prevHash, atMs }: Job, branches: readonly string[] = []): void {
    const before = this.#pools.get(pool);
    const template = branches.length >= LEAST_BRANCHES ? `${prevHash} ${branches.join("")}` : "";
    if (before?.prevHash === prevHash) before.template = template;
    else this.#pools.set(pool, { prevHash, sinceMs: atMs, told: false, template });
    if (template !== "") this.#compareTemplates(pool, template);
    this.check(atMs);
  }

  /** Looks for pools apart from the majority; to be called now and then, because a pool apart may send nothing. */
  check(atMs: number): void {
    const onHash = new Map<string, string[]>();
    for (const [pool, { prevHash }] of this.#pools) {
      const pools = onHash.get(prevHash);
      if (pools) pools.push(pool);
      else onHash.set(prevHash, [pool]);
    }
    const [majority, pools] = [...onHash].sort(([, one], [, other]) => other.length - one.length)[0] ?? [];
    if (majority === undefined || !pools || pools.length < 2 || pools.length * 2 <= this.#pools.size) return;
    // The majority has to stand for a while itself: just after a block most pools are still on the old one.
    const settledMs = Math.max(...pools.map((pool) => this.#pools.get(pool)!.sinceMs));
    for (const [pool, seen] of this.#pools) {
      const sinceMs = Math.max(seen.sinceMs, settledMs);
      if (seen.prevHash === majority || seen.told || atMs - sinceMs < GRACE_MS) continue;
      seen.told = true;
      this.#tell({ kind: "divergence", pool, prevHash: seen.prevHash, majority, pools, sinceMs });
    }
  }

  /** Forgets a pool that is no longer connected: what it last said is not what it says. */
  forget(pool: string): void {
    this.#pools.delete(pool);
  }

  #compareTemplates(pool: string, template: string): void {
    for (const [other, seen] of this.#pools) {
      if (other === pool || seen.template !== template) continue;
      const key = [pool, other].sort().join("\n");
      const shared = this.#shared.get(key) ?? { last: "", templates: 0 };
      this.#shared.set(key, shared);
      if (shared.last === template) continue;
      shared.last = template;
      shared.templates += 1;
      if (shared.templates === LEAST_TEMPLATES) {
        this.#tell({ kind: "shared-template", pool, with: other, templates: shared.templates });
      }
    }
  }
}
