import { Clock, type ClockMemory } from "#core/clock.ts";
import { HOUR_MS } from "#core/metrics.ts";

/** What happens as a pool's time passes: `tick` every five minutes, `window` at the end of each window. */
export interface PoolEvents {
  tick(pool: string, atMs: number): void;
  window(pool: string, atMs: number): void;
}

/** The clocks of all pools. */
export class Clocks {
  readonly #stepMs: number;
  readonly #events: PoolEvents;
  readonly #clocks = new Map<string, Clock>();
  /** The clock asked for last: runs of one pool are the rule. */
  #lastPool = "";
  #lastClock: Clock | undefined;
  /** Observations more than an hour behind the newest of their pool. */
  backwards = 0;

  constructor(stepMs: number, events: PoolEvents) {
    this.#stepMs = stepMs;
    this.#events = events;
  }

  /** Latest event time seen of any pool, milliseconds; −Infinity before the first observation. */
  get watermarkMs(): number {
    return Math.max(
      Number.NEGATIVE_INFINITY,
      ...[...this.#clocks.values()].map(({ watermarkMs }) => watermarkMs),
    );
  }

  /** A pool's clock, made when it is first asked for. */
  of(pool: string): Clock {
    if (pool === this.#lastPool && this.#lastClock) return this.#lastClock;
    let clock = this.#clocks.get(pool);
    if (!clock) {
      clock = new Clock(this.#stepMs, {
        tick: (atMs) => this.#events.tick(pool, atMs),
        window: (atMs) => this.#events.window(pool, atMs),
      });
      this.#clocks.set(pool, clock);
    }
    this.#lastPool = pool;
    this.#lastClock = clock;
    return clock;
  }

  /** Hot path. An observation of a pool moves its clock on, or comes late. */
  pass(pool: string, atMs: number): void {
    const clock = this.of(pool);
    if (atMs > clock.watermarkMs) clock.advance(atMs);
    else if (atMs < clock.watermarkMs - HOUR_MS) this.backwards += 1;
  }

  /** Moves every pool's clock on that is behind `nowMs`. */
  advance(nowMs: number): void {
    for (const clock of this.#clocks.values()) if (nowMs > clock.watermarkMs) clock.advance(nowMs);
  }

  /** Closes a last window of every pool at the end of its running hour. */
  finish(): void {
    for (const [pool, { watermarkMs }] of this.#clocks) {
      this.#events.window(pool, (Math.floor(watermarkMs / HOUR_MS) + 1) * HOUR_MS);
    }
  }

  dump(): [pool: string, clock: ClockMemory][] {
    return [...this.#clocks].map(([pool, clock]) => [pool, clock.dump()]);
  }

  load(kept: readonly (readonly [pool: string, clock: ClockMemory])[]): void {
    for (const [pool, clock] of kept) this.of(pool).load(clock);
  }
}
