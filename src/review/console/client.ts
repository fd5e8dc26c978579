import type { FlagState, OUTCOMES } from "#core/flag.ts";
import type {
  AuditCheck,
  AuditLine,
  DataNotice,
  DeliveryList,
  FlagDetail,
  FlagPage,
  FlagSummary,
  MetricTable,
  Screened,
  Source,
  Status,
  WatchLists,
  // biome-ignore lint/style/noRestrictedImports: The console shares the API's types, and only those, with the server beside it.
} from "../answers.ts";
// biome-ignore lint/style/noRestrictedImports: As above.
import type { ModelAnswer, PoolStanding } from "../model-answers.ts";
// biome-ignore lint/style/noRestrictedImports: As above.
import type { Network } from "../network-routes.ts";

export type {
  AuditLine,
  DataNotice,
  FlagDetail,
  FlagSummary,
  MetricTable,
  ModelAnswer,
  Network,
  PoolStanding,
  Screened,
  Source,
  Status,
  WatchLists,
};

export type Outcome = (typeof OUTCOMES)[number];

/** An answer that was no: its status and the sentence the server gave. Status 0: there was no answer. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", ...(signal ? { signal } : {}) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "The service does not answer.");
  }
  const answer = (await response.json().catch(() => null)) as { detail?: string } | null;
  if (!response.ok)
    throw new ApiError(response.status, answer?.detail ?? `The service answered ${response.status}.`);
  return answer as T;
}

/** Query text of the values that are set. */
export function queryText(values: Record<string, string | number | undefined | null>): string {
  const set = Object.entries(values).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString();
}

const id = encodeURIComponent;

/** The API as the console uses it. Each rejects with an ApiError. */
export const client = {
  status: () => ask<Status>("GET", "/status"),
  signIn: (token: string) => ask<Status["user"]>("POST", "/session", { token }),
  signOut: () => ask<unknown>("DELETE", "/session"),
  flags: (query: Record<string, string | number | undefined | null>, signal?: AbortSignal) =>
    ask<FlagPage>("GET", `/flags?${queryText({ view: "summary", ...query })}`, undefined, signal),
  flag: (flagId: string) => ask<FlagDetail>("GET", `/flags/${id(flagId)}`),
  decide: (flagId: string, outcome: Outcome, comment: string) =>
    ask<unknown>("POST", `/flags/${id(flagId)}/verdicts`, { outcome, comment }),
  setState: (flagId: string, state: FlagState) =>
    ask<unknown>("POST", `/flags/${id(flagId)}/state`, { state }),
  setStateOfAll: (filter: Record<string, string>, state: FlagState, seenAt: string, after?: string) =>
    ask<{ changed: number; left: number; next: string | null }>("POST", "/flags/state", {
      filter,
      state,
      seenAt,
      ...(after ? { after } : {}),
    }),
  metrics: (query: {
    measurement: string;
    from: string;
    to: string;
    by?: string;
    where?: string;
    level?: string;
  }) => ask<MetricTable>("GET", `/metrics/query?${queryText(query)}`),
  model: () => ask<ModelAnswer>("GET", "/model"),
  forgetReference: (pool: string) => ask<unknown>("POST", `/model/pools/${id(pool)}/reference`),
  screen: (value: string) => ask<Screened>("GET", `/screen?${queryText({ value })}`),
  lists: () => ask<WatchLists>("GET", "/lists"),
  network: () => ask<Network>("GET", "/network"),
  screenings: (value: string) =>
    ask<{ screenings: Screened["earlier"] }>("GET", `/screenings?${queryText({ value })}`),
  deliveries: (state: string) => ask<DeliveryList>("GET", `/deliveries?${queryText({ state, limit: 200 })}`),
  resend: (deliveryId: string) => ask<unknown>("POST", `/deliveries/${id(deliveryId)}/resend`),
  enable: (destination: string) => ask<unknown>("POST", `/destinations/${id(destination)}/enable`),
  verifyAudit: () => ask<AuditCheck>("GET", "/audit/verify"),
  audit: (afterId: number) =>
    ask<{ entries: AuditLine[] }>("GET", `/audit?${queryText({ afterId, limit: 200 })}`),
};
