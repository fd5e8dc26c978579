import type { SitePlan } from "./plan.ts";

/** Splits a site's machines between the first two accounts: `part` of them to the first. */
export function splitByRig({ rigs }: SitePlan, part: number): void {
  for (const [index, rig] of rigs.entries()) rig.account = index + 0.5 < part * rigs.length ? 0 : 1;
}

/** Splits a site's time between the first two accounts: `part` of every period to the first. */
export function splitByTime(site: SitePlan, part: number, periodMs: number): void {
  site.split = { periodMs, parts: [part, 1 - part], wander: 0 };
}

/** Which of its accounts a site that splits by time mines to; null where it does not split. */
export function accountAt(split: SitePlan["split"], atMs: number): number | null {
  if (!split) return null;
  const within = (atMs % split.periodMs) / split.periodMs;
  let sum = 0;
  for (let index = 0; index < split.parts.length; index += 1) {
    sum += split.parts[index] as number;
    if (within < sum) return index;
  }
  return split.parts.length - 1;
}

/** When a site that splits by time next turns to another account; Infinity where it does not split. */
export function splitEndMs(split: SitePlan["split"], atMs: number): number {
  if (!split) return Number.POSITIVE_INFINITY;
  const startMs = atMs - (atMs % split.periodMs);
  let sum = 0;
  for (const part of split.parts) {
    sum += part;
    const endMs = startMs + sum * split.periodMs;
    if (endMs > atMs + 1) return endMs;
  }
  return startMs + split.periodMs;
}
