import type { Outcome, Share } from "#core/observation.ts";
import { type Names, type PoolContext, readNames, shareOf } from "./share.ts";

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

/**
 * The end of a line is the same for every share of one worker, so one look-up stands for four. A longer one, which
 * only a miner with something to hide sends, is read anew each time: 60 MB is what ordinary ones take, 130 MB the bound.
 */
const MAX_ENDS = 131_072;
const MAX_END = 512;
const ends = new Map<string, Known>();

/** The names at the end of a line, and the session of the line before with the same end: mostly it is the same. */
interface Known {
  names: Names;
  started: number;
  clientId: string;
  session: string | undefined;
}

function knownBy(end: string): Known {
  const same = ends.get(end);
  if (same !== undefined) return same;
  const [, worker, account, ip, agent] = NAMES.exec(end) as RegExpExecArray;
  const names = readNames({ worker, account, ip, agent });
  const known: Known = { names, started: -1, clientId: "", session: undefined };
  if (end.length > MAX_END) return known;
  if (ends.size >= MAX_ENDS) ends.clear();
  ends.set(Buffer.from(end).toString(), known);
  return known;
}

/** A log's lines name one job, so its text is read once. */
let workInfoLast = "";
let workInfoStarted = -1;

function sessionKnown(known: Known, workInfoId: string, clientId: string): string | undefined {
  if (workInfoId !== workInfoLast) {
    workInfoLast = workInfoId;
    workInfoStarted = startOf(Number(workInfoId));
  }
  if (known.started !== workInfoStarted || known.clientId !== clientId) {
    known.started = workInfoStarted;
    known.clientId = clientId;
    known.session = sessionOf(Number(workInfoId), Number(clientId));
  }
  return known.session;
}

/**
 * One line of a ckpool share log as a share, or the reason why not. `address` is the miner, `createinet` the pool;
 * work is `diff`, never `sdiff`. The session is "<start of the pool process, hexadecimal seconds>-<clientid>": ckpool
 * counts clients from 1 at every start, and the high half of `workinfoid` is the second it started in.
 */
export function parseCkpoolLine(text: string, context: PoolContext): Share | string {
  const match = ACCEPTED.exec(text);
  if (match !== null) {
    const [, workInfoId, clientId, diff, seconds, nanoseconds, end] = match;
    const known = knownBy(end!);
    return shareOf(context, known.names, {
      session: sessionKnown(known, workInfoId!, clientId!),
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

function parseRecord(line: Record<string, unknown>, context: PoolContext): Share | string {
  if (typeof line.result !== "boolean") return "result: neither true nor false";
  if (typeof line.diff !== "number") return "diff: not a number";
  const created = typeof line.createdate === "string" ? CREATED.exec(line.createdate) : null;
  if (created === null) return "createdate: not seconds,nanoseconds";
  const { workername: worker, username: account, address: ip, agent } = line;
  return shareOf(context, readNames({ worker, account, ip, agent }), {
    session: sessionOf(line.workinfoid, line.clientid),
    difficulty: line.diff,
    atMs: instantMs(created[1]!, created[2]!),
    outcome: line.result ? "accepted" : rejection(line),
  });
}

function instantMs(seconds: string, nanoseconds: string): number {
  return Number(seconds) * 1000 + Math.floor(Number(nanoseconds) / 1e6);
}

/** The second the pool process started in: the high half of the job's number. */
const startOf = (workInfoId: number): number => Math.floor(workInfoId / 2 ** 32);

let startedLast = -1;
let prefixLast = "";

function sessionOf(workInfoId: unknown, clientId: unknown): string | undefined {
  if (typeof workInfoId !== "number" || !Number.isSafeInteger(clientId)) return undefined;
  const started = startOf(workInfoId);
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
