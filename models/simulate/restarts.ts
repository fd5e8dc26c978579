import type { Span } from "./calendar.ts";
import type { Operation } from "./plan.ts";
import { createRandom, poisson, type Random } from "./random.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How often a pool starts its servers anew, for updates and after faults. Our estimate. */
const POOL_RESTARTS_PER_WEEK = 0.5;
/** Part of the operations whose sites a watchdog or a cron job reboots every day. Our estimate. */
const DAILY_REBOOTS = 0.05;

/** Instants at which a pool starts its servers anew, in order: Poisson in time, a stream for each pool. */
export function drawPoolRestarts(seed: number, pool: string, { fromMs, toMs }: Span): number[] {
  const random = createRandom(seed, "pool-restarts").fork(pool);
  const count = poisson(random, (POOL_RESTARTS_PER_WEEK * (toMs - fromMs)) / (7 * DAY_MS));
  const instants = Array.from({ length: count }, () => Math.round(random.between(fromMs, toMs)));
  return instants.sort((left, right) => left - right);
}

/** Has all sites of a few operations rebooted at the same minute of every day. */
export function scheduleReboots(sites: Operation["sites"], random: Random): void {
  if (!random.chance(DAILY_REBOOTS)) return;
  const minute = random.integer(0, DAY_MS / MINUTE_MS - 1);
  for (const site of sites) site.rebootMinute = minute;
}

/** The first of the instants, which are in order, after `atMs`; Infinity where none is. */
export const nextInstantMs = (instants: readonly number[], atMs: number): number =>
  instants.find((instant) => instant > atMs) ?? Number.POSITIVE_INFINITY;

/** When a minute of the UTC day next begins after `atMs`; Infinity where none is given. */
export function nextDailyMs(minute: number | undefined, atMs: number): number {
  if (minute === undefined) return Number.POSITIVE_INFINITY;
  const todayMs = Math.floor(atMs / DAY_MS) * DAY_MS + minute * MINUTE_MS;
  return todayMs > atMs ? todayMs : todayMs + DAY_MS;
}
