import type { SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { nextDailyMs, nextInstantMs } from "./restarts.ts";

const HOUR_MS = 3_600_000;
/** Connections of a site whose address changes, or that reboots, end within a minute. */
const SOON_MS = 60_000;
/** A pool that stops ends all its connections within seconds. */
const POOL_STOP_MS = 5_000;
/** Time from power on to mining of a machine that boots (median). */
const BOOT_MS = 120_000;
/** A machine fails once in so long, in the mean. */
const FAIL_MS = 90 * 24 * HOUR_MS;

/** When a connection breaks, and how long it then takes to be back. */
export class Breaks {
  /** Where the connection stands in what befalls a whole site: 0 first, 1 last. */
  readonly lag: number;
  readonly #site: SitePlan;
  readonly #random: Random;
  #breakAtMs = Number.POSITIVE_INFINITY;
  #rebootAtMs = Number.POSITIVE_INFINITY;
  #failAtMs: number;
  #failUntilMs = 0;

  constructor(site: SitePlan, random: Random, startMs: number) {
    this.#site = site;
    this.#random = random;
    this.#failAtMs = startMs + FAIL_MS * random.exponential();
    this.lag = random.between(0, 1);
  }

  /** When the open connection breaks next. */
  get nextMs(): number {
    return Math.min(this.#breakAtMs, this.#rebootAtMs, this.#failAtMs);
  }

  /** Whether the machine is out of order. */
  failed(atMs: number): boolean {
    return atMs < this.#failUntilMs;
  }

  /** The connection ends within so long; without effect where none is open. */
  soon(atMs: number, withinMs = SOON_MS): void {
    this.#breakAtMs = Math.min(this.#breakAtMs, atMs + this.lag * withinMs);
  }

  /** The machine is rebooted within a minute; without effect where it is off until then. */
  reboot(atMs: number): void {
    this.#rebootAtMs = Math.min(this.#rebootAtMs, atMs + this.lag * SOON_MS);
  }

  /** A connection opens, to a pool that restarts at the given instants. */
  open(atMs: number, poolRestartsMs: readonly number[]): void {
    const random = this.#random;
    this.#breakAtMs = Math.min(
      atMs + this.#site.sessionHours * HOUR_MS * random.exponential(),
      nextInstantMs(poolRestartsMs, atMs) + POOL_STOP_MS * random.next(),
    );
    if (this.#rebootAtMs <= atMs) this.#rebootAtMs = Number.POSITIVE_INFINITY;
    this.reboot(nextDailyMs(this.#site.rebootMinute, atMs));
  }

  /** The connection broke. Draws the wait until it is back: for seconds, a minute or two, or until the machine has booted. */
  drawWaitMs(atMs: number): number {
    const random = this.#random;
    if (atMs >= this.#failAtMs) {
      this.#failUntilMs = atMs + random.logUniform(0.5 * HOUR_MS, 48 * HOUR_MS);
      this.#failAtMs = this.#failUntilMs + FAIL_MS * random.exponential();
    }
    if (atMs >= this.#rebootAtMs) return random.logNormal(BOOT_MS, 0.4);
    return random.logNormal(random.chance(0.7) ? 3_000 : 90_000, 0.7);
  }
}
