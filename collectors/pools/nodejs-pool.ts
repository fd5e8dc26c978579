import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express, { type RequestHandler } from "express";
import { writeObservation } from "#core/observation.ts";
import type { Task } from "#core/task.ts";
import { readFrame } from "./nodejs-pool-frame.ts";

/** What the share host needs. */
export interface NodejsPoolOptions {
  /** Journal source its entries are kept under. */
  name: string;
  /** `api.authKey` of the pool. */
  key: string;
  pool: string;
  algorithm: string;
  now: () => number;
  /** Resolves once the lines are durable. */
  append: (entry: { source: string; lines: readonly string[] }) => Promise<unknown>;
  onReceived?: (received: { accepted: number; refused: number; duplicates: number }) => void;
}

/** Largest frame, in bytes; the pool's own host takes as much. */
const MAX_BYTES = 1024 * 1024;
/** Frames remembered: a leaf posts the same bytes again until it has its answer. */
const REMEMBERED = 65_536;

/**
 * `POST /leafApi`, as nodejs-pool's leaves post their shares to a share host: answers 200 once they are durable, 400 for
 * what is no frame, 403 for another key, 413, and 503 when the journal does not take it. The same bytes again are
 * answered alike and not taken twice.
 */
export function nodejsPoolHandler(options: NodejsPoolOptions): RequestHandler {
  const { name, key, pool, algorithm, now, append, onReceived } = options;
  const wanted = digest(key);
  const isKey = (given: string) => timingSafeEqual(digest(given), wanted);
  const taken = new Map<string, Promise<unknown>>();

  return async (request, response) => {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (bytes > MAX_BYTES) {
        response.status(413).set("Connection", "close").end();
        return;
      }
      pieces.push(piece);
    }
    const body = Buffer.concat(pieces);
    const frame = readFrame(body, { pool, algorithm, nowMs: now() }, isKey);
    if ("refused" in frame) {
      onReceived?.({ accepted: 0, refused: 1, duplicates: 0 });
      response.status(frame.refused === "key" ? 403 : 400).json({ reason: frame.reason });
      return;
    }
    const { shares, dated } = frame;
    const mark = digest(body).toString("base64");
    const before = dated ? taken.get(mark) : undefined;
    const appended =
      before ??
      (shares.length > 0 ? append({ source: name, lines: shares.map(writeObservation) }) : Promise.resolve());
    if (dated) remember(mark, appended);
    try {
      await appended;
    } catch (cause) {
      taken.delete(mark);
      response.status(503).json({ reason: (cause as Error).message });
      return;
    }
    const isNew = before === undefined;
    onReceived?.({ accepted: isNew ? shares.length : 0, refused: 0, duplicates: isNew ? 0 : shares.length });
    response.status(200).end();
  };

  function remember(mark: string, appended: Promise<unknown>): void {
    taken.set(mark, appended);
    if (taken.size > REMEMBERED) taken.delete(taken.keys().next().value!);
  }
}

/** Listens for leaves until aborted, then answers what is under way. Throws with its name when it cannot listen. */
export function nodejsPoolHost(
  options: NodejsPoolOptions & {
    host: string;
    port: number;
    onListening?: (address: AddressInfo) => void;
  },
): Task {
  const { name, host, port, onListening } = options;
  return async (signal) => {
    if (signal.aborted) return;
    const app = express().disable("x-powered-by");
    app.post("/leafApi", nodejsPoolHandler(options));
    const server = app.listen(port, host);
    try {
      await once(server, "listening");
      onListening?.(server.address() as AddressInfo);
      await once(server, "close", { signal });
    } catch (cause) {
      if (signal.aborted) return;
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    } finally {
      server.closeIdleConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    }
  };
}

function digest(value: string | Uint8Array): Buffer {
  return createHash("sha256").update(value).digest();
}
