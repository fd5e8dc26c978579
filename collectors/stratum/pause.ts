import { setTimeout as delay } from "node:timers/promises";

/** Waits, or ends at once when `signal` aborts; the caller looks at the signal itself. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  // The rejection only says that the signal aborted.
  await delay(delayMs, undefined, { signal }).catch(() => {});
}
