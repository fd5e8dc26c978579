const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];

/** Waits before each further attempt, as the Standard Webhooks specification gives them: eight attempts in 28 hours. */
const WAITS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  10 * HOUR_MS,
];

/** Waits are spread by this part to either side, so that receivers that come back do not get everything at once. */
const JITTER = 0.2;

/** How long to wait after this many failed attempts; null: no more attempts. `random` is in [0, 1). */
export function nextWaitMs(attempts: number, random: number): number | null {
  const waitMs = WAITS_MS[attempts - 1];
  return waitMs === undefined ? null : Math.round(waitMs * (1 + JITTER * (2 * random - 1)));
}
