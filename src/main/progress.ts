/** Shows how far long work is, with the time left, on a terminal; says nothing when piped. */
export interface Progress {
  /** `done` of `total` (any unit); `note` is a short text. */
  at(done: number, total: number, note?: string): void;
  end(): void;
}

const EVERY_MS = 200;

/** Writes to standard error, at most five times a second. */
export function createProgress(label: string): Progress {
  const { stderr } = process;
  if (!stderr.isTTY) return { at: () => undefined, end: () => undefined };
  const startMs = performance.now();
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    at(done, total, note = "") {
      const nowMs = performance.now();
      if (nowMs - lastMs < EVERY_MS) return;
      lastMs = nowMs;
      const part = total > 0 ? Math.min(1, done / total) : 0;
      const leftS = part > 0.01 ? ((nowMs - startMs) / 1000) * (1 / part - 1) : Number.NaN;
      const left = Number.isNaN(leftS) ? "" : `, ${formatSeconds(leftS)} left`;
      stderr.write(`\r\u001b[K${label} ${(part * 100).toFixed(0)} %${left}${note ? `  ${note}` : ""}`);
    },
    end() {
      stderr.write("\r\u001b[K");
    },
  };
}

function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
