import { isText } from "#core/observation.ts";
import type { Dialect } from "./dialects.ts";
import type { Moment, Pending } from "./ledger-context.ts";
import { isRecord, type Message, readId } from "./message.ts";
import { readHeight } from "./notify-shapes.ts";
import type { SessionLedger } from "./session-ledger.ts";
import { readOutcome } from "./share-outcome.ts";
import { hashesForShortTarget } from "./work-target.ts";
import { readAgent } from "./worker-name.ts";

/** Logins one connection may carry (a proxy brings its miners' own); the oldest is forgotten. */
const MAX_LOGINS = 1024;

/** Algorithm families by the beginning of the names xmrig gives them. */
const FAMILIES: readonly (readonly [string, string])[] = [
  ["rx/", "randomx"],
  ["cn", "cryptonight"],
];

/**
 * Stratum as Monero and its kin speak it: `login` with an object, whose reply carries the first job; `job`, `submit`,
 * `keepalived`. A job carries its own target. Follows xmrig-proxy's doc/STRATUM.md and what xmr-stak and xmrig send.
 */
export function createCryptonote(ledger: SessionLedger): Dialect {
  const { context } = ledger;
  const { session } = ledger.identity;
  /** Names by the id the pool gave each login; a submit names only that id. */
  const logins = new Map<string, unknown>();
  let prevHash: string | undefined;

  function fromMiner({ id, method, params }: Message, moment: Moment): void {
    if (method === null || id === null) return;
    if (method === "login" && isRecord(params)) {
      ledger.agent = readAgent(params.agent) ?? ledger.agent;
      ledger.ask({ id, kind: "authorize", name: loginName(params.login, params.rigid) });
    } else if (method === "submit" && isRecord(params)) {
      const jobId = readId(params.job_id);
      const name = logins.get(readId(params.id) ?? "") ?? ledger.loginName;
      if (jobId === null) context.refuse("share without a job", session);
      else ledger.submitting(moment, id, name, jobId);
    } else ledger.ask({ id, kind: "other" });
  }

  function fromPool(message: Message, moment: Moment): void {
    if (message.method === "job") readJob(message.params, moment);
    else if (message.method === null && message.id !== null) {
      answer(message, ledger.answered(message.id), moment);
    }
  }

  function answer(message: Message, request: Pending | undefined, moment: Moment): void {
    if (request?.kind === "submit") ledger.judged(moment, request, readOutcome(message));
    if (request?.kind !== "authorize") return;
    const { result, error } = message;
    if (!isRecord(result) || (error !== null && error !== undefined)) {
      context.counters.refusedLogins += 1;
      return;
    }
    const login = readId(result.id);
    if (login !== null) {
      logins.set(login, request.name);
      if (logins.size > MAX_LOGINS) logins.delete(logins.keys().next().value!);
    }
    ledger.authorized(moment, request.name);
    if (result.job !== undefined) readJob(result.job, moment);
  }

  function readJob(job: unknown, moment: Moment): void {
    const jobId = isRecord(job) ? readId(job.job_id) : null;
    if (!isRecord(job) || jobId === null) {
      context.refuse("malformed job", session);
      return;
    }
    const { algo } = job;
    const family =
      typeof algo === "string" ? FAMILIES.find(([start]) => algo.startsWith(start))?.[1] : undefined;
    if (family !== undefined) ledger.adopt([family]);
    else ledger.adopt(isText(algo) ? [algo] : ["randomx", "cryptonight"]);
    const parent = readParent(job.blob);
    const clean = parent === undefined || parent !== prevHash;
    prevHash = parent;
    ledger.bindJob(moment, jobId, clean, hashesForShortTarget(job.target));
    if (parent === undefined || !isText(jobId)) return;
    ledger.announceJob(moment, { jobId, prevHash: parent, clean, ...readHeight(job.height) });
  }

  return { fromMiner, fromPool };
}

/**
 * `account.worker`, from a login of the forms address, address.worker, address.paymentid.worker and
 * address+difficulty, and the rig's own id where the login names no worker.
 */
function loginName(login: unknown, rigId: unknown): unknown {
  if (typeof login !== "string") return login;
  const account = login.replace(/\+\d+(?=\.|$)/, "");
  return account.includes(".") || !isText(rigId) ? account : `${account}.${rigId}`;
}

/** The previous block's hash: after major version, minor version and time, all varints (CryptoNote standard 003). */
function readParent(blob: unknown): string | undefined {
  if (typeof blob !== "string" || blob.length > 4096 || !/^(?:[0-9a-f]{2}){43,}$/i.test(blob))
    return undefined;
  const bytes = Buffer.from(blob, "hex");
  let at = 0;
  for (let varints = 0; varints < 3; varints += 1) {
    // A 64-bit varint has ten bytes at most.
    for (let length = 0; bytes[at]! & 0x80 && length < 10; length += 1) at += 1;
    at += 1;
  }
  const parent = bytes.toString("hex", at, at + 32);
  return parent.length === 64 ? parent : undefined;
}
