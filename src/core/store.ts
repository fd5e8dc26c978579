import type { Flag, FlagState, Verdict } from "#core/flag.ts";
import type { HourMetric } from "#core/hour-metrics.ts";
import type { MetricDelta, MetricQuery, MetricRow } from "#core/metrics.ts";
import type { Counterfactual } from "#core/model.ts";
import type { Answered } from "#core/precision.ts";
import type { Screening } from "#core/screening.ts";
import type { Standing } from "#core/sightings.ts";

/** What one checkpoint commits, all or nothing: how far each source was read and everything that reading changed. */
export interface Checkpoint {
  /** Collector name → cursor. Only the changed ones. */
  cursors: ReadonlyMap<string, string>;
  /** Account key → its state's bytes; none: the account is forgotten. Only the changed ones. */
  accounts: ReadonlyMap<string, Uint8Array>;
  deltas: readonly MetricDelta[];
}

/** Where metrics live. SQLite is the record and commits checkpoints; others follow it with absolute rows. */
export interface Store {
  readonly name: string;
  /** Takes absolute buckets. Idempotent: the same row twice is the same row. */
  write(rows: readonly MetricRow[]): Promise<void>;
  /** Rows in order of bucket, then tags. */
  query(query: MetricQuery): Promise<MetricRow[]>;
  close(): Promise<void>;
}

/** The embedded store as the analysis sees it: a Store that can also commit and recover. */
export interface CheckpointStore extends Store {
  /** Commits in one transaction and returns the absolute rows it changed, both levels. */
  commit(checkpoint: Checkpoint): Promise<MetricRow[]>;
  /** What the last commit left: cursors, and every account's state. */
  recover(): Promise<{
    cursors: Map<string, string>;
    accounts: AsyncIterable<{ key: string; state: Uint8Array }>;
  }>;
}

/** One line of the audit trail, with what changed. */
export interface AuditEntry {
  id: number;
  atMs: number;
  actor: string;
  action: string;
  flagId: string | null;
  before: unknown;
  after: unknown;
}

/** A delivery waiting in the outbox, or what became of it. */
export interface Delivery {
  /** Also the webhook id: the receiver de-duplicates by it. */
  id: string;
  destination: string;
  event: string;
  flagId: string | null;
  body: string;
  state: "waiting" | "delivered" | "dead";
  attempts: number;
  createdMs: number;
  nextMs: number;
  lastError: string | null;
}

/** Which flags, in what order; all filters optional. Newest first unless `order` says by score. */
export interface FlagQuery {
  state?: FlagState;
  kind?: Flag["kind"];
  severity?: Flag["severity"];
  typology?: string;
  pool?: string;
  /** Part of an account's name. */
  text?: string;
  order?: "updated" | "score";
  limit?: number;
  /** Opaque, from the page before. */
  after?: string;
}

/**
 * What a flag's page shows beside the flag, taken when the flag was raised or last updated and kept with it:
 * hourly work of the last week, change points and the sources the shares came from.
 */
export interface FlagEvidence {
  /** Start of the first hour, milliseconds. */
  fromMs: number;
  /** Hashes of accepted work per hour, and shares per hour (for the Poisson band). */
  workPerHour: number[];
  sharesPerHour: number[];
  changes: { atMs: number; ratio: number; logLikelihoodRatio: number }[];
  /** Changes of single workers, oldest first; absent where none was found. */
  workers?: {
    worker: string;
    became: "silent" | "back" | "changed";
    atMs: number;
    ratio: number;
    logLikelihoodRatio: number;
  }[];
  /** Hours in which a metric that is no count became extreme, oldest first; absent where none did. */
  extremes?: { metric: HourMetric; atMs: number; value: number; threshold: number }[];
  sources: {
    ip: string;
    country: string;
    region: string;
    asn: number;
    holder: string;
    kind: string;
    tier: string;
    agent: string;
    shares: number;
    work: number;
    firstMs: number;
    lastMs: number;
    facts: { fact: string; value: string; source: string }[];
  }[];
  /** Feature name → value, null where it could not be computed. */
  features: Record<string, number | null>;
  /** Part of honest accounts of its hardware and age that score as high; absent for screening hits. */
  conformalP?: number;
  /** What would take the score below the threshold; absent for screening hits, null where nothing was found. */
  counterfactual?: Counterfactual | null;
}

/** What raising a flag did: a new one, an open one brought up to date, or nothing new to tell. */
export type Raised = "opened" | "updated" | "unchanged";

