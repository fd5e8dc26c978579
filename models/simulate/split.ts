import type { SitePlan } from "./plan.ts";

type Split = SitePlan["split"];

/** What `accountAt` answers while a site mines to somebody else at another pool. */
export const ELSEWHERE = -1;

/** Splits a site's machines between the first two accounts: `part` of them to the first. */
export function splitByRig({ rigs }: SitePlan, part: number): void {
  for (const [index, rig] of rigs.entries()) rig.account = index + 0.5 < part * rigs.length ? 0 : 1;
}

/** Splits a site's time between the first two accounts: `part` of every period to the first. */
export function splitByTime(site: SitePlan, part: number, periodMs: number): void {
  site.split = { periodMs, parts: [part, 1 - part] };
}

/** Has every machine of a site mine `part` of every period to the first account, each at a time of its own, and else elsewhere. */
export function mineApart(site: SitePlan, part: number, periodMs: number): void {
  site.split = { periodMs, parts: [part], apart: true };
}

/** Part of the time that is mined to the accounts. */
export const partHere = (split: Split): number =>
  split
    ? Math.min(
        1,
        split.parts.reduce((sum, part) => sum + part, 0),
      )
    : 1;

/** How far a connection is ahead in the period. `lag` is its own, 0 to 1. */
const aheadMs = ({ apart, periodMs }: NonNullable<Split>, lag: number): number =>
  apart ? Math.floor(lag * periodMs) : 0;

/** Which of its accounts a site that splits by time mines to, `ELSEWHERE` for none; null where it does not split. */
export function accountAt(split: Split, atMs: number, lag: number): number | null {
  if (!split) return null;
  const within = ((atMs + aheadMs(split, lag)) % split.periodMs) / split.periodMs;
  let sum = 0;
  for (let index = 0; index < split.parts.length; index += 1) {
    sum += split.parts[index] as number;
    if (within < sum) return index;
  }
  return split.apart ? ELSEWHERE : split.parts.length - 1;
}

/** When a site that splits by time next turns to another account; Infinity where it does not split. */
export function splitEndMs(split: Split, atMs: number, lag: number): number {
  if (!split) return Number.POSITIVE_INFINITY;
  const ahead = aheadMs(split, lag);
  const startMs = atMs + ahead - ((atMs + ahead) % split.periodMs) - ahead;
  let sum = 0;
  for (const part of split.parts) {
    sum += part;
    const endMs = startMs + sum * split.periodMs;
    if (endMs > atMs + 1) return endMs;
  }
  return startMs + split.periodMs;
}
