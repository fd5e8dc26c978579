import { createClient } from "@redis/client";
import type { Batch, Collector } from "#core/collector.ts";
import type { Observation, Refusal, Share } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { poll, type Sleep } from "./poll.ts";
import { type RedisDialect, readRedisMember } from "./redis-member.ts";
import { toShare } from "./share.ts";

/** How a pool's sorted set of shares in Redis is followed. Times in milliseconds. */
export interface RedisSharesOptions {
  name: string;
  /** redis:// or rediss://, with user, password and database where needed. */
  url: string;
  /** The sorted set: "<coin>:hashrate", or "<prefix>:hashrate" of open-ethereum-pool. */
  key: string;
  dialect: RedisDialect;
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  /** A second is read once it is so long past by Redis's own clock; what is written later is missed, and counted. */
  lagMs?: number;
  sleep?: Sleep;
}

/** Members asked for at once, and so about the size of a batch. */
const PAGE = 4096;
/** Seconds already read that are looked at again for members written late. */
const LATE_SECONDS = 60;

/** Seconds up to `score` were read. `counts` are how many members the last of them held, by second. */
interface Place {
  score: number;
  counts: Record<string, number>;
}

type Client = Awaited<ReturnType<typeof connect>>;
type Member = { value: string; score: number };

/**
 * Follows the sorted set in which NOMP, cryptonote-nodejs-pool and open-ethereum-pool keep their recent shares, scored by the second.
 * Whole seconds are read in order, so the cursor is a second and nothing is read twice. The pool trims the set (NOMP
 * to five minutes): what it trims while Assay is away is lost to it. Throws with its name when Redis fails.
 */
export function createRedisShares(options: RedisSharesOptions): Collector {
  const { name, url, key, pollMs, lagMs = 5000, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    const place: Place = cursor === undefined ? { score: -1, counts: {} } : (JSON.parse(cursor) as Place);
    let client: Client | undefined;
    try {
      yield* poll({ name, pollMs, signal, sleep }, async function* round() {
        client ??= await connect(url, signal);
        const reached = Math.floor(((await clockMs(client)) - lagMs) / 1000);
        const late = await countLate(client, key, place);
        if (late !== null) yield { observations: [], refusals: [late], cursor: JSON.stringify(place) };
        while (place.score < reached) {
          const members = await nextSeconds(client, key, place.score, reached);
          if (members.length === 0) break;
          yield { ...decode(members, place, options), cursor: JSON.stringify(place) };
        }
        place.score = Math.max(place.score, reached);
        // Also a second without a share is one that was read.
        place.counts[place.score] ??= 0;
      });
    } finally {
      if (client?.isOpen) client.destroy();
    }
  }

  return { name, collect };
}

/** Connects; when `signal` aborts, the connection is cut and what waits for it rejects. */
async function connect(url: string, signal: AbortSignal) {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 10_000 } });
  // The failure reaches whoever waits for a reply; the event alone would end the process.
  client.on("error", () => undefined);
  const cut = () => {
    if (client.isOpen) client.destroy();
  };
  signal.addEventListener("abort", cut);
  client.once("end", () => signal.removeEventListener("abort", cut));
  return client.connect();
}

async function clockMs(client: Client): Promise<number> {
  const [seconds] = await client.sendCommand<string[]>(["TIME"]);
  return Number(seconds) * 1000;
}

/** Members of the next whole seconds: a page of them, or all of one second where that is more. */
async function nextSeconds(client: Client, key: string, after: number, upTo: number): Promise<Member[]> {
  const LIMIT = { offset: 0, count: PAGE };
  const members = await client.zRangeWithScores(key, `(${after}`, upTo, { BY: "SCORE", LIMIT });
  if (members.length < PAGE) return members;
  const last = members.at(-1)!.score;
  const whole = members.filter(({ score }) => score < last);
  return whole.length > 0 ? whole : client.zRangeWithScores(key, last, last, { BY: "SCORE" });
}

/** Members that were written into seconds already read. */
async function countLate(client: Client, key: string, place: Place): Promise<Refusal | null> {
  const from = place.score - LATE_SECONDS;
  for (const second of Object.keys(place.counts)) if (Number(second) <= from) delete place.counts[second];
  const oldest = Math.min(...Object.keys(place.counts).map(Number));
  if (!Number.isFinite(oldest)) return null;
  const known = Object.values(place.counts).reduce((sum, count) => sum + count, 0);
  const late = (await client.zCount(key, oldest, place.score)) - known;
  if (late <= 0) return null;
  place.counts[oldest] = (place.counts[oldest] ?? 0) + late;
  return { reason: "written too late; not read", place: `${key} up to ${place.score}`, count: late };
}

function decode(members: readonly Member[], place: Place, options: RedisSharesOptions): Batch {
  const { key, dialect, pool, algorithm } = options;
  const context = { pool, algorithm, nowMs: options.now() };
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  for (const { value, score } of members) {
    place.counts[score] = (place.counts[score] ?? 0) + 1;
    const found = readRedisMember(value, dialect);
    const share: Share | string = typeof found === "string" ? found : toShare(context, found);
    if (typeof share === "string") refuse(refusals, share, `${key} ${score}`);
    else observations.push(share);
  }
  place.score = members.at(-1)!.score;
  // Within a second Redis orders by text; the members say the millisecond.
  observations.sort((a, b) => a.atMs - b.atMs);
  return { observations, refusals };
}

/** Looks at the live set. Resolves to what was found, rejects with what is wrong. */
export async function checkRedisShares(
  options: Pick<RedisSharesOptions, "url" | "key" | "dialect">,
  signal: AbortSignal,
): Promise<string> {
  const client = await connect(options.url, signal);
  try {
    const type = await client.type(options.key);
    if (type === "none")
      throw new Error(`no key ${options.key}; is that the coin's name, and did anyone mine lately?`);
    if (type !== "zset") throw new Error(`${options.key} is a ${type}, not a sorted set`);
    const newest = await client.zRange(options.key, 0, 0, { REV: true });
    const share = readRedisMember(newest[0] ?? "", options.dialect);
    if (typeof share === "string") throw new Error(`${options.key} holds something else: ${share}`);
    return `${await client.zCard(options.key)} shares in ${options.key}, the newest at ${new Date(share.atMs).toISOString()}`;
  } finally {
    client.destroy();
  }
}
