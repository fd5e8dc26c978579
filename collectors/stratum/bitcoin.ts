import type { Job } from "#core/observation.ts";
import { decodeCoinbase, readPrevHash } from "./coinbase.ts";
import type { Moment, Pending } from "./ledger-context.ts";
import { type Message, readId } from "./message.ts";
import { readAgent, type SessionLedger } from "./session-ledger.ts";
import { readOutcome } from "./share-outcome.ts";
import { isText } from "./worker-name.ts";

/**
 * Stratum V1 as Bitcoin pools speak it (slush's proposal of 2012, BIP 310 for `mining.configure`), with the shapes met
 * in ckpool, NOMP, Miningcore and public-pool.
 */
export const bitcoin = { fromMiner, fromPool };

function fromMiner(message: Message, moment: Moment, ledger: SessionLedger): void {
  const { id, method } = message;
  const params: unknown[] = Array.isArray(message.params) ? message.params : [];
  if (method === null || id === null) return;
  switch (method) {
    case "mining.subscribe":
      ledger.ask({ id, kind: "subscribe", agent: readAgent(params[0]) });
      return;
    case "mining.authorize":
      ledger.authorizing(moment);
      ledger.ask({ id, kind: "authorize", name: params[0] });
      return;
    case "mining.submit": {
      const jobId = readId(params[1]);
      if (jobId === null) ledger.context.refuse("share without a job", ledger.identity.session);
      else ledger.submitting(moment, id, params[0], jobId);
      return;
    }
    default:
      // Kept too, so that an answer to it is not taken for that of a later request with the same id.
      ledger.ask({ id, kind: "other" });
  }
}

function fromPool(message: Message, moment: Moment, ledger: SessionLedger): void {
  const params: unknown[] = Array.isArray(message.params) ? message.params : [];
  switch (message.method) {
    case null:
      if (message.id !== null) answer(message, ledger.answered(message.id), moment, ledger);
      return;
    case "mining.set_difficulty":
      ledger.setDifficulty(params[0]);
      return;
    case "mining.set_extranonce":
      readExtranonce(params[0], params[1], ledger);
      return;
    case "mining.notify":
      notify(params, moment, ledger);
      return;
    default:
  }
}

function answer(message: Message, request: Pending | undefined, moment: Moment, ledger: SessionLedger): void {
  const refused = message.error !== null && message.error !== undefined && message.error !== false;
  switch (request?.kind) {
    case "submit":
      ledger.judged(moment, request, readOutcome(message));
      return;
    case "authorize":
      if (!refused && message.result === true) ledger.authorized(moment, request.name);
      else ledger.context.counters.refusedLogins += 1;
      return;
    case "subscribe":
      if (refused) return;
      if (Array.isArray(message.result)) readExtranonce(message.result[1], message.result[2], ledger);
      ledger.subscribed(moment, request.agent);
      return;
    default:
  }
}

function readExtranonce(extranonce1: unknown, extranonce2Size: unknown, ledger: SessionLedger): void {
  const known = typeof extranonce1 === "string" && typeof extranonce2Size === "number";
  ledger.extranonceBytes = known ? extranonce1.length / 2 + extranonce2Size : null;
}

/** [job, previous hash, coinbase 1, coinbase 2, merkle branches, version, bits, time, clean]. */
function notify(params: unknown[], moment: Moment, ledger: SessionLedger): void {
  const jobId = readId(params[0]);
  const prevHash = readPrevHash(params[1]);
  if (jobId === null || prevHash === null) {
    ledger.context.refuse("malformed job", ledger.identity.session);
    return;
  }
  const clean = params[8] === true;
  ledger.bindJob(moment, jobId, clean);
  if (!isText(jobId)) return;
  const { pool, announce } = ledger.context;
  const job: Job = { type: "job", atMs: Math.floor(moment.atMs), pool, jobId, prevHash, clean };
  announce(job, () => {
    const coinbase = decodeCoinbase(params[2], params[3], ledger.extranonceBytes);
    if (coinbase?.height !== undefined) job.height = coinbase.height;
    if (coinbase?.tag !== undefined) job.coinbaseTag = coinbase.tag;
  });
}
