import type { Request, RequestHandler, Response } from "express";
import { isText, type Refusal, writeObservation } from "#core/observation.ts";
import { gunzip, limit, TooManyBytes } from "./gzip.ts";
import { readNdjson } from "./ndjson.ts";

/** What becomes durable together, and is recognised when it comes again. */
export interface HandOver {
  source: string;
  sequence?: number;
  lines: readonly string[];
}

/** What a request brought, for the counters. */
export interface Received {
  source: string;
  accepted: number;
  refused: number;
  unknownFields: number;
  backwards: number;
  duplicate: boolean;
}

/** What the handler needs. */
export interface IngestOptions {
  /** Resolves once the entry is durable; rejects with a reason (`code` "too-old" or "too-large" where trying again is no use). */
  append: (entry: HandOver) => Promise<"appended" | "duplicate">;
  maxLineBytes: number;
  /** Of one request, before and after decompression. */
  maxBodyBytes: number;
  now: () => number;
  /** Told of every request that was answered with 200. */
  onReceived?: (received: Received) => void;
}

const MEDIA_TYPES = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl"]);
const MAX_SHOWN = 20;

/** An answer other than 200, with its reason. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * `POST /api/v1/observations`: NDJSON, gzip or plain. Answers 200 once what was accepted is durable, with what was not
 * and why; bad lines do not stop the rest. A request is taken whole or not at all. With `Assay-Source` and
 * `Assay-Sequence` it may be sent again: a pair already taken is answered alike and not taken twice. Other answers, each
 * with `{reason}`: 400 (headers, gzip), 409 (sequence too old), 413 (too large), 415 (media type, encoding), 503 (journal).
 */
export function ingestHandler(options: IngestOptions): RequestHandler {
  return async (request, response) => {
    try {
      response.json(await receive(request, options));
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      const refused = refusalOf(error);
      if (refused === null) throw error;
      answer(response, refused);
    }
  };
}

async function receive(request: Request, options: IngestOptions) {
  const { source, sequence } = readHeaders(request);
  const lines: string[] = [];
  const refusals: Refusal[] = [];
  const counts = { accepted: 0, refused: 0, unknownFields: 0, backwards: 0 };
  const body = bodyOf(request, options.maxBodyBytes);
  const reading = { maxLineBytes: options.maxLineBytes, nowMs: options.now(), place: "line" };
  for await (const batch of readNdjson(body, reading)) {
    for (const observation of batch.observations) lines.push(writeObservation(observation));
    for (const refusal of batch.refusals ?? []) {
      counts.refused += refusal.count ?? 1;
      if (refusals.length < MAX_SHOWN) refusals.push(refusal);
    }
    counts.unknownFields += batch.unknownFields ?? 0;
    counts.backwards += batch.backwards ?? 0;
  }
  counts.accepted = lines.length;
  const duplicate = lines.length > 0 && (await append({ source, sequence, lines }, options)) === "duplicate";
  options.onReceived?.({ source, ...counts, duplicate });
  return { ...counts, duplicate, refusals };
}

function readHeaders(request: Request): { source: string; sequence?: number } {
  const type = (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  if (!MEDIA_TYPES.has(type)) {
    throw new Refused(415, `Content-Type must be application/x-ndjson, not ${type || "absent"}`);
  }
  const source = request.get("Assay-Source") ?? "http";
  if (!isText(source)) throw new Refused(400, "Assay-Source: 1 to 256 characters, no control characters");
  const sequence = request.get("Assay-Sequence");
  if (sequence === undefined) return { source };
  if (!/^\d{1,15}$/.test(sequence))
    throw new Refused(400, "Assay-Sequence: a whole number of at most 15 digits");
  if (request.get("Assay-Source") === undefined)
    throw new Refused(400, "Assay-Sequence without Assay-Source");
  return { source, sequence: Number(sequence) };
}

function bodyOf(request: Request, maxBodyBytes: number): AsyncIterable<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) {
    throw new TooManyBytes(`more than ${maxBodyBytes} bytes`);
  }
  // The request must outlive a body that is refused half-way: its answer still has to go out.
  const bytes: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  const encoding = (request.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity") return limit(bytes, maxBodyBytes);
  if (encoding === "gzip") return gunzip(limit(bytes, maxBodyBytes), maxBodyBytes);
  throw new Refused(415, `Content-Encoding must be gzip or identity, not ${encoding.slice(0, 40)}`);
}

async function append(entry: HandOver, options: IngestOptions): Promise<"appended" | "duplicate"> {
  try {
    return await options.append(entry);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new Refused(code === "too-old" ? 409 : code === "too-large" ? 413 : 503, message);
  }
}

/** Null: not the sender's doing, nor the journal's. */
function refusalOf(error: unknown): Refused | null {
  if (error instanceof Refused) return error;
  if (error instanceof TooManyBytes) return new Refused(413, `body of ${error.message}`);
  const { code, message } = error as Error & { code?: string };
  return code?.startsWith("Z_") ? new Refused(400, `gzip: ${message}`) : null;
}

function answer(response: Response, { status, message }: Refused): void {
  // What is left of a refused body is not worth reading, so the connection ends with the answer.
  response.status(status).set("Connection", "close");
  if (status === 503) response.set("Retry-After", "5");
  response.json({ reason: message });
}
