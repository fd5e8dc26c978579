import type { z } from "zod";
import type { Batch, Collector } from "#core/collector.ts";
import { getJson, NotThere, under } from "./get-json.ts";
import { poll, type Sleep } from "./poll.ts";
import {
  type Channel,
  channels,
  decodeSri,
  global,
  type SriAnswers,
  type SriPlace,
  sv1Clients,
  sv2Clients,
} from "./sri-decode.ts";

/** How the monitoring interface of a Stratum V2 pool, JD client or translator (SRI's sv2-apps) is asked. Times in milliseconds. */
export interface SriOptions {
  name: string;
  /** `monitoring_address` of the program, such as http://127.0.0.1:9090. */
  url: string;
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  sleep?: Sleep;
}

/** Asked for on one page; the interface gives fewer where it wants to. */
const LIMIT = 100;
/** Entries followed at most; their counters are the cursor. */
const MAX_ENTRIES = 20_000;

/**
 * Follows a Stratum V2 program by the counters of its channels: with a translator its own channels and, by address, the
 * Stratum V1 miners behind them; with a pool the channels of its clients. What was counted before the first look is the
 * starting point and no share. Throws with its name when the program does not answer.
 */
export function createSri(options: SriOptions): Collector {
  const { name, url, pollMs, now, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    let place: SriPlace | null = cursor === undefined ? null : (JSON.parse(cursor) as SriPlace);
    yield* poll({ name, pollMs, signal, sleep }, async function* round() {
      const answers = await ask(url, signal);
      const context = { pool: options.pool, algorithm: options.algorithm, nowMs: now() };
      const { batch, place: reached } = decodeSri(context, place, answers);
      place = reached;
      yield { ...batch, cursor: JSON.stringify(place) };
    });
  }

  return { name, collect };
}

async function ask(url: string, signal: AbortSignal): Promise<SriAnswers> {
  const get = async <T extends z.ZodType>(schema: T, path: string, offset = 0): Promise<z.infer<T>> => {
    const address = under(url, path);
    address.searchParams.set("offset", String(offset));
    address.searchParams.set("limit", String(LIMIT));
    const read = schema.safeParse(await getJson(address, { signal }));
    if (read.success) return read.data;
    const issue = read.error.issues[0];
    throw new Error(`${address.pathname}: ${issue?.path.join(".")}: ${issue?.message}`);
  };
  /** All entries of a paged answer. */
  const all = async <T>(page: (offset: number) => Promise<{ total: number; items: T[] }>): Promise<T[]> => {
    const found: T[] = [];
    for (;;) {
      const { total, items } = await page(found.length);
      found.push(...items);
      if (items.length === 0 || found.length >= Math.min(total, MAX_ENTRIES)) return found;
    }
  };
  /** Both kinds of channels are paged by one offset, each in its own list. */
  const channelsAt = async (path: string): Promise<Channel[]> => {
    const found: Channel[] = [];
    for (let offset = 0; ; ) {
      const page = await get(channels, path, offset);
      found.push(...page.extended_channels, ...page.standard_channels);
      offset += Math.max(page.limit, 1);
      if (offset >= Math.max(page.total_extended, page.total_standard) || found.length >= MAX_ENTRIES)
        return found;
    }
  };
  const { uptime_secs, sv1_clients } = await get(global, "/api/v1/global");
  if (sv1_clients !== undefined && sv1_clients !== null) {
    const miners = await all((offset) => get(sv1Clients, "/api/v1/sv1/clients", offset));
    const found = await channelsAt("/api/v1/server/channels");
    return { uptimeSeconds: uptime_secs, miners, channels: found.map((channel) => ({ client: 0, channel })) };
  }
  const clients = await all((offset) => get(sv2Clients, "/api/v1/clients", offset));
  const entries: SriAnswers["channels"] = [];
  for (const { client_id } of clients) {
    try {
      const found = await channelsAt(`/api/v1/clients/${client_id}/channels`);
      entries.push(...found.map((channel) => ({ client: client_id, channel })));
    } catch (cause) {
      // It left between the two questions.
      if (!(cause instanceof NotThere)) throw cause;
    }
  }
  return { uptimeSeconds: uptime_secs, miners: [], channels: entries };
}

/** Looks at the live program. Resolves to what was found, rejects with what is wrong. */
export async function checkSri({ url }: Pick<SriOptions, "url">, signal: AbortSignal): Promise<string> {
  const { channels: found, miners, uptimeSeconds } = await ask(url, signal);
  return `Stratum V2 monitoring, up ${uptimeSeconds} s, ${found.length} channels, ${miners.length} Stratum V1 miners`;
}
