/** The one lifecycle. A task runs until it is done or `signal` aborts, then has closed all it opened. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs tasks side by side; when the first one ends, for whatever reason, the others are aborted and awaited.
 * Rejects with the first failure.
 */
export async function runAll(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const all = AbortSignal.any([signal, ending.signal]);
  const results = await Promise.allSettled(tasks.map((task) => task(all).finally(() => ending.abort())));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

/** What `supervise` tells of a restart: which component, how often by now, and why. */
export interface Restart {
  name: string;
  restarts: number;
  reason: string;
  /** True when the message differs from the last one: only then is it worth a log line. */
  changed: boolean;
}

/** How `supervise` waits and reports; `sleep` is passed in so that tests need no time. */
export interface Supervision {
  name: string;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  onRestart: (restart: Restart) => void;
  firstDelayMs?: number;
  maxDelayMs?: number;
}

/** Restarts a task that fails, with doubling backoff (250 ms to 30 s unless said). Ends when the task ends or on abort. */
export function supervise(task: Task, options: Supervision): Task {
  const { name, sleep, onRestart, firstDelayMs = 250, maxDelayMs = 30_000 } = options;
  return async (signal) => {
    let delayMs = firstDelayMs;
    let last = "";
    for (let restarts = 1; !signal.aborted; restarts += 1) {
      try {
        await task(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        onRestart({ name, restarts, reason, changed: reason !== last });
        last = reason;
        await sleep(delayMs, signal);
        delayMs = Math.min(delayMs * 2, maxDelayMs);
      }
    }
  };
}
