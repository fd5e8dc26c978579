import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Level } from "#core/metrics.ts";
import type { LineBatch } from "./influx-lines.ts";

const compress = promisify(gzip);

/** Where InfluxDB is and how it is spoken to; 2.x and 3 through their v1 endpoints. */
export interface InfluxAddress {
  url: string;
  /** 1.x and 2.x keep both levels in this database (2.x: by DBRP mapping), as retention policies `1m` and `1h`; 3 has no such thing, there it is `<database>_1m` and `_1h`. */
  database: string;
  version: 1 | 2 | 3;
  /** 1.x, where it asks for a user. */
  username?: string;
  /** That user's password; on 2.x and 3 the token. */
  password?: string;
}

/** A batch as it goes over the wire, and waits on disk. */
export interface Packed {
  level: Level;
  precision: LineBatch["precision"];
  points: number;
  gzipped: Uint8Array;
}

/** What became of a batch. `unavailable` may succeed later as it is; the others are final. */
export type WriteOutcome =
  | { outcome: "written" }
  /** InfluxDB took the rest: `expired` of the dropped points were older than its retention, `refused` were not to its liking. */
  | { outcome: "partial"; refused: number; expired: number; reason: string }
  | { outcome: "unavailable"; reason: string };

/** How long one request may take. */
const TIMEOUT_MS = 15_000;
const REASON_CHARACTERS = 300;
/** The batch itself is not to the server's liking: malformed, too large, or not to be processed. */
const FINAL = new Set([400, 413, 422]);

/** Database and retention policy of a level. */
export function place({ database, version }: InfluxAddress, level: Level): { db: string; rp?: string } {
  return version === 3 ? { db: `${database}_${level}` } : { db: database, rp: level };
}

/** The header that says who writes: each version has its own scheme, and understands it on the v1 endpoints too. */
export function authorizationOf({ version, username, password }: InfluxAddress): string | undefined {
  if (password === undefined) return undefined;
  if (version === 2) return `Token ${password}`;
  if (version === 3) return `Bearer ${password}`;
  return `Basic ${Buffer.from(`${username ?? ""}:${password}`).toString("base64")}`;
}

/** Compresses at the lowest level: 148 bytes a point become 32 at no cost in points a second (measured). */
export async function packBatch({ level, precision, points, text }: LineBatch): Promise<Packed> {
  return { level, precision, points, gzipped: await compress(text, { level: 1 }) };
}

/** A writer with two kept connections. Failure is data; whoever opens it closes it. */
export function lineWriter(address: InfluxAddress) {
  const base = new URL(address.url);
  const secure = base.protocol === "https:";
  const agentOptions = { keepAlive: true, maxSockets: 2 };
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const authorization = authorizationOf(address);

  function post(batch: Packed, ending: AbortSignal | undefined): Promise<{ status: number; text: string }> {
    const parameters = new URLSearchParams({ ...place(address, batch.level), precision: batch.precision });
    const url = new URL(`${base.pathname.replace(/\/$/, "")}/write?${parameters}`, base);
    const headers = {
      "content-encoding": "gzip",
      "content-type": "text/plain; charset=utf-8",
      "content-length": batch.gzipped.byteLength,
      ...(authorization !== undefined && { authorization }),
    };
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = ending ? AbortSignal.any([timeout, ending]) : timeout;
    return new Promise((resolve, reject) => {
      const send = secure ? requestHttps : requestHttp;
      const request = send(url, { method: "POST", agent, headers, signal }, async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        } catch (error) {
          reject(error);
        }
      });
      request.on("error", reject);
      request.end(batch.gzipped);
    });
  }

  return {
    /** One attempt, which `ending` cuts short: unavailable, then. */
    async write(batch: Packed, ending?: AbortSignal): Promise<WriteOutcome> {
      try {
        const { status, text } = await post(batch, ending);
        return judge(status, text, batch.points);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { outcome: "unavailable", reason: code ?? message };
      }
    },
    close: () => agent.destroy(),
  };
}

function judge(status: number, answer: string, points: number): WriteOutcome {
  if (status >= 200 && status < 300) return { outcome: "written" };
  const reason = `HTTP ${status}: ${answer.replace(/\s+/g, " ").slice(0, REASON_CHARACTERS)}`;
  // What was dropped does not get better by repeating, and the others were taken. 1.x says so with a 400, 2.x with a 422,
  // its first releases with a 500.
  const dropped = /partial write:.*dropped=(\d+)/s.exec(answer)?.[1];
  if (dropped === undefined && !FINAL.has(status)) return { outcome: "unavailable", reason };
  const lost = dropped === undefined ? (rejectedLines(answer) ?? points) : Number(dropped);
  const expired = /(beyond|outside) retention policy/.test(answer) ? lost : 0;
  return { outcome: "partial", refused: lost - expired, expired, reason };
}

/** 3 names each line that it did not take. Undefined: the answer is no such list. */
function rejectedLines(answer: string): number | undefined {
  try {
    const { data } = JSON.parse(answer) as { data?: unknown };
    return Array.isArray(data) ? data.length : undefined;
  } catch {
    return undefined;
  }
}
