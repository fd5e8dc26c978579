import { MAX_TEXT } from "#core/observation.ts";

/** U+FFFD marks bytes that were not UTF-8: such a name is not what the miner sent. */
const UNUSABLE = /[\p{Cc}\u2028\u2029\ufffd]/u;

/** True for a text that may stand in an observation: 1 to MAX_TEXT units and no control characters. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_TEXT && !UNUSABLE.test(value);
}

/** What a login or submit calls itself: the account that is paid, and the machine or group of machines, if named. */
export interface WorkerName {
  account: string;
  worker?: string;
}

/**
 * Splits a stratum worker name at its first dot, as ckpool, NOMP and their kin do: `account.worker`. A bitcoin or
 * monero address holds no dot. A name that is too long, empty or holds control characters gives a reason instead.
 */
export function splitWorkerName(name: unknown): WorkerName | { reason: string } {
  if (typeof name !== "string" || name === "") return { reason: "no worker name" };
  if (name.length > MAX_TEXT) return { reason: `worker name longer than ${MAX_TEXT} characters` };
  if (UNUSABLE.test(name)) return { reason: "worker name with control characters or broken UTF-8" };
  const dot = name.indexOf(".");
  if (dot < 0) return { account: name };
  if (dot === 0) return { reason: "worker name without an account" };
  const worker = name.slice(dot + 1);
  return worker === "" ? { account: name.slice(0, dot) } : { account: name.slice(0, dot), worker };
}
