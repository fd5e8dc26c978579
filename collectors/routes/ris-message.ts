import { z } from "zod";
import { canonicalPrefix } from "./watched.ts";

/**
 * What RIS Live sends (ris-live.ripe.net, "RIS message" manual): one UPDATE of one peer of one route collector, with
 * what it announces and withdraws. An AS path may nest sets; `peer_asn` is a string. IPv6 prefixes are announced with
 * "::" and withdrawn with every zero written out, so that they are brought to one form here.
 */
const prefix = z
  .string()
  .max(64)
  .transform((text, context) => {
    const canonical = canonicalPrefix(text);
    if (canonical !== undefined) return canonical;
    context.addIssue({ code: "custom", message: "not a prefix" });
    return z.NEVER;
  });
const asn = z.number().int().min(0).max(4_294_967_295);
const update = z.object({
  timestamp: z.number().min(0).max(8.64e12),
  peer: z.string().min(1).max(64),
  peer_asn: z.union([z.string().max(16), z.number()]),
  host: z.string().min(1).max(64),
  type: z.literal("UPDATE"),
  path: z
    .array(z.union([asn, z.array(asn).max(256)]))
    .max(256)
    .optional(),
  announcements: z
    .array(z.object({ prefixes: z.array(prefix).max(10_000) }))
    .max(1000)
    .optional(),
  withdrawals: z.array(prefix).max(10_000).optional(),
});
const message = z.object({ type: z.string().max(64), data: z.unknown() });

/** The service's answers and lists, which are stepped over. */
const ANSWERS = new Set(["ris_subscribe_ok", "ris_unsubscribe_ok", "ris_rrc_list", "pong"]);
/** What a peer and its collector say to each other beside routes. The state has been seen under both names. */
const CONVERSATION = new Set(["KEEPALIVE", "OPEN", "NOTIFICATION", "STATE", "RIS_PEER_STATE"]);

/** One peer's news. */
export interface Update {
  atMs: number;
  /** Peer and collector together name one view of the Internet. */
  peer: string;
  collector: string;
  /** Nearest network first, origin last; of a set its first member stands for it. */
  path: number[];
  announced: string[];
  withdrawn: string[];
}

/** An update, an error of the service, something to step over, or why it is none of these. */
export type RisReading =
  | { kind: "update"; update: Update }
  | { kind: "error"; message: string }
  | { kind: "other" }
  | { kind: "bad"; reason: string };

const errorData = z.object({ message: z.string() });

/** Reads one message as text. Never throws. */
export function readRisMessage(text: string): RisReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "bad", reason: "not JSON" };
  }
  const outer = message.safeParse(value);
  if (!outer.success) return { kind: "bad", reason: "not a RIS message" };
  const { type, data } = outer.data;
  if (type === "ris_error") {
    const error = errorData.safeParse(data);
    return { kind: "error", message: error.success ? error.data.message.slice(0, 256) : "unknown error" };
  }
  if (ANSWERS.has(type)) return { kind: "other" };
  if (type !== "ris_message") return { kind: "bad", reason: "message of an unknown type" };
  const what = (data as { type?: unknown } | null)?.type;
  if (typeof what === "string" && what !== "UPDATE") {
    return CONVERSATION.has(what)
      ? { kind: "other" }
      : { kind: "bad", reason: "BGP message of an unknown type" };
  }
  const parsed = update.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { kind: "bad", reason: `${issue?.path.join(".")}: ${issue?.message}` };
  }
  const { timestamp, peer, host, path = [], announcements = [], withdrawals = [] } = parsed.data;
  return {
    kind: "update",
    update: {
      atMs: Math.floor(timestamp * 1000),
      peer,
      collector: host,
      path: path.flatMap((part) => (Array.isArray(part) ? part.slice(0, 1) : [part])),
      announced: announcements.flatMap(({ prefixes }) => prefixes),
      withdrawn: withdrawals,
    },
  };
}
