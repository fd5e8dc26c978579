import { HOURS } from "#core/cells.ts";
import { HOUR_MS, MINUTE_MS } from "#core/metrics.ts";

/** Silence is looked for this often, in event time. */
const TICK_MS = 5 * MINUTE_MS;

/** What happens as event time passes: `tick` every five minutes, `window` at the end of each window. */
export interface ClockEvents {
  tick(atMs: number): void;
  window(atMs: number): void;
}

/** A clock as it is kept over a restart; null before the first observation. */
export interface ClockMemory {
  watermarkMs: number;
  startMs: number;
}

/**
 * Event time of one pool. Every pool has its own: one that is read from an old log must not wait for, nor be hurried
 * by, one that is live.
 */
export class Clock {
  readonly #stepMs: number;
  readonly #events: ClockEvents;
  #nextWindowMs = 0;
  #nextTickMs = 0;
  /** Latest event time seen; −Infinity before the first. */
  watermarkMs = Number.NEGATIVE_INFINITY;
  /** Event time of the very first observation. */
  startMs = 0;

  constructor(stepMs: number, events: ClockEvents) {
    this.#stepMs = stepMs;
    this.#events = events;
  }

  /** Moves on to `atMs`, which lies ahead; ticks and windows on the way come in order. */
  advance(atMs: number): void {
    if (this.watermarkMs === Number.NEGATIVE_INFINITY) {
      this.startMs = atMs;
      this.#schedule(atMs);
    }
    // After a gap longer than the history there is nothing left to see in between.
    if (atMs - this.#nextTickMs > HOURS * HOUR_MS) this.#schedule(atMs - HOURS * HOUR_MS);
    while (this.#nextTickMs <= atMs) {
      const tickMs = this.#nextTickMs;
      this.#nextTickMs += TICK_MS;
      this.#events.tick(tickMs);
      if (tickMs < this.#nextWindowMs) continue;
      this.#events.window(this.#nextWindowMs);
      this.#nextWindowMs += this.#stepMs;
    }
    this.watermarkMs = atMs;
  }

  dump(): ClockMemory {
    return { watermarkMs: this.watermarkMs, startMs: this.startMs };
  }

  load({ watermarkMs, startMs }: ClockMemory): void {
    this.watermarkMs = watermarkMs;
    this.startMs = startMs;
    this.#schedule(watermarkMs);
  }

  #schedule(atMs: number): void {
    this.#nextWindowMs = (Math.floor(atMs / this.#stepMs) + 1) * this.#stepMs;
    this.#nextTickMs = (Math.floor(atMs / TICK_MS) + 1) * TICK_MS;
  }
}
