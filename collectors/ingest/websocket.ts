import WebSocket from "ws";
import { writeObservation } from "#core/observation.ts";
import type { Task } from "#core/task.ts";
import type { HandOver, Received } from "./http.ts";
import { readNdjson } from "./ndjson.ts";

/** How a feed of observations is taken from a WebSocket server. */
export interface WebsocketOptions {
  name: string;
  /** ws:// or wss:// */
  url: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string | undefined;
  maxLineBytes: number;
  now: () => number;
  /** Resolves once the entry is durable. A feed cannot be read again, so all of it goes through the journal. */
  append: (entry: HandOver) => Promise<"appended" | "duplicate">;
  onReceived?: (received: Received) => void;
  /** Silence after which the connection counts as dead, in milliseconds. */
  idleMs?: number;
}

/** Largest message; the server may put many lines in one. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Messages held while the journal is slower than the feed. Beyond, the socket is not read. */
const MAX_HELD = 64;

/**
 * Takes NDJSON from a WebSocket server until the signal aborts. Throws with its name when the connection cannot be made,
 * ends or falls silent, or when the journal refuses: the supervisor connects again.
 */
export function websocketFeed(options: WebsocketOptions): Task {
  const { name, url, token, idleMs = 120_000 } = options;
  return async (signal) => {
    if (signal.aborted) return;
    const socket = new WebSocket(url, {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: 15_000,
      followRedirects: false,
    });
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    const end = () => socket.terminate();
    let silence = setTimeout(() => ended.reject(new Error("silent for too long")), idleMs);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => ended.reject(new Error("silent for too long")), idleMs);
    };
    let held = 0;
    let last: Promise<void> = Promise.resolve();
    signal.addEventListener("abort", end);
    socket.on("ping", heard);
    socket.on("error", (cause) => ended.reject(cause));
    socket.on("close", (code, reason) => ended.reject(new Error(`closed (${code}) ${reason}`.trim())));
    socket.on("message", (data) => {
      heard();
      held += 1;
      if (held >= MAX_HELD) socket.pause();
      last = last.then(async () => {
        await take(data as Buffer, options);
        held -= 1;
        if (held < MAX_HELD && socket.isPaused) socket.resume();
      });
      last.catch((cause) => ended.reject(cause));
    });
    try {
      await ended.promise;
    } catch (cause) {
      if (signal.aborted) return;
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", end);
      socket.terminate();
      await last.catch(() => undefined);
    }
  };
}

async function take(message: Buffer, options: WebsocketOptions): Promise<void> {
  const { name, maxLineBytes, now, append, onReceived } = options;
  const lines: string[] = [];
  const counts = { refused: 0, unknownFields: 0, backwards: 0 };
  async function* whole() {
    yield message;
  }
  for await (const batch of readNdjson(whole(), { maxLineBytes, nowMs: now(), place: name })) {
    for (const observation of batch.observations) lines.push(writeObservation(observation));
    for (const { count = 1 } of batch.refusals ?? []) counts.refused += count;
    counts.unknownFields += batch.unknownFields ?? 0;
    counts.backwards += batch.backwards ?? 0;
  }
  if (lines.length > 0) await append({ source: name, lines });
  onReceived?.({ source: name, accepted: lines.length, duplicate: false, ...counts });
}

/** Looks at the live feed: connects and leaves again. Resolves to what was found, rejects with what is wrong. */
export async function checkWebsocket(
  { url, token }: Pick<WebsocketOptions, "url" | "token">,
  signal: AbortSignal,
): Promise<string> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, { headers, handshakeTimeout: 15_000 });
  const end = () => socket.terminate();
  signal.addEventListener("abort", end);
  try {
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return "connected";
  } finally {
    signal.removeEventListener("abort", end);
    socket.terminate();
  }
}
