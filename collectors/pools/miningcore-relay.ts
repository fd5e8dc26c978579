import type { Batch, Collector } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { readRelayMessage } from "./miningcore-message.ts";
import { subscribe } from "./zmtp.ts";

/** Where Miningcore's `shareRelay` publishes, and what of it is taken. */
export interface MiningcoreRelayOptions {
  name: string;
  /** tcp://host:port of the relay's `publishUrl`. */
  url: string;
  /** Miningcore's own id of the pool. One relay carries the pools of a whole cluster, each with its own algorithm. */
  poolId: string;
  /** Name the pool's accounts are kept under. */
  pool: string;
  algorithm: string;
  now: () => number;
}

/**
 * Takes shares as Miningcore relays them. What is published while nobody listens is lost: ZeroMQ keeps nothing for a
 * subscriber that is away. Throws with its name when the publisher cannot be reached, closes or is no publisher.
 */
export function createMiningcoreRelay(options: MiningcoreRelayOptions): Collector {
  const { name, url, poolId, pool, algorithm, now } = options;

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    let count = 0;
    try {
      for await (const messages of subscribe({ url, topic: poolId }, signal)) {
        if (signal.aborted) return;
        const observations: Observation[] = [];
        const refusals: Refusal[] = [];
        const context = { pool, algorithm, nowMs: now() };
        for (const message of messages) {
          count += 1;
          const share = readRelayMessage(message, poolId, context);
          if (typeof share === "string") refuse(refusals, share, `message ${count}`);
          else if (share !== undefined) observations.push(share);
        }
        if (observations.length > 0 || refusals.length > 0) yield { observations, refusals };
      }
    } catch (cause) {
      if (!signal.aborted) throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
  }

  return { name, collect };
}

/** Looks at the live relay. Resolves to what was found, rejects with what is wrong. */
export async function checkMiningcoreRelay(
  { url, poolId }: Pick<MiningcoreRelayOptions, "url" | "poolId">,
  signal: AbortSignal,
): Promise<string> {
  for await (const _ of subscribe({ url, topic: poolId }, signal)) break;
  return "a ZeroMQ publisher; which pools it relays is seen with their first share";
}
