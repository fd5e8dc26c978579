import { KM_PER_ROUND_TRIP_MS, STRETCH } from "./distance.ts";

/** The part of the way to the machine that TCP does not see, because something on the way ends the connection. */
export interface HiddenLeg {
  /** Estimate, ms; never negative. It has the machine's own time to answer in it. */
  hiddenMs: number;
  /** The interval the way itself is believed to lie in, ms. */
  lowMs: number;
  highMs: number;
  /** Distance from the relay to the machine, km: at least, if its way is no longer than usual ways are, and at most. */
  leastKm: number;
  mostKm: number;
  /** True from `HIDDEN_LEG_THRESHOLD_MS` on, with samples enough to say so. */
  likely: boolean;
  tcpMs: number;
  appMs: number;
  /** Round trips of the kind there were fewer of. */
  samples: number;
}

/** With fewer samples of either kind nothing is called likely, and the uncertainty is this. */
const ENOUGH_SAMPLES = 5;
const UNCERTAIN_MS = 50;
/** The longest a machine was taken to need for its quickest answer (`SLOW_MACHINE` in simulated-paths.ts). */
const MACHINE_MS = 15;
/**
 * Estimate from which a hidden leg is reported: reached by 1 % of the direct miners that `evaluateLatency` simulates,
 * nearly all of them behind slow machines.
 */
export const HIDDEN_LEG_THRESHOLD_MS = 13;

/**
 * Estimates the hidden leg from round trips of TCP and of the application to the same peer, ms, over the same time:
 * the smallest of the one less the smallest of the other. Queues, jitter, load and slow moments only ever add, so the
 * minima come down to the way itself where means and quantiles do not; differences of pairs near in time were tried
 * and found fewer relays behind lines whose queue never empties (docs/origin.md has the table).
 *
 * A VPN that carries the miner's own TCP connection hides no leg: only its network and its place tell it.
 * Null when there is no round trip of one kind.
 */
export function estimateHiddenLeg(tcp: readonly number[], app: readonly number[]): HiddenLeg | null {
  const tcpSmallest = smallest(tcp);
  const appSmallest = smallest(app);
  const tcpMs = tcpSmallest[0];
  const appMs = appSmallest[0];
  if (tcpMs === undefined || appMs === undefined) return null;
  const hiddenMs = Math.max(0, appMs - tcpMs);
  const lowMs = Math.max(0, hiddenMs - scatter(appSmallest) - MACHINE_MS);
  const highMs = hiddenMs + scatter(tcpSmallest);
  const samples = Math.min(tcp.length, app.length);
  return {
    hiddenMs,
    lowMs,
    highMs,
    leastKm: (lowMs * KM_PER_ROUND_TRIP_MS) / STRETCH,
    mostKm: highMs * KM_PER_ROUND_TRIP_MS,
    likely: samples >= ENOUGH_SAMPLES && hiddenMs >= HIDDEN_LEG_THRESHOLD_MS,
    tcpMs,
    appMs,
    samples,
  };
}

/** The few smallest, ascending. */
function smallest(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b).slice(0, ENOUGH_SAMPLES);
}

/** How far the smallest sample may still be above what it stands for: the gap to the fifth smallest. */
function scatter(ascending: readonly number[]): number {
  if (ascending.length < ENOUGH_SAMPLES) return UNCERTAIN_MS;
  return (ascending[ENOUGH_SAMPLES - 1] as number) - (ascending[0] as number);
}
