import { z } from "zod";
import type { Batch } from "#core/collector.ts";
import { isText, type Observation, type Outcome, type Refusal, type Session } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import type { PoolContext } from "./share.ts";
import { spread } from "./spread.ts";

const count = z.number().min(0);

/** Counters of a channel, as the pool (`shares_accepted`) or the translator (`shares_acknowledged`) keeps them. */
const channel = z
  .object({
    channel_id: count,
    user_identity: z.string(),
    shares_accepted: count.optional(),
    shares_acknowledged: count.optional(),
    shares_rejected: count.default(0),
    shares_rejected_by_reason: z.record(z.string(), count).optional(),
    share_work_sum: count,
  })
  .transform((found) => ({
    id: found.channel_id,
    user: found.user_identity,
    accepted: found.shares_accepted ?? found.shares_acknowledged ?? 0,
    work: found.share_work_sum,
    rejected: found.shares_rejected_by_reason ?? { unknown: found.shares_rejected },
  }));
export type Channel = z.infer<typeof channel>;

export const global = z.object({
  uptime_secs: count,
  sv2_clients: z.unknown().optional(),
  sv1_clients: z.unknown().optional(),
});
export const channels = z.object({
  limit: count,
  total_extended: count,
  total_standard: count,
  extended_channels: z.array(channel),
  standard_channels: z.array(channel),
});
export const sv2Clients = z.object({ total: count, items: z.array(z.object({ client_id: count })) });
const sv1Client = z.object({
  client_id: count,
  channel_id: count.nullish(),
  connection_ip: z.string().optional(),
  sv1_username: z.string().default(""),
  sv1_worker_name: z.string().default(""),
});
export const sv1Clients = z.object({ total: count, items: z.array(sv1Client) });
type Sv1Client = z.infer<typeof sv1Client>;

/** One look: every channel under the client it belongs to, and the translator's miners. */
export interface SriAnswers {
  uptimeSeconds: number;
  channels: { client: number; channel: Channel }[];
  miners: Sv1Client[];
}

/** Counters last seen, by "<client>/<channel>", and miners by id. `starts` tells one run of the program from another. */
export interface SriPlace {
  atMs: number;
  uptimeSeconds: number;
  starts: number;
  channels: Record<string, Pick<Channel, "accepted" | "work" | "rejected">>;
  miners: Record<string, { ip: string; user: string }>;
}

/** What was counted and who came and went since `before`; null before the first look. */
export function decodeSri(
  context: PoolContext,
  before: SriPlace | null,
  answers: SriAnswers,
): { batch: Batch; place: SriPlace } {
  const restarted = before !== null && answers.uptimeSeconds < before.uptimeSeconds;
  const starts = (before?.starts ?? 0) + (restarted ? 1 : 0);
  const place: SriPlace = {
    atMs: context.nowMs,
    uptimeSeconds: answers.uptimeSeconds,
    starts,
    channels: {},
    miners: {},
  };
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];

  for (const miner of answers.miners) {
    const known = { ip: miner.connection_ip ?? "unknown", user: miner.sv1_username };
    place.miners[miner.client_id] = known;
    if (!restarted && before?.miners[miner.client_id] !== undefined) continue;
    observations.push(session(context, `${starts}-${miner.client_id}`, "authorize", known));
  }
  for (const [id, known] of Object.entries(before?.miners ?? {})) {
    if (!restarted && place.miners[id] !== undefined) continue;
    observations.push(session(context, `${before!.starts}-${id}`, "close", known));
  }

  const minersOf = Map.groupBy(answers.miners, (miner) => miner.channel_id ?? -1);
  for (const { client, channel: found } of answers.channels) {
    const key = `${client}/${found.id}`;
    place.channels[key] = { accepted: found.accepted, work: found.work, rejected: found.rejected };
    if (before === null) continue;
    const old = restarted ? undefined : before.channels[key];
    const from = old === undefined || found.accepted < old.accepted || found.work < old.work ? NONE : old;
    // A channel of one miner is that miner's; one that the translator aggregates belongs to nobody in particular.
    const owners = minersOf.get(found.id) ?? [];
    const owner = owners.length === 1 ? owners[0] : undefined;
    const gain = {
      ...accountOf(found.user),
      ip: owner?.connection_ip,
      session: owner === undefined ? undefined : `${starts}-${owner.client_id}`,
      fromMs: before.atMs,
      toMs: context.nowMs,
    };
    const mean = found.accepted > 0 ? found.work / found.accepted : 1;
    const put = (shares: number, difficulty: number, outcome: Outcome) => {
      if (shares <= 0) return;
      const made = spread(context, { ...gain, count: shares, difficulty, outcome });
      if (typeof made === "string") refuse(refusals, made, `channel ${key}`, shares);
      else for (const share of made) observations.push(share);
    };
    put(found.accepted - from.accepted, found.work - from.work, "accepted");
    for (const [reason, total] of Object.entries(found.rejected)) {
      const shares = total - (from.rejected[reason] ?? 0);
      put(shares, mean * shares, outcomeOf(reason));
    }
  }
  return { batch: { observations, refusals }, place };
}

const NONE: Pick<Channel, "accepted" | "work" | "rejected"> = { accepted: 0, work: 0, rejected: {} };

/** Error codes of SubmitShares.Error in the mining protocol. */
function outcomeOf(reason: string): Outcome {
  if (reason.includes("stale") || reason === "invalid-job-id") return "stale";
  if (reason.includes("duplicate")) return "duplicate";
  return reason.includes("difficulty-too-low") ? "low-difficulty" : "invalid";
}

/** "account.worker", as miners write it by custom. */
function accountOf(user: string): { account: string; worker: string | undefined } {
  const point = user.indexOf(".");
  if (point <= 0) return { account: user, worker: undefined };
  return { account: user.slice(0, point), worker: user.slice(point + 1) || undefined };
}

function session(
  context: PoolContext,
  id: string,
  event: Session["event"],
  known: { ip: string; user: string },
): Session {
  const { account, worker } = accountOf(known.user);
  const ifText = (value: unknown) => (isText(value) ? value : undefined);
  const names = { account: ifText(account), worker: ifText(worker) };
  const ip = ifText(known.ip) ?? "unknown";
  return { type: "session", atMs: context.nowMs, pool: context.pool, session: id, event, ip, ...names };
}
