import type { DataNotice, Health } from "../review/answers.ts";
import type { ModelStanding } from "../review/model-answers.ts";
import type { Counters } from "./counters.ts";
import type { Parts } from "./parts.ts";

/** A country database older than this is shown with a warning: networks move by a few percent a year. */
const OLD_DAYS = 120;
/** A collector without a batch for so long is shown as waiting. */
const QUIET_MS = 5 * 60_000;

/** How the service is, for the console and `/readyz`. */
export function healthOf(counters: Counters, standing: ModelStanding): Health {
  const now = Date.now();
  return {
    ready: true,
    components: [modelHealth(standing), ...collectorHealth(counters, now)],
  };
}

/** The model fails, as a part, where drift stopped its thresholds or its shadow cannot score. */
function modelHealth({ model, pools, shadow }: ModelStanding): Health["components"][number] {
  const stopped = pools.filter(({ state }) => state === "stop").map(({ pool }) => pool);
  const details = [
    ...(stopped.length > 0 ? [`inputs drifted, thresholds do not hold: ${stopped.join(", ")}`] : []),
    ...(shadow && shadow.failures > 0 ? [`the shadow could not score ${shadow.failures} windows`] : []),
  ];
  return {
    name: `${model.name} ${model.version}`,
    role: "model",
    state: details.length > 0 ? "failed" : pools.length > 0 ? "running" : "waiting",
    detail: details.join("; ") || (pools.length > 0 ? "" : "no window yet"),
  };
}

function collectorHealth(counters: Counters, now: number): Health["components"] {
  return counters
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
    }));
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
