import type { Share } from "#core/observation.ts";

/** ckpool begins a work item about every half minute, and a share log with each. */
const WORK_MS = 30_000;
/** Work ids count nanoseconds in their own unit (FEEDS.md: they exceed 2^53, so they are made as text). */
const FIRST_WORK = 7_711_126_893_885_390_848n;
const GENESIS_MS = Date.UTC(2009, 0, 3);
const BLOCK_MS = 600_000;

const ERRORS = {
  accepted: null,
  stale: [21, "Stale", null],
  duplicate: [22, "Duplicate", null],
  "low-difficulty": [23, "Above target", null],
  invalid: [20, "Invalid", null],
} as const;

const workOf = (atMs: number): bigint => FIRST_WORK + BigInt(Math.floor(atMs / WORK_MS));

/** Where ckpool keeps a share: `<height, 8 hex>/<workinfoid, 16 hex>.sharelog`. */
export function sharelogPath(atMs: number): string {
  const height = Math.floor((Math.floor(atMs / WORK_MS) * WORK_MS - GENESIS_MS) / BLOCK_MS);
  return `${height.toString(16).padStart(8, "0")}/${workOf(atMs).toString(16).padStart(16, "0")}.sharelog`;
}

/** One record of a share log, in the fields and order of ckpool's own (FEEDS.md). Built as text for the 64-bit id. */
export function sharelogLine(share: Share): string {
  const { atMs, account, worker, ip, agent, difficulty, outcome } = share;
  const accepted = outcome === "accepted";
  const error = ERRORS[outcome];
  const record = {
    clientid: hash(share.session ?? ip ?? account),
    enonce1: hash(share.session ?? account)
      .toString(16)
      .padStart(8, "0"),
    nonce2: "0000000000000000",
    nonce: hash(`${atMs}${account}${worker}`).toString(16).padStart(8, "0"),
    ntime: Math.floor(atMs / 1000).toString(16),
    diff: difficulty,
    sdiff: outcome === "stale" ? -1 : difficulty * 1.5,
    hash: "",
    result: accepted,
    ...(error ? { error } : {}),
    errn: error ? error[0] : 0,
    createdate: `${Math.floor(atMs / 1000)},${String((atMs % 1000) * 1_000_000).padStart(9, "0")}`,
    createby: "code",
    createcode: "parse_submit",
    createinet: "127.0.0.1:3333",
    workername: worker === undefined ? account : `${account}.${worker}`,
    username: account,
    address: ip ?? "",
    agent: agent ?? "",
  };
  return `{"workinfoid":${workOf(atMs)},${JSON.stringify(record).slice(1)}\n`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
