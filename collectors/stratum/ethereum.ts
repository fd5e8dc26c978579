import type { Dialect } from "./dialects.ts";
import type { Moment, Pending } from "./ledger-context.ts";
import { type Message, readId } from "./message.ts";
import type { SessionLedger } from "./session-ledger.ts";
import { readOutcome } from "./share-outcome.ts";
import { hashesForTarget } from "./work-target.ts";
import { readAgent } from "./worker-name.ts";

/**
 * eth-proxy (dwarfpool's, kept by nanopool, ethermine and open-ethereum-pool): getwork over a lasting connection. Jobs
 * are `[header, seed, boundary]`, answers to `eth_getWork` or pushed as results with id 0; a share names its job's header.
 */
export function createEthereum(ledger: SessionLedger): Dialect {
  ledger.adopt(["ethash", "etchash"]);
  let newest: string | null = null;

  function fromMiner({ id, method, params: given, body }: Message, moment: Moment): void {
    if (method === null || id === null) return;
    const params: unknown[] = Array.isArray(given) ? given : [];
    if (method === "eth_submitLogin" || method === "eth_login") {
      ledger.agent = readAgent(body.agent) ?? ledger.agent;
      ledger.ask({ id, kind: "authorize", name: loginName(params[0]) });
    } else if (method === "eth_submitWork") {
      const jobId = readId(params[1]);
      if (jobId === null) ledger.context.refuse("share without a job", ledger.identity.session);
      else ledger.submitting(moment, id, ledger.loginName, jobId.toLowerCase());
    } else ledger.ask({ id, kind: "other" });
  }

  function fromPool(message: Message, moment: Moment): void {
    if (Array.isArray(message.result)) {
      readWork(message.result, moment);
      // An answer to eth_getWork may carry its id, or 0.
      if (message.id !== null && message.id !== "0") ledger.answered(message.id);
    } else if (message.method === null && message.id !== null) {
      answer(message, ledger.answered(message.id), moment);
    }
  }

  function answer(message: Message, request: Pending | undefined, moment: Moment): void {
    if (request?.kind === "submit") ledger.judged(moment, request, readOutcome(message));
    if (request?.kind !== "authorize") return;
    if (message.result === true) ledger.authorized(moment, request.name);
    else ledger.context.counters.refusedLogins += 1;
  }

  function readWork([header, , boundary]: unknown[], moment: Moment): void {
    const jobId = readId(header)?.toLowerCase();
    const hashes = hashesForTarget(boundary);
    if (jobId === undefined || Number.isNaN(hashes)) {
      ledger.context.refuse("malformed job", ledger.identity.session);
      return;
    }
    // The same work is sent again and again to a miner that polls.
    if (jobId === newest) return;
    newest = jobId;
    ledger.bindJob(moment, jobId, false, hashes);
  }

  return { fromMiner, fromPool };
}

/** `account.worker` from address.worker, address/worker and address/worker/mail; the mail address is nobody's business. */
function loginName(login: unknown): unknown {
  const parts = typeof login === "string" ? /^([^./]+)[./]([^/]*)/.exec(login) : null;
  return parts ? `${parts[1]}.${parts[2]}` : login;
}
