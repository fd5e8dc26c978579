import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** What a source gave. `unchanged`: the server says so; `missing`: it says that it has nothing there. */
export type Obtained =
  | { outcome: "unchanged" }
  | { outcome: "unreachable"; reason: string; missing: boolean }
  | { outcome: "content"; hash: string; etag: string; lastModified: string };

/** Where a list comes from, and what was heard there last. */
export interface Request {
  url?: string | undefined;
  file?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  etag: string;
  lastModified: string;
}

/** Larger than any published list, compressed or not. */
const CONTENT_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
/** OFAC's service answers 403 to a client that does not name itself. */
const USER_AGENT = "assay";

/**
 * Brings a list's content, compressed, into `target`, whole or not at all as far as the outcome says. Asks a server
 * only for what changed (RFC 9110, If-None-Match and If-Modified-Since).
 */
export async function obtain(request: Request, target: string, signal: AbortSignal): Promise<Obtained> {
  const { url, file, username, password, etag, lastModified } = request;
  try {
    if (url === undefined) {
      const hash = await store(createReadStream(file ?? ""), target, signal);
      return { outcome: "content", hash, etag: "", lastModified: "" };
    }
    const headers: Record<string, string> = { "user-agent": USER_AGENT, accept: "*/*" };
    if (etag) headers["if-none-match"] = etag;
    if (password !== undefined) {
      // RFC 7617; on a redirect to another host, as vendors' downloads are, it is not sent along.
      const credentials = Buffer.from(`${username ?? ""}:${password}`).toString("base64");
      headers.authorization = `Basic ${credentials}`;
    }
    if (lastModified) headers["if-modified-since"] = lastModified;
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(url, { headers, signal: within });
    if (response.status === 304) return { outcome: "unchanged" };
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      const missing = response.status === 404 || response.status === 410;
      return { outcome: "unreachable", reason: `${url} answered ${response.status}`, missing };
    }
    const hash = await store(Readable.fromWeb(response.body), target, within);
    return {
      outcome: "content",
      hash,
      etag: response.headers.get("etag") ?? "",
      lastModified: response.headers.get("last-modified") ?? "",
    };
  } catch (error) {
    return { outcome: "unreachable", reason: `${url ?? file}: ${reasonOf(error)}`, missing: false };
  }
}

/** The addresses a URL stands for: with `{year}` or `{month}`, that of this month (UTC) and of the one before. */
export function addressesOf(url: string, nowMs: number): string[] {
  if (!/\{(year|month)\}/.test(url)) return [url];
  const now = new Date(nowMs);
  return [0, 1].map((before) => {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - before, 1)).toISOString();
    return url.replaceAll("{year}", month.slice(0, 4)).replaceAll("{month}", month.slice(5, 7));
  });
}

/** Compresses into `target` and returns the SHA-256 of the content itself. */
async function store(content: Readable, target: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > CONTENT_BYTES ? new Error(`is larger than ${CONTENT_BYTES} bytes`) : null, chunk);
    },
  });
  await pipeline(content, count, createGzip(), createWriteStream(target, { flush: true }), { signal });
  return hash.digest("hex");
}

function reasonOf(error: unknown): string {
  const { cause, code, message } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? code ?? message;
}
