import { isText, MAX_TEXT } from "#core/observation.ts";

/** Stands for bytes that were not UTF-8: such a text is not what the peer sent. */
const REPLACEMENT = "\ufffd";

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
  if (!isText(name) || name.includes(REPLACEMENT))
    return { reason: "worker name with control characters or broken UTF-8" };
  const dot = name.indexOf(".");
  if (dot < 0) return { account: name };
  if (dot === 0) return { reason: "worker name without an account" };
  const worker = name.slice(dot + 1);
  return worker === "" ? { account: name.slice(0, dot) } : { account: name.slice(0, dot), worker };
}

/** An agent as it may stand in an observation; anything else is left out. */
export function readAgent(value: unknown): string | undefined {
  return isText(value) && !value.includes(REPLACEMENT) ? value : undefined;
}
