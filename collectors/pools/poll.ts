import { setTimeout as wait } from "node:timers/promises";
import type { Batch } from "#core/collector.ts";

/** Resolves after `delayMs`, or at once when the signal aborts. */
export type Sleep = (delayMs: number, signal: AbortSignal) => Promise<void>;

const pause: Sleep = async (delayMs, signal) => {
  await wait(delayMs, undefined, { signal }).catch(() => undefined);
};

/** How a source is asked again and again. */
export interface Polling {
  /** The collector's name, for its errors. */
  name: string;
  /** Wait between two rounds, in milliseconds. */
  pollMs: number;
  signal: AbortSignal;
  sleep?: Sleep;
}

/** Runs rounds until the signal aborts. What a round throws is thrown on with the collector's name. */
export async function* poll(polling: Polling, round: () => AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const { name, pollMs, signal, sleep = pause } = polling;
  try {
    while (!signal.aborted) {
      for await (const batch of round()) {
        if (signal.aborted) return;
        yield batch;
      }
      await sleep(pollMs, signal);
    }
  } catch (cause) {
    if (signal.aborted) return;
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
