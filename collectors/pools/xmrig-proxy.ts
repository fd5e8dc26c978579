import type { Batch, Collector } from "#core/collector.ts";
import { getJson, under } from "./get-json.ts";
import { poll, type Sleep } from "./poll.ts";
import {
  decodeAnswers,
  readAnswers,
  readPlace,
  type XmrigAnswers,
  type XmrigPlace,
} from "./xmrig-proxy-decode.ts";

/** How an xmrig-proxy's HTTP interface is asked. Times in milliseconds. */
export interface XmrigProxyOptions {
  name: string;
  /** Address of the interface, such as http://127.0.0.1:8080. */
  url: string;
  /** `access-token` of the proxy's configuration, where it has one. */
  token?: string | undefined;
  pool: string;
  algorithm: string;
  pollMs: number;
  now: () => number;
  sleep?: Sleep;
}

/**
 * Follows an xmrig-proxy by the counters of its workers and the list of its miners. What was counted before the first
 * look is the starting point and no share. The cursor holds the counters last seen, so what is counted while Assay is
 * away is caught up; a proxy that restarted counts from 0. Throws with its name when the proxy does not answer.
 */
export function createXmrigProxy(options: XmrigProxyOptions): Collector {
  const { name, pollMs, now, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    let place: XmrigPlace | null = cursor === undefined ? null : readPlace(cursor);
    yield* poll({ name, pollMs, signal, sleep }, async function* round() {
      const answers = await ask(options, signal);
      const context = { pool: options.pool, algorithm: options.algorithm, nowMs: now() };
      const { batch, place: reached } = decodeAnswers(context, place, answers);
      place = reached;
      yield { ...batch, cursor: JSON.stringify(place) };
    });
  }

  return { name, collect };
}

async function ask(
  { url, token }: Pick<XmrigProxyOptions, "url" | "token">,
  signal: AbortSignal,
): Promise<XmrigAnswers> {
  const [summary, workers, miners] = await Promise.all(
    ["/1/summary", "/1/workers", "/1/miners"].map((path) => getJson(under(url, path), { signal, token })),
  );
  return readAnswers({ summary, workers, miners });
}

/** Looks at the live proxy. Resolves to what was found, rejects with what is wrong. */
export async function checkXmrigProxy(
  options: Pick<XmrigProxyOptions, "url" | "token">,
  signal: AbortSignal,
): Promise<string> {
  const { summary, workers, miners } = await ask(options, signal);
  const { mode } = workers;
  if (mode === "none") throw new Error('xmrig-proxy counts no workers: set "workers" in its configuration');
  return `xmrig-proxy ${summary.version}, ${workers.workers.length} workers by ${mode}, ${miners.miners.length} miners connected`;
}
