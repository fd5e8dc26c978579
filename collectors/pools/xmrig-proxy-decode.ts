import { z } from "zod";
import type { Batch } from "#core/collector.ts";
import { isText, type Observation, type Refusal, type Session } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { dictionary } from "./dictionary.ts";
import type { PoolContext } from "./share.ts";
import { spread } from "./spread.ts";

/** Workers and miners followed at most; their counters are the cursor. */
const MAX_FOLLOWED = 50_000;

const count = z.number().min(0);
const name = z.string().nullable();
const answers = z.object({
  summary: z.object({ version: z.string(), uptime: count }),
  workers: z.object({
    mode: z.enum(["none", "rig_id", "user", "password", "agent", "ip"]),
    /** name, last address, connections, accepted, rejected, invalid, hashes, last hash in milliseconds, then hashrates */
    workers: z.array(
      z.tuple([z.string(), z.string(), count, count, count, count, count, count]).rest(z.unknown()),
    ),
  }),
  miners: z.object({
    /** id, address, sent, received, state, difficulty, user, password, rig, agent */
    miners: z.array(
      z.tuple([count, z.string(), count, count, count, count, name, name, name, name]).rest(z.unknown()),
    ),
  }),
});
export type XmrigAnswers = z.infer<typeof answers>;

type Mode = XmrigAnswers["workers"]["mode"];
type Miner = XmrigAnswers["miners"]["miners"][number];

/** Checks the proxy's three answers. Throws when they are not an xmrig-proxy's. */
export function readAnswers(value: unknown): XmrigAnswers {
  const read = answers.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new Error(`not an xmrig-proxy's answer: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** Counters last seen; see the tuples above. `starts` tells sessions of one run of the proxy from those of another. */
export interface XmrigPlace {
  atMs: number;
  uptime: number;
  starts: number;
  workers: Record<
    string,
    { accepted: number; rejected: number; invalid: number; hashes: number; user: string | null }
  >;
  miners: Record<string, { ip: string; user: string | null }>;
}

/** Reads a cursor. */
export function readPlace(cursor: string): XmrigPlace {
  const place = JSON.parse(cursor) as XmrigPlace;
  return { ...place, workers: dictionary(place.workers), miners: dictionary(place.miners) };
}

/** What the proxy counted and who came and went since `before`; null before the first look. */
export function decodeAnswers(
  context: PoolContext,
  before: XmrigPlace | null,
  { summary, workers, miners }: XmrigAnswers,
): { batch: Batch; place: XmrigPlace } {
  const { nowMs } = context;
  const restarted = before !== null && summary.uptime < before.uptime;
  const place: XmrigPlace = {
    atMs: nowMs,
    uptime: summary.uptime,
    starts: (before?.starts ?? 0) + (restarted ? 1 : 0),
    workers: dictionary(),
    miners: dictionary(),
  };
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  const byName = new Map(miners.miners.map((miner) => [nameOf(miner, workers.mode), miner]));

  for (const miner of miners.miners.slice(0, MAX_FOLLOWED)) {
    const [id, ip, , , , , user] = miner;
    place.miners[id] = { ip, user };
    if (restarted || before?.miners[id] === undefined) {
      observations.push(session(context, `${place.starts}-${id}`, "authorize", miner));
    }
  }
  for (const [id, { ip, user }] of Object.entries(before?.miners ?? {})) {
    if (!restarted && place.miners[id] !== undefined) continue;
    observations.push(
      session(context, `${before!.starts}-${id}`, "close", [
        Number(id),
        ip,
        0,
        0,
        0,
        0,
        user,
        null,
        null,
        null,
      ]),
    );
  }

  for (const [worker, ip, , accepted, rejected, invalid, hashes, lastHashMs] of workers.workers.slice(
    0,
    MAX_FOLLOWED,
  )) {
    const miner = byName.get(worker);
    const old = before?.workers[worker];
    const user = miner?.[6] ?? old?.user ?? null;
    place.workers[worker] = { accepted, rejected, invalid, hashes, user };
    if (before === null) continue;
    const from = old === undefined || accepted < old.accepted || hashes < old.hashes ? ZERO : old;
    const mean = accepted > 0 ? hashes / accepted : Math.max(miner?.[5] ?? 1, 1);
    const fields = {
      ...accountOf(user ?? worker, user === null ? undefined : worker),
      ip,
      agent: miner?.[9],
      fromMs: before.atMs,
      toMs: lastHashMs > before.atMs && lastHashMs < nowMs ? lastHashMs : nowMs,
    };
    const gains = [
      { count: accepted - from.accepted, difficulty: hashes - from.hashes, outcome: "accepted" },
      {
        count: Math.max(rejected + invalid - from.rejected - from.invalid, 0),
        difficulty: mean,
        outcome: "invalid",
      },
    ] as const;
    for (const { count: shares, difficulty, outcome } of gains) {
      if (shares === 0) continue;
      const total = outcome === "accepted" ? difficulty : difficulty * shares;
      const made = spread(context, { ...fields, count: shares, difficulty: total, outcome });
      if (typeof made === "string") refuse(refusals, made, `worker ${worker.slice(0, 60)}`, shares);
      else observations.push(...made);
    }
  }
  const beyond = Math.max(workers.workers.length - MAX_FOLLOWED, 0);
  if (beyond > 0) refuse(refusals, `more than ${MAX_FOLLOWED} workers`, "/1/workers", beyond);
  return { batch: { observations, refusals }, place };
}

const ZERO = { accepted: 0, rejected: 0, invalid: 0, hashes: 0 };

/** What the proxy calls a miner's worker; a miner without a rig's name goes by its user there. */
function nameOf([, ip, , , , , user, password, rig, agent]: Miner, mode: Mode): string {
  const names: Record<Mode, string | null> = { none: null, rig_id: rig || user, user, password, agent, ip };
  return names[mode] ?? "unknown";
}

/** "<wallet>.<rig>" is the wallet's; a user name with a point in it, such as a mail address, stays whole. */
function accountOf(
  user: string,
  worker: string | undefined,
): { account: string; worker: string | undefined } {
  const match = /^([A-Za-z0-9]{26,})[.+](.*)$/s.exec(user);
  return match === null ? { account: user, worker } : { account: match[1]!, worker: worker ?? match[2]! };
}

function session(context: PoolContext, id: string, event: Session["event"], miner: Miner): Session {
  const [, ip, , , , , user, , rig, agent] = miner;
  const { account, worker } = accountOf(user ?? "", rig ?? undefined);
  const ifText = (value: unknown) => (isText(value) ? value : undefined);
  return {
    type: "session",
    atMs: context.nowMs,
    pool: context.pool,
    session: id,
    event,
    ip: isText(ip) ? ip : "unknown",
    account: ifText(account),
    worker: ifText(worker),
    agent: ifText(agent),
  };
}
