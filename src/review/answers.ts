import { z } from "zod";
import { FAMILIES, FLAG_STATES, flag, OUTCOMES, SEVERITIES } from "#core/flag.ts";
import { HOUR_METRICS } from "#core/hour-metrics.ts";

/**
 * Every shape the API takes and gives. They are the source of the OpenAPI document, of the tests and of the console's types.
 * Names ending in `Ms` are milliseconds since the epoch; the others are RFC 3339 UTC.
 */

const milliseconds = z.number().int();

/** What went wrong, as RFC 9457 has it. Never a stack trace. */
export const problem = z.object({
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  /** Each mistake in the request with its place. */
  mistakes: z.array(z.string()).optional(),
});

const source = z.object({
  ip: z.string(),
  country: z.string(),
  region: z.string(),
  asn: z.number(),
  holder: z.string(),
  kind: z.string(),
  tier: z.string(),
  agent: z.string(),
  shares: z.number(),
  work: z.number(),
  firstMs: z.number(),
  lastMs: z.number(),
  facts: z.array(z.object({ fact: z.string(), value: z.string(), source: z.string() })),
});
export type Source = z.infer<typeof source>;

/** What stood behind the flag when it was raised or last updated. */
export const flagEvidence = z.object({
  fromMs: z.number(),
  workPerHour: z.array(z.number()),
  sharesPerHour: z.array(z.number()),
  changes: z.array(z.object({ atMs: z.number(), ratio: z.number(), logLikelihoodRatio: z.number() })),
  /** Part of honest accounts of its hardware and age that score as high; absent for screening hits. */
  conformalP: z.number().optional(),
  /** Changes of single workers of an account that keeps its own series; absent where none was found. */
  workers: z
    .array(
      z.object({
        worker: z.string(),
        became: z.enum(["silent", "back", "changed"]),
        atMs: z.number(),
        ratio: z.number(),
        logLikelihoodRatio: z.number(),
      }),
    )
    .optional(),
  /** Hours in which such an account's round trips or stale shares became extreme; absent where none did. */
  extremes: z
    .array(
      z.object({ metric: z.enum(HOUR_METRICS), atMs: z.number(), value: z.number(), threshold: z.number() }),
    )
    .optional(),
  sources: z.array(source),
  features: z.record(z.string(), z.number().nullable()),
  /** Changes that would take the score below the threshold, scored again; absent where nothing was estimated. */
  counterfactual: z
    .object({
      threshold: z.number(),
      value: z.number(),
      changes: z.array(z.object({ feature: z.string(), from: z.number(), to: z.number() })),
    })
    .nullable()
    .optional(),
});

export const verdictGiven = z.object({
  flagId: z.string(),
  outcome: z.enum(OUTCOMES),
  comment: z.string(),
  actor: z.string(),
  atMs: milliseconds,
});

export const auditEntry = z.object({
  id: z.number().int(),
  atMs: milliseconds,
  actor: z.string(),
  action: z.string(),
  flagId: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
});
export type AuditLine = z.infer<typeof auditEntry>;

/** A flag without its reasons: a row of the queue and what the stream tells. */
export const flagSummary = flag.omit({ reasons: true, model: true, lists: true });
export type FlagSummary = z.infer<typeof flagSummary>;

export const flagPage = z.object({
  /** Whole flags, or summaries where `view=summary` was asked for. */
  flags: z.array(z.union([flag, flagSummary])),
  /** Give it back as `after` for the page that follows; null on the last one. */
  next: z.string().nullable(),
  /** How many match, over all pages. */
  total: z.number().int(),
});
export type FlagPage = { flags: FlagSummary[]; next: string | null; total: number };

export const flagDetail = z.object({
  flag,
  evidence: flagEvidence,
  verdicts: z.array(verdictGiven),
  audit: z.array(auditEntry),
});
export type FlagDetail = z.infer<typeof flagDetail>;

/** Filters over flags, the same in the list, in bulk and in the console's address bar. */
export const flagFilter = z.object({
  state: z.enum(FLAG_STATES).optional(),
  kind: z.enum(["anomaly", "screening"]).optional(),
  severity: z.enum(SEVERITIES).optional(),
  typology: z.string().max(64).optional(),
  pool: z.string().max(256).optional(),
  text: z.string().max(256).optional().describe("Part of an account's name."),
});

export const bulkChange = z.object({
  filter: flagFilter,
  state: z.enum(FLAG_STATES),
  after: z.string().optional().describe("`next` of the answer before, to go on."),
  seenAt: z.iso
    .datetime({ offset: true })
    .describe("When the operator saw what is to be changed: flags updated later are left alone."),
});

export const bulkChanged = z.object({
  changed: z.number().int(),
  /** Already in that state, or updated after `seenAt`. */
  left: z.number().int(),
  next: z.string().nullable(),
});

