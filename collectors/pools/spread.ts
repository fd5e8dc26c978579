import type { Share } from "#core/observation.ts";
import { type PoolContext, type ShareFields, toShare } from "./share.ts";

/** Shares one gain becomes at most; beyond, each stands for more work. */
const MAX_SHARES = 10_000;

/** What a pool's counters gained between two looks: `count` shares with `difficulty` together. */
export interface Gain extends Omit<ShareFields, "atMs"> {
  count: number;
  fromMs: number;
  toMs: number;
}

/**
 * Shares for a source that only counts them: as many as it counted, of equal difficulty, evenly over the time between
 * the two looks. Sum and number are the pool's; the single instants and difficulties are not known.
 */
export function spread(context: PoolContext, gain: Gain): Share[] | string {
  const { count, fromMs, toMs, difficulty, ...fields } = gain;
  const shares: Share[] = [];
  const made = Math.min(count, MAX_SHARES);
  for (let index = 0; index < made; index += 1) {
    const atMs = Math.floor(fromMs + ((index + 0.5) * Math.max(toMs - fromMs, 0)) / made);
    const share = toShare(context, { ...fields, difficulty: difficulty / made, atMs });
    if (typeof share === "string") return share;
    shares.push(share);
  }
  return shares;
}
