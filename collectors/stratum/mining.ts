import { isText } from "#core/observation.ts";
import type { Dialect } from "./dialects.ts";
import type { Moment, Pending } from "./ledger-context.ts";
import { isRecord, type Message, readId } from "./message.ts";
import { type MiningDialect, type Notice, readNotify } from "./notify-shapes.ts";
import type { SessionLedger } from "./session-ledger.ts";
import { readOutcome } from "./share-outcome.ts";
import { readAgent } from "./worker-name.ts";

/**
 * What the coins that share the `mining.*` methods differ in: the algorithms they may use (the configured one if it is
 * among them, else the first; none: any) and the hashes a share of announced difficulty 1 stands for (absent: the
 * algorithm's own unit).
 * EthereumStratum/1.0.0: difficulty 1 is Bitcoin's, 2^32 hashes. Alephium: target 2^226 for difficulty 1, and the hash
 * must also name the right one of 16 chains, hence 2^34 (alephium/mining-pool).
 */
const COINS: Record<MiningDialect, { algorithms: readonly string[]; hashesPerUnit?: number }> = {
  bitcoin: { algorithms: [] },
  zcash: { algorithms: ["equihash"] },
  kawpow: { algorithms: ["kawpow"] },
  ethereum: { algorithms: ["ethash", "etchash"], hashesPerUnit: 2 ** 32 },
  kaspa: { algorithms: ["kheavyhash"] },
  alephium: { algorithms: ["blake3"], hashesPerUnit: 2 ** 34 },
};

/**
 * Stratum V1 and its kin: Bitcoin (slush's proposal of 2012, BIP 310 for `mining.configure`), Zcash (ZIP 301),
 * EthereumStratum/1.0.0, KawPow, Kaspa and Alephium, told apart by the shape of their jobs.
 */
export function createMining(ledger: SessionLedger): Dialect {
  const { context } = ledger;
  const { session } = ledger.identity;
  let coin: MiningDialect | null = null;

  function fromMiner({ id, method, params: given, result }: Message, moment: Moment): void {
    if (id === null) return;
    if (method === null) {
      if (ledger.replied(moment, id)) ledger.agent ??= readAgent(result);
      return;
    }
    const params: unknown[] = Array.isArray(given) ? given : [];
    switch (method) {
      case "mining.subscribe":
        ledger.ask({ id, kind: "subscribe", agent: readAgent(params[0]) });
        return;
      case "mining.authorize":
        ledger.authorizing(moment);
        ledger.ask({ id, kind: "authorize", name: params[0] });
        return;
      case "mining.submit": {
        const [worker, job] = isRecord(given) ? [given.worker ?? ledger.loginName, given.jobId] : params;
        const jobId = readId(job);
        if (jobId === null) context.refuse("share without a job", session);
        else ledger.submitting(moment, id, worker, jobId);
        return;
      }
      default:
        // Kept too, so that an answer to it is not taken for that of a later request with the same id.
        ledger.ask({ id, kind: "other" });
    }
  }

  function fromPool(message: Message, moment: Moment): void {
    const params: unknown[] = Array.isArray(message.params) ? message.params : [];
    switch (message.method) {
      case null:
        if (message.id !== null) answer(message, ledger.answered(message.id), moment);
        return;
      case "mining.set_difficulty":
        ledger.setDifficulty(params[0]);
        return;
      case "mining.set_target":
        ledger.setTarget(params[0]);
        return;
      case "mining.set_extranonce":
      case "set_extranonce":
        readExtranonce(params[0], params[1]);
        return;
      case "client.get_version":
      case "mining.ping":
        if (message.id !== null) ledger.questioned(moment, message.id);
        return;
      case "mining.notify":
        notify(readNotify(message.params), moment);
        return;
      default:
    }
  }

  function answer(message: Message, request: Pending | undefined, moment: Moment): void {
    const refused = message.error !== null && message.error !== undefined && message.error !== false;
    switch (request?.kind) {
      case "submit":
        ledger.judged(moment, request, readOutcome(message));
        return;
      case "authorize":
        if (!refused && message.result === true) ledger.authorized(moment, request.name);
        else context.counters.refusedLogins += 1;
        return;
      case "subscribe":
        if (refused) return;
        if (Array.isArray(message.result)) readExtranonce(message.result[1], message.result[2]);
        ledger.subscribed(moment, request.agent);
        return;
      default:
    }
  }

  function readExtranonce(extranonce1: unknown, extranonce2Size: unknown): void {
    const known = typeof extranonce1 === "string" && typeof extranonce2Size === "number";
    ledger.extranonceBytes = known ? extranonce1.length / 2 + extranonce2Size : null;
  }

  function notify(notice: Notice | null, moment: Moment): void {
    if (notice === null) {
      context.refuse("malformed job", session);
      return;
    }
    if (notice.dialect !== coin) {
      coin = notice.dialect;
      ledger.adopt(COINS[coin].algorithms, COINS[coin].hashesPerUnit);
    }
    // The first of several jobs makes room, or each would push the others out.
    for (const [index, jobId] of notice.jobIds.entries()) {
      ledger.bindJob(moment, jobId, notice.clean && index === 0, notice.hashes);
    }
    tell(notice, moment);
  }

  function tell({ jobIds: [jobId], prevHash, height, clean, ...rest }: Notice, moment: Moment): void {
    if (prevHash === undefined || !isText(jobId)) return;
    const said = { jobId, prevHash, clean, ...(height === undefined ? {} : { height }) };
    ledger.announceJob(moment, said, (job) => {
      const decoded = rest.coinbase?.(ledger.extranonceBytes);
      if (decoded?.height !== undefined) job.height = decoded.height;
      if (decoded?.tag !== undefined) job.coinbaseTag = decoded.tag;
      const outputs = decoded?.outputs?.flatMap(({ script, value }) => {
        const address = context.addressOf?.(script);
        return address ? [{ address, value }] : [];
      });
      if (outputs && outputs.length > 0) job.outputs = outputs;
      return rest.branches ?? [];
    });
  }

  return { fromMiner, fromPool };
}
