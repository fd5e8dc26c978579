import type { Flag } from "#core/flag.ts";

/** What happened to a flag, under the names webhooks use too. */
export interface FlagChange {
  event: "flag.opened" | "flag.updated" | "flag.closed";
  flag: Flag;
}

/** Where changes of flags are told, by the analysis and by the API alike, to everybody who listens. */
export interface Changes {
  announce(change: FlagChange): void;
  /** Calls `listener` in order of announcement until the returned function is called. A listener must not throw. */
  onChange(listener: (change: FlagChange) => void): () => void;
}

/** A hub without memory: who listens later hears later changes only. */
export function createChanges(): Changes {
  const listeners = new Set<(change: FlagChange) => void>();
  return {
    announce(change) {
      for (const listener of listeners) listener(change);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
