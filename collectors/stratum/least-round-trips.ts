/** A round trip is told again when it fell by a fifth: a minimum settles, so this ends after a few times. */
const WORTH_TELLING = 0.8;
/** Longest round trip an observation may carry; see the schema. */
const LONGEST_MS = 600_000;

/** The kernel's round trip, and the application's. */
export type RoundTripKind = "rttMs" | "appRttMs";

/** The least round trips one connection has shown, and what was told of them. */
export class LeastRoundTrips {
  rttMs: number | undefined;
  appRttMs: number | undefined;
  #toldRttMs = Number.POSITIVE_INFINITY;
  #toldAppRttMs = Number.POSITIVE_INFINITY;

  /** Takes a measurement; what cannot be one (NaN, negative, too long) is left out. Kept to the microsecond. */
  take(kind: RoundTripKind, milliseconds: number): void {
    if (!(milliseconds > 0 && milliseconds <= LONGEST_MS)) return;
    this[kind] = Math.min(this[kind] ?? Number.POSITIVE_INFINITY, Math.round(milliseconds * 1000) / 1000);
  }

  /** True when one is new, or fell enough to be told again. */
  get better(): boolean {
    const fell = (now = Number.POSITIVE_INFINITY, told: number) => now < told * WORTH_TELLING;
    return fell(this.rttMs, this.#toldRttMs) || fell(this.appRttMs, this.#toldAppRttMs);
  }

  /** What is known, to be told now. */
  tell(): { rttMs?: number; appRttMs?: number } {
    this.#toldRttMs = this.rttMs ?? Number.POSITIVE_INFINITY;
    this.#toldAppRttMs = this.appRttMs ?? Number.POSITIVE_INFINITY;
    return {
      ...(this.rttMs === undefined ? {} : { rttMs: this.rttMs }),
      ...(this.appRttMs === undefined ? {} : { appRttMs: this.appRttMs }),
    };
  }
}