/** What happened to a flag; also the name of the event destinations are told. */
export type FlagEvent = "flag.opened" | "flag.updated" | "flag.closed";

/** A change of a flag, told after it is durable. */
export interface FlagChange {
  event: FlagEvent;
  flag: Flag;
}

/** How many flags of a kind are in a state, and when the first and the last of them were opened. */
export interface FlagVolume {
  kind: Flag["kind"];
  state: FlagState;
  flags: number;
  firstMs: number;
  lastMs: number;
}

/** A destination that no longer takes deliveries: since when, and why. */
export interface Disabled {
  destination: string;
  reason: string;
  sinceMs: number;
}

/** The operations store: flags, evidence, verdicts, audit and outbox. Each call that changes anything is one durable transaction. */
export interface OpsStore {
  /**
   * Flag, audit record and one outbox row a destination in one transaction. An open flag of the same account and
   * kind is updated instead, and told again only when its severity rose. Calling twice with the same flag changes nothing.
   */
  raise(flag: Flag, evidence: FlagEvidence, destinations: readonly string[]): Promise<Raised>;
  flags(query: FlagQuery): Promise<{ flags: Flag[]; next: string | null; total: number }>;
  flag(
    id: string,
  ): Promise<{ flag: Flag; evidence: FlagEvidence; verdicts: Verdict[]; audit: AuditEntry[] } | null>;
  /** Records the verdict, closes the flag, writes the audit line. Null: no such flag. */
  decide(verdict: Verdict): Promise<Flag | null>;
  setState(flagId: string, state: FlagState, actor: string, atMs: number): Promise<Flag | null>;
  /** Flags with their last verdict, given since an instant: what precision is measured from. */
  answered(sinceMs: number): Promise<Answered[]>;
  volume(): Promise<FlagVolume[]>;
  audit(query: { afterId?: number; limit?: number }): Promise<AuditEntry[]>;
  /** Writes an audit line for something that changed nothing in this store. */
  note(entry: { atMs: number; actor: string; action: string; after: unknown }): Promise<void>;
  /**
   * Screenings, misses too; recorded compactly (one row a value, list version and day). With them, what was acted upon:
   * a standing without matches stands no longer.
   */
  recordScreenings(screenings: readonly Screening[], standings?: readonly Standing[]): Promise<void>;
  screenings(value: string): Promise<Screening[]>;
  /** The last screening of every name that was asked about, and of every region. */
  lastScreenings(subject: "name" | "region"): Promise<Screening[]>;
  /** Everything that meets something, by what was acted upon. */
  standings(): Promise<Standing[]>;
  /** Versions of everything that all known was last screened against; "" before the first time. */
  ground(): Promise<string>;
  settleGround(ground: string): Promise<void>;
  /** Outbox: what is due (of one destination, where one is named), what became of it, and the dead letters. */
  due(nowMs: number, limit: number, destination?: string): Promise<Delivery[]>;
  /** When the next waiting delivery of a destination is due. Null: none waits. */
  nextDueMs(destination: string): Promise<number | null>;
  settle(
    id: string,
    outcome: { state: Delivery["state"]; attempts: number; nextMs: number; lastError: string | null },
  ): Promise<void>;
  deliveries(query: { state?: Delivery["state"]; limit?: number }): Promise<Delivery[]>;
  /** Puts one marked message into the outbox outside any flag (a test alert). */
  enqueue(delivery: Pick<Delivery, "id" | "destination" | "event" | "body" | "createdMs">): Promise<void>;
  /** Sends a dead letter again from its first attempt. False: no such dead letter. */
  resend(id: string, nowMs: number, actor?: string): Promise<boolean>;
  /** Stops deliveries to a destination (its receiver said 410): what waits for it becomes dead letters, and what comes. */
  disable(disabled: Disabled): Promise<void>;
  /** Takes a destination up again; its dead letters stay until they are sent again. */
  enable(destination: string, actor?: string): Promise<void>;
  disabled(): Promise<Disabled[]>;
  /** Recomputes the audit trail's hash chain. `head` is the last line's hash, `brokenAtId` the first line that does not fit. */
  verifyAudit(): Promise<{ entries: number; head: string; brokenAtId: number | null }>;
  /** Calls `listener` after every durable change of a flag, until the answer is called. */
  onChange(listener: (change: FlagChange) => void): () => void;
  /** Calls `listener` whenever something may have become due in the outbox, until the answer is called. */
  onOutbox(listener: () => void): () => void;
  close(): Promise<void>;
}
