import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import type { MetricDelta } from "#core/metrics.ts";
import type { Refusal, Route } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { type Belief, createPrefixes, type PrefixState } from "./prefixes.ts";
import { readRisMessage } from "./ris-message.ts";
import type { WatchedNetwork } from "./watched.ts";

/** Messages that wait to be read; then the socket is no longer emptied, and RIS cuts off who stays slow. */
const MAX_QUEUED = 1000;
/** RIS Live drops clients that subscribe in a burst; BGPalerter waits as long. */
const BETWEEN_SUBSCRIPTIONS_MS = 200;
/** Longest message taken: an UPDATE is at most 4 kB on the wire (64 kB extended) and some ten times that in JSON. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** How `createRisLive` connects. */
export interface RisLiveOptions extends Belief {
  name: string;
  /** The service, with its client parameter: RIS asks who one is. */
  url: string;
  networks: readonly WatchedNetwork[];
  /** A connection on which nothing came for so long, not even the answer to a ping, is given up. */
  silenceMs: number;
  log: Log;
}

/** A Collector of routes. What it knows of each prefix outlives its connections. */
export interface RisLive extends Collector {
  states(): PrefixState[];
  /** What the `route` measurement gained since the last call. */
  takeDeltas(): MetricDelta[];
  report(): { messages: number; updates: number; refused: number; errors: number; ignored: number };
}

/**
 * Follows watched networks at RIPE's RIS Live. `collect` throws, with its name, when the connection fails, closes or
 * falls silent; whoever supervises it connects again. RIS cannot be read again: batches carry no cursor.
 */
export function createRisLive(options: RisLiveOptions): RisLive {
  const { name, url, networks, silenceMs, log } = options;
  const prefixes = createPrefixes(networks, options);
  const counts = { messages: 0, updates: 0, refused: 0, errors: 0 };

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    const socket = new WebSocket(url, { maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: silenceMs });
    const inbox = createInbox(socket, signal);
    const closed = new AbortController();
    try {
      await opened(socket, signal);
      if (signal.aborted) return;
      // Neither holds up the reading; what goes wrong with them shows as silence or a close.
      void subscribe(socket, networks, AbortSignal.any([signal, closed.signal]));
      watchSilence(socket, inbox, silenceMs, closed.signal);
      while (!signal.aborted) {
        const messages = await inbox.take();
        if (signal.aborted) return;
        const batch = readAll(messages);
        if (batch) yield batch;
      }
    } catch (cause) {
      throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    } finally {
      closed.abort();
      socket.terminate();
    }
  }

  function readAll(messages: readonly string[]): Batch | undefined {
    const observations: Route[] = [];
    const refusals: Refusal[] = [];
    for (const text of messages) {
      counts.messages += 1;
      const reading = readRisMessage(text);
      if (reading.kind === "update") {
        counts.updates += 1;
        observations.push(...prefixes.take(reading.update));
      } else if (reading.kind === "bad") {
        counts.refused += 1;
        refuse(refusals, reading.reason, name);
      } else if (reading.kind === "error") {
        counts.errors += 1;
        log("warn", `${name}: the service reports an error`, { error: reading.message });
      }
    }
    return observations.length > 0 || refusals.length > 0 ? { observations, refusals } : undefined;
  }

  return {
    name,
    collect,
    states: () => prefixes.states(),
    takeDeltas: () => prefixes.takeDeltas(),
    report: () => ({ ...counts, ignored: prefixes.ignored }),
  };
}

async function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, "open", { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function subscribe(
  socket: WebSocket,
  networks: readonly WatchedNetwork[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = networks.flatMap(({ asn, prefixes }) => [
    ...prefixes.map((prefix) => ({ prefix, moreSpecific: true })),
    // Whatever the network originates, also outside its known prefixes.
    { path: `${asn}$` },
  ]);
  for (const what of wanted) {
    if (signal.aborted) return;
    const data = { ...what, type: "UPDATE", socketOptions: { acknowledge: true } };
    socket.send(JSON.stringify({ type: "ris_subscribe", data }));
    await setTimeout(BETWEEN_SUBSCRIPTIONS_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Asks for a sign of life twice in the time, and breaks the connection off when none comes. */
function watchSilence(socket: WebSocket, inbox: Inbox, silenceMs: number, signal: AbortSignal): void {
  let alive = true;
  let missed = 0;
  const sign = () => {
    alive = true;
  };
  socket.on("pong", sign);
  socket.on("message", sign);
  const timer = setInterval(() => {
    missed = alive || inbox.full ? 0 : missed + 1;
    alive = false;
    if (missed >= 2) inbox.fail(new Error(`silent for ${silenceMs} ms`));
    else socket.ping();
  }, silenceMs / 2);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Messages on their way from the socket to the reader. */
interface Inbox {
  take(): Promise<string[]>;
  fail(error: Error): void;
  readonly full: boolean;
}

function createInbox(socket: WebSocket, signal: AbortSignal): Inbox {
  let messages: string[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    wake?.();
  };
  signal.addEventListener("abort", () => wake?.(), { once: true });
  socket.on("message", (data) => {
    messages.push(data.toString());
    if (messages.length >= MAX_QUEUED) socket.pause();
    wake?.();
  });
  socket.on("error", fail);
  socket.on("close", (code) => fail(new Error(`connection closed (${code})`)));
  return {
    async take() {
      while (messages.length === 0 && !failure && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // What came before the break is still handed over.
      if (messages.length === 0 && failure) throw failure;
      const taken = messages;
      messages = [];
      if (taken.length >= MAX_QUEUED && !failure) socket.resume();
      return taken;
    },
    fail,
    get full() {
      return messages.length >= MAX_QUEUED;
    },
  };
}
