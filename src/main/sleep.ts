import { setTimeout } from "node:timers/promises";

/** Resolves after `delayMs`, or at once when `signal` aborts. */
export async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(delayMs, undefined, { signal }).catch(() => undefined);
}
