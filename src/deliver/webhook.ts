import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { Webhook } from "standardwebhooks";
import { BlockedAddressError, guardedLookup, isBlocked } from "./address.ts";
import type { Destination, Outcome } from "./destination.ts";

/** A webhook as configured, and how its clock and patience are set. */
export interface WebhookOptions {
  name: string;
  url: string;
  /** `whsec_…`; while one is rotated there are two, and each message carries a signature by each. */
  secrets: readonly string[];
  /** Permits private and loopback addresses. */
  allowPrivate: boolean;
  now?: () => number;
  /** For the whole attempt. The Standard Webhooks specification recommends 15 to 30 seconds. */
  timeoutMs?: number;
}

/** More of an answer is not read. */
const ANSWER_BYTES = 16_384;
const REASON_CHARACTERS = 200;
const LONGEST_WAIT_MS = 86_400_000;

/**
 * A destination by Standard Webhooks (https://www.standardwebhooks.com): POST, signed, no redirect followed, each
 * message on a connection of its own. Throws where the URL or a secret is unusable.
 */
export function webhook(options: WebhookOptions): Destination {
  const { name, secrets, allowPrivate, now = Date.now, timeoutMs = 15_000 } = options;
  const url = new URL(options.url);
  if (!["http:", "https:"].includes(url.protocol)) throw new Error(`webhook ${name}: neither http nor https`);
  const signers = secrets.map((secret) => new Webhook(secret));
  if (signers.length === 0) throw new Error(`webhook ${name}: no secret to sign with`);

  return {
    name,
    async send({ id, body }, signal) {
      // A literal address is never looked up. The URL parser has made decimal and hexadecimal ones dotted by now.
      const literal = url.hostname.replace(/^\[|\]$/g, "");
      if (isIP(literal) && isBlocked(literal, allowPrivate)) return blocked(literal);
      const at = new Date(now());
      const headers = {
        "content-type": "application/json",
        "user-agent": "Assay",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": signers.map((signer) => signer.sign(id, at, body)).join(" "),
      };
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const ending = AbortSignal.any([signal, timeout]);
        const { status, retryAfter, text } = await post(url, { headers, body, allowPrivate, signal: ending });
        return judge(status, text, retryAfter && waitMs(retryAfter, at.getTime()));
      } catch (error) {
        if (error instanceof BlockedAddressError) return blocked(error.message);
        if (timeout.aborted) return { outcome: "retry", reason: `no answer within ${timeoutMs} ms` };
        const { code, message } = error as NodeJS.ErrnoException;
        return { outcome: "retry", reason: code ?? message };
      }
    },
  };
}

const blocked = (where: string): Outcome => ({
  outcome: "refused",
  reason: `${where}: a private or reserved address (allowPrivate permits private ones)`,
});

/** Every answer but 2xx is a failure, a redirect too. 410 says: never again. */
function judge(status: number, text: string, afterMs: number | undefined | ""): Outcome {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  const reason = `HTTP ${status}${text && `: ${text}`}`;
  if (status === 410) return { outcome: "refused", reason, gone: true };
  return afterMs ? { outcome: "retry", reason, afterMs } : { outcome: "retry", reason };
}

/** Retry-After (RFC 9110, 10.2.3): seconds or a date; at most a day is believed. */
function waitMs(retryAfter: string, nowMs: number): number | undefined {
  const askedMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return askedMs > 0 ? Math.min(askedMs, LONGEST_WAIT_MS) : undefined;
}

interface Post {
  headers: Record<string, string>;
  body: string;
  allowPrivate: boolean;
  signal: AbortSignal;
}

interface Answer {
  status: number;
  retryAfter: string | undefined;
  text: string;
}

function post(url: URL, { headers, body, allowPrivate, signal }: Post): Promise<Answer> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const lookup = guardedLookup(allowPrivate);
    const request = send(url, { method: "POST", headers, agent: false, lookup, signal }, (response) => {
      const { statusCode: status = 0, headers } = response;
      beginning(response).then(
        (text) => resolve({ status, retryAfter: headers["retry-after"], text }),
        reject,
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The start of an answer's body as one line. The status has arrived: a body that breaks off changes nothing. */
async function beginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_BYTES) break;
    }
  } catch {
    // Broken off, or out of time: what came is what there is to tell.
  }
  const line = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/[\p{C}\s]+/gu, " ");
  return line.slice(0, REASON_CHARACTERS).trim();
}
