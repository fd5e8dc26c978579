import { FOCUS_CELLS, resetFocus } from "#core/focus.ts";
import { DAY_MS } from "#core/metrics.ts";
import {
  BASELINE_CELLS,
  type Change,
  emptyDetector,
  type RateDetector,
  rateByShare,
  rateByTick,
  THRESHOLD,
  ticks,
} from "#core/rate-changes.ts";

/** Workers followed per account: enough for a farm's shelf, and few enough to read. */
export const MAX_WORKERS = 64;
/** Workers followed in all: 24 MB of numbers. */
const MAX_DETECTORS = 32_768;
/** A worker gives way to a new one when it was not seen for so long: sooner, and a farm's machines would push each other out unlearned. */
const IDLE_MS = DAY_MS;

const CELLS = BASELINE_CELLS + FOCUS_CELLS;
const PER_CHUNK = 256;

/** A change point of one worker's hashrate. */
export interface WorkerChange extends Change {
  worker: string;
}

/** What a worker's detector takes from its account: whether it is flagged, and the factor of the hour in its daily profile. */
export interface WorkerContext {
  held: boolean;
  factor: number;
}

interface Worker {
  name: string;
  cells: Float64Array;
  at: number;
  firstMs: number;
  lastMs: number;
  lastNats: number;
}

/** The workers of one account that are followed. */
export interface Roster {
  workers: Map<string, Worker>;
  /** No worker gives way before. */
  fullUntilMs: number;
}

/** The detector of the worker at hand. Hot path: filled anew for each, never made anew. */
const own = emptyDetector();

function detectorOf(worker: Worker, { held, factor }: WorkerContext): RateDetector {
  own.cells = worker.cells;
  own.baseline = worker.at;
  own.focus = worker.at + BASELINE_CELLS;
  own.firstMs = worker.firstMs;
  own.lastNats = worker.lastNats;
  own.held = held;
  own.factor = factor;
  return own;
}

/**
 * Change detection worker by worker, with the detector of accounts. Bounded per account and in all: the worker least
 * recently seen gives way, once it was not seen for a day; until then the shares of new ones are counted as left out.
 */
export class Workers {
  readonly #maxDetectors: number;
  readonly #free: { cells: Float64Array; at: number }[] = [];
  #made = 0;
  /** Shares of workers beyond the bounds. */
  leftOut = 0;

  constructor(maxDetectors = MAX_DETECTORS) {
    this.#maxDetectors = maxDetectors;
  }

  /** Gives a worker's accepted share of `work` hashes to its detector. Hot path. */
  share(
    roster: Roster,
    name: string,
    share: WorkerContext & { work: number; atMs: number },
  ): WorkerChange | undefined {
    const { work, atMs } = share;
    const worker = roster.workers.get(name) ?? this.#admit(roster, name, atMs);
    if (!worker) {
      this.leftOut += 1;
      return undefined;
    }
    if (atMs > worker.lastMs) worker.lastMs = atMs;
    return told(worker, rateByShare(detectorOf(worker, share), work, atMs));
  }

  /** Lets time pass for the workers of one account: silence is evidence. */
  tick(roster: Roster, atMs: number, context: WorkerContext): WorkerChange[] {
    const changes: WorkerChange[] = [];
    for (const worker of roster.workers.values()) {
      const detector = detectorOf(worker, context);
      const change = ticks(detector.cells, detector.baseline, atMs)
        ? told(worker, rateByTick(detector, atMs))
        : undefined;
      if (change) changes.push(change);
    }
    return changes;
  }

  /** Forgets the workers of one account. */
  release(roster: Roster): void {
    this.#free.push(...roster.workers.values());
    roster.workers.clear();
    roster.fullUntilMs = 0;
  }

  #admit(roster: Roster, name: string, atMs: number): Worker | undefined {
    const { workers } = roster;
    if (atMs < roster.fullUntilMs) return undefined;
    const place = workers.size < MAX_WORKERS ? this.#place() : undefined;
    const found = place ?? giveWay(roster, atMs);
    if (!found) return undefined;
    const { cells, at } = found;
    cells.fill(0, at, at + CELLS);
    resetFocus(cells, at + BASELINE_CELLS);
    const worker = { name, cells, at, firstMs: atMs, lastMs: atMs, lastNats: THRESHOLD };
    workers.set(name, worker);
    return worker;
  }

  /** Room for one more; made by the chunk, as few accounts are followed in most pools. */
  #place(): { cells: Float64Array; at: number } | undefined {
    if (this.#free.length === 0 && this.#made < this.#maxDetectors) {
      const count = Math.min(PER_CHUNK, this.#maxDetectors - this.#made);
      const cells = new Float64Array(count * CELLS);
      for (let index = 0; index < count; index += 1) this.#free.push({ cells, at: index * CELLS });
      this.#made += count;
    }
    return this.#free.pop();
  }
}

/** The place of the worker least recently seen, where that is long ago. */
function giveWay(roster: Roster, atMs: number): Worker | undefined {
  let eldest: Worker | undefined;
  for (const worker of roster.workers.values()) if (!eldest || worker.lastMs < eldest.lastMs) eldest = worker;
  if (!eldest) return undefined;
  if (atMs - eldest.lastMs < IDLE_MS) {
    roster.fullUntilMs = eldest.lastMs + IDLE_MS;
    return undefined;
  }
  roster.workers.delete(eldest.name);
  return eldest;
}

function told(worker: Worker, change: Change | undefined): WorkerChange | undefined {
  if (!change) return undefined;
  worker.lastNats = change.logLikelihoodRatio;
  return { worker: worker.name, ...change };
}
