import { isText, MAX_AHEAD_MS, MAX_DIFFICULTY, type Outcome, type Share } from "#core/observation.ts";

/** What a share log's lines do not say themselves. `nowMs` is the receiver's clock; Infinity for a replay. */
export interface CkpoolContext {
  pool: string;
  algorithm: string;
  nowMs: number;
}

const S = String.raw`"[^"\\\x00-\x1f]*"`;
const C = String.raw`"([^"\\\x00-\x1f]*)"`;
const N = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?`;

/**
 * An accepted share exactly as ckpool's parse_submit writes it, keys in its order, no escapes. What matches is JSON
 * with no other reading, so JSON.parse is not asked: 0.5 µs a line against 1.1 µs. All else takes the slow path.
 */
const ACCEPTED = new RegExp(
  `^\\{"workinfoid": ?(\\d+), ?"clientid": ?(\\d+), ?"enonce1": ?${S}, ?"nonce2": ?${S}, ?"nonce": ?${S}, ?` +
    `"ntime": ?${S}, ?"diff": ?(${N}), ?"sdiff": ?${N}, ?"hash": ?${S}, ?"result": ?true, ?"errn": ?0, ?` +
    `"createdate": ?"(\\d{1,12}),(\\d{1,9})", ?"createby": ?${S}, ?"createcode": ?${S}, ?"createinet": ?${S}, ?` +
    `("workername": ?${S}, ?"username": ?${S}, ?"address": ?${S}, ?"agent": ?${S})\\}\\r?$`,
);
const NAMES = new RegExp(`^"workername": ?${C}, ?"username": ?${C}, ?"address": ?${C}, ?"agent": ?${C}$`);
const CREATED = /^(\d{1,12}),(\d{1,9})$/;

/** Texts kept for reuse, near 30 MB at most. Names repeat from share to share; a copy also lets go of the line it was cut from. */
const MAX_KNOWN = 262_144;
const known = new Map<string, string>();

/** The text, as the one copy that is kept; undefined when it may not stand in a text field. */
function keep(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const same = known.get(value);
  if (same !== undefined) return same;
  if (!isText(value)) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  const copy = Buffer.from(value).toString();
  known.set(copy, copy);
  return copy;
}

/** The names of a line: who worked, from where. `refused` says why they are none. */
interface Names {
  account: string;
  worker: string | undefined;
  ip: string | undefined;
  agent: string | undefined;
  refused: string | undefined;
}

/** The end of a line is the same for every share of one worker, so one look-up stands for four. Near 60 MB at most. */
const MAX_ENDS = 131_072;
const ends = new Map<string, Names>();

function namesOf(end: string): Names {
  const same = ends.get(end);
  if (same !== undefined) return same;
  const [, worker, account, ip, agent] = NAMES.exec(end) as RegExpExecArray;
  const names = readNames({ worker, account, ip, agent });
  if (ends.size >= MAX_ENDS) ends.clear();
  ends.set(Buffer.from(end).toString(), names);
  return names;
}

function readNames(fields: { worker: unknown; account: unknown; ip: unknown; agent: unknown }): Names {
  const account = keep(fields.account);
  const worker = keep(fields.worker);
  let refused: string | undefined;
  if (account === undefined)
    refused = "username: not a text of 1 to 256 characters without control characters";
  else if (worker === undefined && fields.worker !== undefined && fields.worker !== "") {
    refused = "workername: not a text of at most 256 characters without control characters";
  }
  return { account: account ?? "", worker, ip: keep(fields.ip), agent: keep(fields.agent), refused };
}

/**
 * One line of a ckpool share log as a share, or the reason why not. `address` is the miner, `createinet` the pool;
 * work is `diff`, never `sdiff`. The session is "<start of the pool process, hexadecimal seconds>-<clientid>": ckpool
 * counts clients from 1 at every start, and the high half of `workinfoid` is the second it started in. An agent or
 * address that is no valid text is left out: a miner must not be able to hide its shares behind one.
 */
export function parseCkpoolLine(text: string, context: CkpoolContext): Share | string {
  const match = ACCEPTED.exec(text);
  if (match !== null) {
    const [, workInfoId, clientId, diff, seconds, nanoseconds, end] = match;
    return share(context, namesOf(end!), {
      workInfoId: Number(workInfoId),
      clientId: Number(clientId),
      difficulty: Number(diff),
      atMs: instantMs(seconds!, nanoseconds!),
      outcome: "accepted",
    });
  }
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  if (typeof line !== "object" || line === null || Array.isArray(line)) return "not a share record";
  return parseRecord(line as Record<string, unknown>, context);
}

function parseRecord(line: Record<string, unknown>, context: CkpoolContext): Share | string {
  if (typeof line.result !== "boolean") return "result: neither true nor false";
  if (typeof line.diff !== "number") return "diff: not a number";
  const created = typeof line.createdate === "string" ? CREATED.exec(line.createdate) : null;
  if (created === null) return "createdate: not seconds,nanoseconds";
  const names = readNames({
    worker: line.workername,
    account: line.username,
    ip: line.address,
    agent: line.agent,
  });
  return share(context, names, {
    workInfoId: line.workinfoid,
    clientId: line.clientid,
    difficulty: line.diff,
    atMs: instantMs(created[1]!, created[2]!),
    outcome: line.result ? "accepted" : rejection(line),
  });
}

interface Fields {
  workInfoId: unknown;
  clientId: unknown;
  difficulty: number;
  atMs: number;
  outcome: Outcome;
}

function share(context: CkpoolContext, names: Names, fields: Fields): Share | string {
  const { difficulty, atMs } = fields;
  if (!(difficulty > 0)) return "diff: not above 0";
  if (difficulty > MAX_DIFFICULTY) return "diff: too large";
  if (atMs > context.nowMs + MAX_AHEAD_MS) return "createdate: in the future";
  if (names.refused !== undefined) return names.refused;
  // Always the same keys in the same order: the shape stays one for all that read shares.
  return {
    type: "share",
    atMs,
    pool: context.pool,
    algorithm: context.algorithm,
    account: names.account,
    worker: names.worker,
    session: sessionOf(fields.workInfoId, fields.clientId),
    ip: names.ip,
    agent: names.agent,
    difficulty,
    outcome: fields.outcome,
  };
}

function instantMs(seconds: string, nanoseconds: string): number {
  return Number(seconds) * 1000 + Math.floor(Number(nanoseconds) / 1e6);
}

let startedLast = -1;
let prefixLast = "";

function sessionOf(workInfoId: unknown, clientId: unknown): string | undefined {
  if (typeof workInfoId !== "number" || !Number.isSafeInteger(clientId)) return undefined;
  const started = Math.floor(workInfoId / 2 ** 32);
  if (started !== startedLast) {
    startedLast = started;
    prefixLast = `${started.toString(16)}-`;
  }
  return prefixLast + clientId;
}

/**
 * ckpool names the error by `errn` (enum share_err of its libckpool.h: 1 unknown job, 2 stale, 3 time out of range,
 * 4 duplicate, 5 above target), by the text in `reject-reason`, and newer ones by Stratum's `error` [code, text, …]
 * (20 other, 21 no such job, 22 duplicate, 23 low difficulty). A job it no longer knows is a stale share.
 */
function rejection(line: Record<string, unknown>): Outcome {
  const error = Array.isArray(line.error) ? line.error : [undefined, line.error];
  const byCode = OUTCOME_OF_CODE.get(line.errn) ?? OUTCOME_OF_CODE.get(error[0]);
  if (byCode !== undefined) return byCode;
  const reason = `${text(line["reject-reason"])} ${text(error[1])}`;
  if (/stale|invalid jobid|job not found/i.test(reason)) return "stale";
  if (/duplicate/i.test(reason)) return "duplicate";
  if (/above target|low difficulty|high-hash/i.test(reason)) return "low-difficulty";
  return "invalid";
}

const text = (value: unknown) => (typeof value === "string" ? value : "");

const OUTCOME_OF_CODE = new Map<unknown, Outcome>([
  [1, "stale"],
  [2, "stale"],
  [3, "invalid"],
  [4, "duplicate"],
  [5, "low-difficulty"],
  [21, "stale"],
  [22, "duplicate"],
  [23, "low-difficulty"],
]);
