import { HOUR_MS } from "#core/metrics.ts";
import type { Counters } from "./counters.ts";

/** What does not move by itself, and whom to ask. */
export interface StandingOptions {
  counters: Pick<Counters, "list" | "spool">;
  /** The fetched lists; `checkedAt` is when the source was last reached, "" for never. */
  lists: () => Promise<readonly { name: string; checkedAt: string; entries: number }[]>;
  /** Whatever waits on disk; `dropped` since the start. */
  spools: readonly { name: string; state: () => { bytes: number; dropped: number } }[];
  now: () => number;
}

/** Notes ages of lists and what waits on disk, as of each call. */
export function createStanding({ counters, lists, spools, now }: StandingOptions): () => Promise<void> {
  const startedMs = now();
  const told = new Map<string, number>();
  return async () => {
    for (const { name, checkedAt, entries } of await lists()) {
      // A list that was never reached has been waited for since the start.
      const sinceMs = checkedAt === "" ? startedMs : Date.parse(checkedAt);
      counters.list({ name, ageHours: (now() - sinceMs) / HOUR_MS, entries });
    }
    for (const { name, state } of spools) {
      const { bytes, dropped } = state();
      counters.spool({ name, bytes, dropped: dropped - (told.get(name) ?? 0) });
      told.set(name, dropped);
    }
  };
}
