import type { Request, RequestHandler, Response } from "express";
import type { FlagChange } from "#core/store.ts";
import { summarise } from "./flag-routes.ts";
import { refuse } from "./route.ts";

/** Bounds of the stream: events kept for who comes back, clients at a time, bytes a slow client may lag behind. */
interface StreamBounds {
  history: number;
  clients: number;
  lagBytes: number;
  heartbeatMs: number;
}
const BOUNDS: StreamBounds = { history: 1000, clients: 500, lagBytes: 262_144, heartbeatMs: 15_000 };

/**
 * Server-Sent Events for flags. Ids are `<start>-<number>`: who comes back with the last one it saw gets what it
 * missed; where that is no longer known (a restart, or over `history` events ago) it gets `refetch` instead.
 */
export interface Stream {
  push(change: FlagChange): void;
  handle: RequestHandler;
  /** Ends every client's response. */
  close(): void;
  /** Clients now, and how many were cut off for lagging since the start. */
  count(): { clients: number; dropped: number };
}

/** `startMs` tells one run of the program from another. */
export function createStream(startMs: number, bounds: StreamBounds = BOUNDS): Stream {
  const run = startMs.toString(36);
  const kept: { number: number; text: string }[] = [];
  const clients = new Set<Response>();
  let number = 0;
  let dropped = 0;

  function send(response: Response, text: string): void {
    if (response.writableLength > bounds.lagBytes) {
      // It reads slower than flags change: cut off, it comes back with its last id and is told what it missed.
      dropped += 1;
      clients.delete(response);
      response.destroy();
      return;
    }
    response.write(text);
  }

  function missed(lastId: string): string {
    const [its, last] = [lastId.split("-")[0], Number(lastId.split("-")[1])];
    const oldest = kept[0]?.number ?? number + 1;
    if (its !== run || !(last >= oldest - 1 && last <= number))
      return `id: ${run}-${number}\nevent: refetch\ndata: {}\n\n`;
    return kept
      .filter((event) => event.number > last)
      .map((event) => event.text)
      .join("");
  }

  function handle(request: Request, response: Response): void {
    if (clients.size >= bounds.clients) {
      response.set("Retry-After", "30");
      refuse(response, 503, "Too many listen already.");
      return;
    }
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // A buffering proxy in front would turn live into late.
      "X-Accel-Buffering": "no",
    });
    const lastId = request.get("Last-Event-ID");
    response.write(
      `retry: 2000\n\n${lastId ? missed(lastId) : `id: ${run}-${number}\nevent: hello\ndata: {}\n\n`}`,
    );
    clients.add(response);
    const heartbeat = setInterval(() => send(response, ": alive\n\n"), bounds.heartbeatMs);
    response.on("close", () => {
      clearInterval(heartbeat);
      clients.delete(response);
    });
  }

  return {
    push({ event, flag }) {
      number += 1;
      const text = `id: ${run}-${number}\nevent: ${event}\ndata: ${JSON.stringify(summarise(flag))}\n\n`;
      kept.push({ number, text });
      if (kept.length > bounds.history) kept.shift();
      for (const client of clients) send(client, text);
    },
    handle,
    close() {
      for (const client of clients) client.end();
      clients.clear();
    },
    count: () => ({ clients: clients.size, dropped }),
  };
}
