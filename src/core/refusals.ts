import type { Refusal } from "#core/observation.ts";

/** Entries a batch carries at most; what comes after them is folded into counts. */
export const MAX_REFUSALS = 100;

/** Adds a refusal to a batch's list. Once that is full, it is counted with the last entry of the same reason, or the last. */
export function refuse(refusals: Refusal[], reason: string, place: string, count = 1): void {
  if (refusals.length < MAX_REFUSALS) {
    refusals.push(count === 1 ? { reason, place } : { reason, place, count });
    return;
  }
  const entry = refusals.findLast((known) => known.reason === reason) ?? refusals[MAX_REFUSALS - 1]!;
  entry.count = (entry.count ?? 1) + count;
}
