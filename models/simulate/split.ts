import type { SitePlan } from "./plan.ts";

/** Splits a site's machines between the first two accounts: `part` of them to the first. */
export function splitByRig({ rigs }: SitePlan, part: number): void {
  for (const [index, rig] of rigs.entries()) rig.account = index + 0.5 < part * rigs.length ? 0 : 1;
}

/** Splits a site's time between the first two accounts: `part` of every period to the first. */
export function splitByTime(site: SitePlan, part: number, periodMs: number): void {
  site.split = { periodMs, parts: [part, 1 - part], wander: 0 };
}
