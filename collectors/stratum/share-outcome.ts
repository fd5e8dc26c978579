import type { Outcome } from "#core/observation.ts";
import { isRecord, type Message } from "./message.ts";

/** Error codes of the original stratum proposal (slush, 2012), kept by nearly every V1 pool. */
const CODES: ReadonlyMap<number, Outcome> = new Map([
  [21, "stale"],
  [22, "duplicate"],
  [23, "low-difficulty"],
  [24, "invalid"],
  [25, "invalid"],
]);

/** Wordings met in ckpool, NOMP, cryptonote pools, open-ethereum-pool, Kaspa and Alephium pools. */
const WORDINGS: readonly (readonly [RegExp, Outcome])[] = [
  [/dupl/i, "duplicate"],
  [
    /stale|job not found|unknown job|invalid job|job.{0,4}expired|block expired|unknown.work|old.job/i,
    "stale",
  ],
  [/low.?diff|above.?target|high.?hash|low difficulty/i, "low-difficulty"],
];

/**
 * What a pool's answer says of a share. An error is an array `[code, text]`, an object `{code, message}` or a text;
 * ckpool puts its reason beside the result. Null: the answer neither accepts nor refuses.
 */
export function readOutcome(answer: Message): Outcome | null {
  const { result, error } = answer;
  if (error === null || error === undefined || error === false) {
    if (result === true) return "accepted";
    if (isRecord(result))
      return typeof result.status === "string" && /^ok$/i.test(result.status) ? "accepted" : null;
    if (result === false) return fromText(answer.body["reject-reason"]) ?? "invalid";
    return null;
  }
  if (Array.isArray(error)) return fromCode(error[0]) ?? fromText(error[1]) ?? "invalid";
  if (isRecord(error)) return fromCode(error.code) ?? fromText(error.message) ?? "invalid";
  return fromText(error) ?? "invalid";
}

function fromCode(code: unknown): Outcome | undefined {
  return typeof code === "number" ? CODES.get(code) : undefined;
}

function fromText(text: unknown): Outcome | undefined {
  if (typeof text !== "string") return undefined;
  return WORDINGS.find(([wording]) => wording.test(text))?.[1];
}
