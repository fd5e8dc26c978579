import { z } from "zod";

/**
 * What collectors see, in the one schema everything else reads. On the wire an observation is one JSON object a
 * line with `at` in RFC 3339 UTC; in memory it carries `atMs` (milliseconds since the epoch, UTC) instead.
 * The zod schemas here are the source of the types, of the validation at the door and of the OpenAPI document.
 */

/** Longest accepted text in any field, in UTF-16 units. A longer account or worker name is refused, never cut. */
export const MAX_TEXT = 256;
/** Largest accepted share difficulty; the total work of all Bitcoin blocks is near 1e25 hashes / 2^32. */
export const MAX_DIFFICULTY = 1e18;
/** An observation dated further ahead of the receiver's clock than this is refused, not believed. */
export const MAX_AHEAD_MS = 10 * 60_000;

/** Control characters (newline and NUL among them) would forge lines in logs, line protocol and terminals. */
const NO_CONTROL = /^[^\p{Cc}\u2028\u2029]*$/u;
const text = z.string().min(1).max(MAX_TEXT).regex(NO_CONTROL, "has control characters");

/** Whether a value may stand in a text field; for decoders that build observations without going through the wire schema. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT && NO_CONTROL.test(value);
}
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const port = z.number().int().min(0).max(65_535);
const milliseconds = z.number().min(0).max(600_000);
const instant = z.iso.datetime({ offset: true });

const OUTCOMES = ["accepted", "stale", "duplicate", "low-difficulty", "invalid"] as const;
const SESSION_EVENTS = ["open", "subscribe", "authorize", "close"] as const;

const share = z.object({
  type: z.literal("share"),
  at: instant,
  pool: text,
  algorithm: text,
  account: text,
  worker: text.optional(),
  session: text.optional(),
  ip: text.optional(),
  agent: text.optional(),
  difficulty: z.number().positive().max(MAX_DIFFICULTY),
  /** Difficulty the pool credits where it differs from the one bound to the job. */
  credited: z.number().min(0).max(MAX_DIFFICULTY).optional(),
  outcome: z.enum(OUTCOMES),
});

const session = z.object({
  type: z.literal("session"),
  at: instant,
  pool: text,
  session: text,
  event: z.enum(SESSION_EVENTS),
  ip: text,
  port: port.optional(),
  account: text.optional(),
  worker: text.optional(),
  agent: text.optional(),
  rttMs: milliseconds.optional(),
  appRttMs: milliseconds.optional(),
  tls: z.boolean().optional(),
  /** JA4 of the client's TLS hello: which TLS library and settings the miner has, whatever its address. */
  tlsFingerprint: text.optional(),
  reason: text.optional(),
});

const job = z.object({
  type: z.literal("job"),
  at: instant,
  pool: text,
  jobId: text,
  height: count.optional(),
  prevHash: text,
  coinbaseTag: text.optional(),
  outputs: z
    .array(z.object({ address: text, value: z.number().min(0) }))
    .max(256)
    .optional(),
  clean: z.boolean(),
});

const flow = z.object({
  type: z.literal("flow"),
  at: instant,
  exporter: text,
  src: text,
  dst: text,
  srcPort: port,
  dstPort: port,
  protocol: z.number().int().min(0).max(255),
  bytes: z.number().min(0),
  packets: z.number().min(0),
  start: instant,
  end: instant,
  tcpFlags: z.number().int().min(0).max(65_535).optional(),
  sampling: z.number().min(1).optional(),
  /** TCP round trip between the two ends, where the exporter measures it. */
  rttMs: milliseconds.optional(),
});

const route = z.object({
  type: z.literal("route"),
  at: instant,
  prefix: text,
  event: z.enum(["announce", "withdraw"]),
  path: z.array(z.number().int().min(0)).max(256).optional(),
  originAs: z.number().int().min(0).optional(),
  peer: text,
  collector: text,
});

