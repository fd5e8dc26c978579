import { createRandom, poisson, type Random } from "./random.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A span of time, ms. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * Price rank of power in a region at an hour, 0 cheapest to 1 dearest: two peaks a day, dearer in winter and high
 * summer, and a spell of scarcity every few weeks. Shape after the day-ahead curves of ERCOT and of the Iranian grid's
 * published cuts (summer afternoons; winter evenings).
 */
export function powerPriceRank(seed: number, region: string, offset: number, atMs: number): number {
  const local = (((atMs / HOUR_MS + offset) % 24) + 24) % 24;
  const day = Math.floor((atMs / HOUR_MS + offset) / 24);
  const dayOfYear = day % 365.25;
  const season = 0.5 + 0.5 * Math.cos((4 * Math.PI * (dayOfYear - 15)) / 365.25);
  const evening = Math.exp(-(((local - 18.5) / 3) ** 2));
  const morning = 0.5 * Math.exp(-(((local - 8) / 2) ** 2));
  const weather = createRandom(seed, `power/${region}/${Math.floor(day / 3)}`).next();
  return Math.min(1, 0.75 * Math.max(evening, morning) * (0.5 + 0.5 * season) + 0.35 * weather);
}

/** Outages of a watched network: Poisson in time, a few minutes to several hours long. */
export function drawOutages(random: Random, startMs: number, endMs: number, perWeek: number): Span[] {
  const count = poisson(random, (perWeek * (endMs - startMs)) / (7 * DAY_MS));
  const spans: Span[] = [];
  for (let index = 0; index < count; index += 1) {
    const fromMs = Math.round(random.between(startMs, endMs));
    spans.push({ fromMs, toMs: Math.round(fromMs + random.logUniform(8 * 60_000, 6 * HOUR_MS)) });
  }
  spans.sort((left, right) => left.fromMs - right.fromMs);
  return spans.filter((span, index) => index === 0 || span.fromMs > (spans[index - 1] as Span).toMs);
}

/** A network's prefixes and how route collectors see them. */
export interface WatchedNetwork {
  prefixes: readonly string[];
  originAs: number;
  upstreams: readonly number[];
}

/** The four /24s of 175.45.176.0/22 and their upstreams (FEEDS.md, Routes). */
export const WATCHED: WatchedNetwork = {
  prefixes: ["175.45.176.0/24", "175.45.177.0/24", "175.45.178.0/24", "175.45.179.0/24"],
  originAs: 131279,
  upstreams: [4837, 20485],
};

/** Instants at which an operator acts: working hours by discipline, else any hour. */
export function drawActions(
  random: Random,
  operator: { utcOffset: number; from: number; to: number; discipline: number; actionsPerWeek: number },
  span: Span,
): number[] {
  const weeks = Math.max(0, span.toMs - span.fromMs) / (7 * DAY_MS);
  const count = poisson(random, operator.actionsPerWeek * weeks);
  const instants: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const day = Math.floor(random.between(span.fromMs, span.toMs) / DAY_MS) * DAY_MS;
    const local = random.chance(operator.discipline)
      ? random.between(operator.from, operator.to)
      : random.between(0, 24);
    const atMs = Math.round(day + (local - operator.utcOffset) * HOUR_MS);
    if (atMs > span.fromMs && atMs < span.toMs) instants.push(atMs);
  }
  return instants.sort((left, right) => left - right);
}
