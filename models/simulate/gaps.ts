import type { Span } from "./calendar.ts";
import type { LoadPlan, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Adds ordinary trouble to a site's own gaps: `perWeek` power and line failures in the mean. */
export function addTrouble(site: SitePlan, random: Random, span: Span, perWeek: number): void {
  site.load.off = mergeOff(site.load.off, drawTrouble(random, span, perWeek));
}

/** Gaps between bursts of activity: on for hours, off for days. */
export function bursts(random: Random, span: Span, perWeek: number): LoadPlan["off"] {
  const off: LoadPlan["off"] = [];
  let fromMs = span.fromMs;
  for (;;) {
    const onMs = fromMs + ((7 * DAY_MS) / perWeek) * random.exponential();
    off.push({ fromMs, toMs: Math.min(onMs, span.toMs), jitterMs: 60_000 });
    if (onMs >= span.toMs) return off;
    fromMs = onMs + random.logUniform(0.5 * HOUR_MS, 60 * HOUR_MS);
    if (fromMs >= span.toMs) return off;
  }
}

/** Power and line failures: Poisson in time, minutes to a day. */
function drawTrouble(random: Random, span: Span, perWeek: number): LoadPlan["off"] {
  const off: LoadPlan["off"] = [];
  let atMs = span.fromMs + ((7 * 24 * HOUR_MS) / perWeek) * random.exponential();
  while (atMs < span.toMs) {
    const toMs = atMs + random.logUniform(3 * 60_000, 20 * HOUR_MS);
    off.push({
      fromMs: Math.round(atMs),
      toMs: Math.round(toMs),
      jitterMs: random.logUniform(20_000, 900_000),
    });
    atMs = toMs + ((7 * 24 * HOUR_MS) / perWeek) * random.exponential();
  }
  return off;
}

/** Puts two lists of gaps in order and joins what overlaps. */
function mergeOff(...lists: LoadPlan["off"][]): LoadPlan["off"] {
  const all = lists.flat().sort((left, right) => left.fromMs - right.fromMs);
  const merged: LoadPlan["off"] = [];
  for (const gap of all) {
    const last = merged.at(-1);
    if (last && gap.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, gap.toMs);
    else merged.push({ ...gap });
  }
  return merged;
}

/** Whether a connection is without power or line at an instant, and when that next changes. `lag` is its own, 0 to 1. */
export function gapAt(
  off: LoadPlan["off"],
  nowMs: number,
  lag: number,
): { off: boolean; nextMs: number; jitterMs: number } {
  for (const span of off) {
    const late = lag * Math.min(span.jitterMs, 30_000);
    if (nowMs < span.fromMs + late) return { off: false, nextMs: span.fromMs + late, jitterMs: 0 };
    if (nowMs < span.toMs) return { off: true, nextMs: span.toMs, jitterMs: span.jitterMs };
  }
  return { off: false, nextMs: Number.POSITIVE_INFINITY, jitterMs: 0 };
}