const payout = z.object({
  type: z.literal("payout"),
  at: instant,
  pool: text,
  coin: text,
  account: text,
  address: text,
  amount: z.number().min(0),
  txid: text.optional(),
});

const price = z.object({
  type: z.literal("price"),
  at: instant,
  coin: text,
  currency: text,
  price: z.number().min(0),
});

/** The wire schema: what `POST /api/v1/observations` and NDJSON files hold, one object a line. */
export const wireObservation = z.discriminatedUnion("type", [
  share,
  session,
  job,
  flow,
  route,
  payout,
  price,
]);

type Wire = z.infer<typeof wireObservation>;
type InMemory<T> = T extends { at: string } ? Omit<T, "at" | "start" | "end"> & { atMs: number } : never;

/** How a pool answered a share. Only `accepted` counts as work. */
export type Outcome = (typeof OUTCOMES)[number];
/** One share, `difficulty` in the algorithm's own unit as bound to the job. */
export type Share = InMemory<z.infer<typeof share>>;
/** A step in the life of one miner's connection; round trips in milliseconds. */
export type Session = InMemory<z.infer<typeof session>>;
/** A job (block template) a pool handed out. */
export type Job = InMemory<z.infer<typeof job>>;
/** One flow record; `bytes` and `packets` are scaled by `sampling` where that is present. */
export type Flow = InMemory<z.infer<typeof flow>> & { startMs: number; endMs: number };
/** One announcement or withdrawal of one prefix, as one peer of one route collector saw it. */
export type Route = InMemory<z.infer<typeof route>>;
/** One payment from a pool to an address, `amount` in whole coins. */
export type Payout = InMemory<z.infer<typeof payout>>;
/** A coin's price in a currency. */
export type Price = InMemory<z.infer<typeof price>>;
export type Observation = Share | Session | Job | Flow | Route | Payout | Price;

/** Why a piece of input was not taken, and where it stood: `place` is "file:line", "connection" or the like. */
export interface Refusal {
  reason: string;
  place: string;
  /** How many in a row this stands for; 1 unless said. */
  count?: number;
}

/** What `readObservation` makes of a wire value: an observation (with the number of fields it left out) or a reason. */
export type Reading = { observation: Observation; unknownFields: number } | { reason: string };

/**
 * Validates one parsed wire value. Never throws. Unknown fields are kept out and counted.
 * `nowMs` is the receiver's clock; pass Infinity where event time may be anything (replay).
 */
export function readObservation(value: unknown, nowMs: number): Reading {
  const parsed = wireObservation.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".");
    return { reason: where ? `${where}: ${issue?.message}` : (issue?.message ?? "not an observation") };
  }
  const { at, ...rest } = parsed.data;
  const atMs = Date.parse(at);
  if (!(atMs >= 0)) return { reason: "at: before 1970" };
  if (atMs > nowMs + MAX_AHEAD_MS) return { reason: "at: in the future" };
  const unknownFields = Object.keys(value as object).length - Object.keys(parsed.data).length;
  if (rest.type === "flow") {
    const { start, end, ...flowRest } = rest;
    const observation = { ...flowRest, atMs, startMs: Date.parse(start), endMs: Date.parse(end) };
    return { observation, unknownFields };
  }
  return { observation: { ...rest, atMs } as Observation, unknownFields };
}

/** The wire form of an observation: one line without its newline. `type` and `at` come first. */
export function writeObservation(observation: Observation): string {
  const { type, atMs, ...rest } = observation;
  const wire: Record<string, unknown> = { type, at: new Date(atMs).toISOString(), ...rest };
  if (observation.type === "flow") {
    delete wire.startMs;
    delete wire.endMs;
    wire.start = new Date(observation.startMs).toISOString();
    wire.end = new Date(observation.endMs).toISOString();
  }
  return JSON.stringify(wire satisfies Partial<Record<keyof Wire, unknown>> as object);
}
