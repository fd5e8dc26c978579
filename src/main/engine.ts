import type { Analysis } from "#core/analysis.ts";
import type { Batch, Collector } from "#core/collector.ts";
import type { MetricDelta, MetricRow } from "#core/metrics.ts";
import type { Observation } from "#core/observation.ts";
import type { Match } from "#core/screening.ts";
import type { Sighting } from "#core/sightings.ts";
import type { CheckpointStore } from "#core/store.ts";
import type { Task } from "#core/task.ts";
import type { Pipeline } from "./pipeline.ts";

/** Keys of states that are no account's, among the accounts of a checkpoint: theirs have a newline in them. */
const SHARED_KEY = "shared";
const MODEL_KEY = "model";

/** What the engine drives. */
export interface EngineOptions {
  analysis: Analysis;
  pipeline: Pipeline;
  store: CheckpointStore;
  /** Further deltas for the next checkpoint (counters of collectors, flags). */
  takeDeltas?: () => Promise<MetricDelta[]>;
  /** What is kept of the model's standing: bytes when they changed, and where they go after a restart. */
  modelState?: { takeChange(): Uint8Array | undefined; restore(bytes: Uint8Array): void };
  /** Told after every commit: the rows it changed and how far each source is now durably read. */
  onCommitted?: (rows: MetricRow[], cursors: ReadonlyMap<string, string>) => Promise<void>;
  /** Called with every batch in its turn; what it returns is taken as well. */
  onTake?: (batch: Batch) => Observation[];
  onBatch?: (collector: string, batch: Batch) => void;
}

/** Feeds collectors into the pipeline one batch at a time and commits checkpoints between batches. */
export interface Engine {
  /** Puts back what the last checkpoint kept. Before anything else. */
  recover(): Promise<{ accounts: number; discarded: number }>;
  /**
   * Rejects when the pipeline or a checkpoint failed: memory and disk have parted ways then, and only starting again
   * from the last checkpoint is right. Run it beside the collectors with `runAll`.
   */
  watch: Task;
  /** Follows one collector from its committed cursor. */
  follow(collector: Collector): Task;
  take(batch: Batch): Promise<void>;
  /** Raises what a screening met, in its turn. */
  hit(sighting: Sighting, matches: readonly Match[]): Promise<void>;
  /** Lets time pass, unless a source is still catching up: what it has not told yet is not silence. */
  advance(nowMs: number): Promise<void>;
  finish(): Promise<void>;
  checkpoint(): Promise<void>;
  failed(): boolean;
}

/** A source that has nothing for so long is read to its end. */
const CAUGHT_UP_MS = 2_000;
/** One that never pauses is read to its end as well while what it tells is of the last minute. */
const LIVE_MS = 60_000;

/** Passes batches on, and calls `onCaughtUp` when the source has kept us waiting for `CAUGHT_UP_MS`. */
async function* noticing(batches: AsyncIterable<Batch>, onCaughtUp: () => void): AsyncGenerator<Batch> {
  let timer = setTimeout(onCaughtUp, CAUGHT_UP_MS);
  try {
    for await (const batch of batches) {
      clearTimeout(timer);
      yield batch;
      timer = setTimeout(onCaughtUp, CAUGHT_UP_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The serial heart of the service. Batches of all collectors take turns: account state is never touched by two at
 * once, and a checkpoint always lies between batches, so that cursors and state belong together.
 */
export function createEngine(options: EngineOptions): Engine {
  const { analysis, pipeline, store } = options;
  /**
   * Sources that may have more to say of the past, reading or broken, with the newest instant each has told. Time is not
   * let pass over them.
   */
  const behind = new Map<string, number>();
  /** Last position of each source handed to the analysis, and the part of them not yet committed. */
  const cursors = new Map<string, string>();
  let changed = new Map<string, string>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let hasFailed = false;
  let turn: Promise<void> = Promise.resolve();

  /** Runs `work` when all earlier work is done. The first failure is the last turn. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work);
    mine.catch((error) => {
      hasFailed = true;
      failure.reject(error);
    });
    turn = mine;
    return mine;
  }

  async function commit(): Promise<void> {
    const committing = changed;
    const further = (await options.takeDeltas?.()) ?? [];
    const accounts = analysis.takeDirty();
    const deltas = [...analysis.takeDeltas(), ...further];
    if (committing.size === 0 && accounts.size === 0 && deltas.length === 0) return;
    accounts.set(SHARED_KEY, analysis.writeShared());
    const modelState = options.modelState?.takeChange();
    if (modelState) accounts.set(MODEL_KEY, modelState);
    changed = new Map();
    const rows = await store.commit({ cursors: committing, accounts, deltas });
    await options.onCommitted?.(rows, committing);
  }

  return {
    async recover() {
      const kept = await store.recover();
      for (const [name, cursor] of kept.cursors) cursors.set(name, cursor);
      let accounts = 0;
      let discarded = 0;
      for await (const { key, state } of kept.accounts) {
        if (key === SHARED_KEY) analysis.restoreShared(state);
        else if (key === MODEL_KEY) options.modelState?.restore(state);
        else if (analysis.restore(state)) accounts += 1;
        else discarded += 1;
      }
      return { accounts, discarded };
    },
    async watch(signal) {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve(), { once: true }),
      );
      if (!signal.aborted) await Promise.race([failure.promise, aborted]);
    },
    follow(collector) {
      return async (signal) => {
        behind.set(collector.name, Number.NEGATIVE_INFINITY);
        const batches = collector.collect(signal, cursors.get(collector.name));
        for await (const batch of noticing(batches, () => behind.delete(collector.name))) {
          behind.set(collector.name, batch.observations.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY);
          if (signal.aborted) return;
          await inTurn(async () => {
            await pipeline.take(batch);
            const more = options.onTake?.(batch) ?? [];
            if (more.length > 0) await pipeline.take({ observations: more });
            if (batch.cursor !== undefined) {
              cursors.set(collector.name, batch.cursor);
              changed.set(collector.name, batch.cursor);
            }
          });
          options.onBatch?.(collector.name, batch);
        }
        behind.delete(collector.name);
      };
    },
    hit: (sighting, matches) => inTurn(() => pipeline.hit(sighting, matches)),
    take: (batch) => inTurn(() => pipeline.take(batch)),
    advance: (nowMs) =>
      inTurn(async () => {
        if ([...behind.values()].every((newestMs) => nowMs - newestMs < LIVE_MS))
          await pipeline.advance(nowMs);
      }),
    finish: () => inTurn(() => pipeline.finish()),
    checkpoint: () => inTurn(commit),
    failed: () => hasFailed,
  };
}