export const metricTable = z.object({
  measurement: z.string(),
  level: z.enum(["1m", "1h"]),
  /** Names of `tags` in each row. */
  tags: z.array(z.string()),
  /** Names of `values` in each row; NaN, where a bucket has no value, is null. */
  fields: z.array(z.string()),
  rows: z.array(
    z.object({
      bucketMs: milliseconds,
      tags: z.array(z.string()),
      values: z.array(z.number().nullable()),
    }),
  ),
});
export type MetricTable = z.infer<typeof metricTable>;

const listVersion = z.object({ name: z.string(), version: z.string() });
const screening = z.object({
  subject: z.enum(["address", "network", "region", "name"]),
  value: z.string(),
  atMs: milliseconds,
  lists: z.array(listVersion),
  matches: z.array(z.object({ list: listVersion, entry: z.string(), note: z.string(), source: z.string() })),
});

export const screened = z.object({
  screening,
  /** Where the address is, when the value is an IP address. */
  origin: z
    .object({
      country: z.string(),
      region: z.string(),
      asn: z.number(),
      holder: z.string(),
      kind: z.string(),
      tier: z.string(),
      confidence: z.number(),
      facts: z.array(z.object({ fact: z.string(), value: z.string(), source: z.string() })),
    })
    .nullable(),
  /** Earlier answers for the same value, newest first. */
  earlier: z.array(screening),
});
/** What was asked of one value before. */
export const screeningList = z.object({ screenings: z.array(screening) });
export type Screened = z.infer<typeof screened>;

const watchList = z.object({
  name: z.string(),
  /** The one in use; "" before the first was fetched. */
  version: z.string(),
  entries: z.number().int(),
  source: z.string(),
  /** The publisher's day, null where the list does not say. */
  publishedAt: z.string().nullable(),
  /** When the source was last reached, RFC 3339; null for never, and for what comes with Assay. */
  checkedAt: z.string().nullable(),
  /** The source was not reached for longer than the list allows. */
  stale: z.boolean(),
  /** Why the last attempt came to nothing, "" when it did not. */
  lastError: z.string(),
  /** Versions that were in use, newest first, a hundred at most. */
  history: z.array(
    z.object({
      version: z.string(),
      /** When it was taken into use, RFC 3339. */
      takenAt: z.string(),
      entries: z.number().int(),
      added: z.number().int(),
      removed: z.number().int(),
    }),
  ),
});
/** What is held against, list by list. */
export const watchLists = z.object({ lists: z.array(watchList) });
export type WatchLists = z.infer<typeof watchLists>;

const delivery = z.object({
  id: z.string(),
  destination: z.string(),
  event: z.string(),
  flagId: z.string().nullable(),
  state: z.enum(["waiting", "delivered", "dead"]),
  attempts: z.number().int(),
  createdMs: milliseconds,
  nextMs: milliseconds,
  lastError: z.string().nullable(),
});
export const deliveryList = z.object({
  deliveries: z.array(delivery),
  /** Destinations that no longer take deliveries: their receivers said 410. */
  disabled: z.array(z.object({ destination: z.string(), reason: z.string(), sinceMs: milliseconds })),
});
export type DeliveryList = z.infer<typeof deliveryList>;

export const auditPage = z.object({ entries: z.array(auditEntry) });

/** Whether the trail's hash chain holds: each line carries a hash over itself and the line before. */
export const auditCheck = z.object({
  entries: z.number().int(),
  /** The last line's hash: write it down elsewhere, and nobody can shorten the trail unseen. */
  head: z.string(),
  /** The first line that does not fit, or null. */
  brokenAtId: z.number().int().nullable(),
});
export type AuditCheck = z.infer<typeof auditCheck>;

const dataNotice = z.object({
  /** "Country database", "OFAC SDN addresses". */
  name: z.string(),
  source: z.string(),
  version: z.string(),
  /** When the data was made, null where the source does not say. */
  builtAt: z.string().nullable(),
  /** Why an operator should look after it; null when all is well. */
  warning: z.string().nullable(),
});
export type DataNotice = z.infer<typeof dataNotice>;

const health = z.object({
  ready: z.boolean(),
  components: z.array(
    z.object({
      name: z.string(),
      /** "collector", "store", "delivery", "analysis". */
      role: z.string(),
      state: z.enum(["running", "waiting", "failed"]),
      detail: z.string(),
      observations: z.number().optional(),
      refused: z.number().optional(),
      /** Wall clock less event time at the last batch; null before the first. */
      lagMs: z.number().nullable().optional(),
      restarts: z.number().optional(),
      /** The latest bad input with its places. */
      refusals: z.array(z.object({ place: z.string(), reason: z.string() })).optional(),
    }),
  ),
});
export type Health = z.infer<typeof health>;

export const status = z.object({
  version: z.string(),
  demo: z.boolean(),
  nowMs: milliseconds,
  user: z.object({ name: z.string(), role: z.enum(["ingest", "reader", "reviewer", "admin"]) }),
  /** False where only loopback may connect and nobody signs in. */
  signIn: z.boolean(),
  health,
  data: z.array(dataNotice),
  families: z.array(z.enum(FAMILIES)),
});
export type Status = z.infer<typeof status>;
