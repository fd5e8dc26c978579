import type { DataNotice, Health } from "../review/answers.ts";
import type { Counters } from "./counters.ts";
import type { Parts } from "./parts.ts";

/** A country database older than this is shown with a warning: networks move by a few percent a year. */
const OLD_DAYS = 120;
/** A collector without a batch for so long is shown as waiting. */
const QUIET_MS = 5 * 60_000;

/** How the service is, for the console and `/readyz`. */
export function healthOf(counters: Counters): Health {
  const now = Date.now();
  return {
    ready: true,
    components: counters
      .collectors()
      .map(({ name, observations, refused, restarts, lastBatchMs, lagMs, lastError, refusals }) => ({
        name,
        role: "collector",
        state: now - lastBatchMs < QUIET_MS ? ("running" as const) : ("waiting" as const),
        detail:
          lastError ||
          (refusals.length > 0 ? `last refused: ${refusals.at(-1)?.place}: ${refusals.at(-1)?.reason}` : ""),
        observations,
        refused,
        lagMs,
        restarts,
      })),
  };
}

/** Age and source of geo data and lists. */
export function dataNotices({ origin, screening }: Parts, nowMs: number): DataNotice[] {
  const origins = origin.notices(nowMs).map(({ name, source, builtAt, ageDays, attribution }) => ({
    name,
    source: attribution || source,
    version: builtAt.slice(0, 10),
    builtAt: builtAt || null,
    warning:
      ageDays > OLD_DAYS && source.startsWith("bundled")
        ? `${ageDays} days old; name a current one as origin.country`
        : null,
  }));
  const lists = screening.lists().map(({ name, version, source, publishedAt }) => ({
    name,
    source,
    version,
    builtAt: publishedAt || null,
    warning: null,
  }));
  return [...origins, ...lists];
}
