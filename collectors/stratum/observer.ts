import { readFile } from "node:fs/promises";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import type { Job } from "#core/observation.ts";
import { type Restart, supervise } from "#core/task.ts";
import { ObservationQueue } from "./observation-queue.ts";
import { type ObservedPool, watchPool } from "./observed-pool.ts";
import { pause } from "./pause.ts";
import { type IdentifyPool, readPoolTable } from "./pool-identity.ts";
import { type Finding, TemplateWatch } from "./template-watch.ts";

/** Whose jobs an observer watches; its section of the configuration. */
export interface ObserverOptions {
  name: string;
  pools: readonly ObservedPool[];
  /** What the observer calls itself. */
  agent: string;
  reconnectMs: number;
  silenceMs: number;
  maxLineBytes: number;
  /** File with a table of pools; see readPoolTable. */
  identify?: string;

  log: Log;
  /** What several jobs tell together, and pools that hand out another one's jobs. */
  onFinding?: (finding: Finding | Identified) => void;
  lingerMs?: number;
  now?: () => number;
  tick?: () => number;
  /** In [0, 1). */
  random?: () => number;
  sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Whose mark a pool's jobs carry by the table of pools. */
export interface Identified {
  kind: "identified";
  pool: string;
  as: string;
}

const MAX_BATCH = 1000;
/** How often pools are compared when none of them says anything. */
const CHECK_MS = 30_000;

/**
 * Watches pools as a client that never submits, and tells their jobs: height, tag, outputs and addresses of the coinbase.
 * A pool that cannot be reached is tried again with doubling, jittered delays and does not disturb the others. Throws
 * only when a file of its configuration cannot be read.
 */
export function createObserver(options: ObserverOptions): Collector {
  const { name, log, random = Math.random, now = Date.now, sleep = pause } = options;
  const tick = options.tick ?? (() => performance.now());
  const queue = new ObservationQueue(name, 16_384);
  const watches = new Map<string, TemplateWatch>();
  const identified = new Set<string>();

  function tell(finding: Finding | Identified): void {
    log("info", `${name}: ${finding.kind}`, { ...finding });
    options.onFinding?.(finding);
  }

  function watchOf(coin: string): TemplateWatch {
    const known = watches.get(coin) ?? new TemplateWatch(tell);
    watches.set(coin, known);
    return known;
  }

  function identifyJob(job: Job, identify: IdentifyPool | null): void {
    const as = identify?.(job);
    const key = `${job.pool}\n${as}`;
    if (!as || identified.has(key)) return;
    identified.add(key);
    tell({ kind: "identified", pool: job.pool, as });
  }

  function onRestart({ name: pool, reason, restarts, changed }: Restart): void {
    if (changed) log("warn", `${name}: a pool is watched anew`, { pool, reason, restarts });
  }

  async function checkNowAndThen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(CHECK_MS, signal);
      for (const watch of watches.values()) watch.check(now());
    }
  }

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    const identify = options.identify === undefined ? null : await readTable(name, options.identify);
    const pools = await Promise.all(options.pools.map((pool) => withAuthority(name, pool)));
    const ending = new AbortController();
    const all = AbortSignal.any([signal, ending.signal]);
    const watching = pools.map((pool) => {
      const watch = watchOf(pool.coin);
      const task = watchPool(pool, {
        ...options,
        now,
        tick,
        random,
        refuse: queue.refuse.bind(queue),
        onGone: () => watch.forget(pool.name),
        onJob(job, branches) {
          queue.push(job);
          watch.take(job, branches);
          identifyJob(job, identify);
        },
      });
      const jittered = (delayMs: number, during: AbortSignal) =>
        sleep(delayMs * (0.5 + random() / 2), during);
      return supervise(task, { name: pool.name, sleep: jittered, onRestart })(all);
    });
    watching.push(checkNowAndThen(all));
    try {
      yield* queue.batches(signal, { maxBatch: MAX_BATCH, lingerMs: options.lingerMs ?? 100, sleep });
    } finally {
      ending.abort();
      await Promise.all(watching);
    }
  }

  return { name, collect };
}

async function withAuthority(name: string, pool: ObservedPool): Promise<ObservedPool> {
  if (pool.ca === undefined) return pool;
  try {
    return { ...pool, ca: await readFile(pool.ca, "utf8") };
  } catch (cause) {
    throw new Error(`${name}: cannot read ${pool.ca}`, { cause });
  }
}

async function readTable(name: string, file: string): Promise<IdentifyPool> {
  try {
    return readPoolTable(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw new Error(`${name}: cannot read the table of pools ${file}`, { cause });
  }
}
