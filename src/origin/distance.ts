import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { NetworkKind } from "#core/origin.ts";
import { readTable } from "./dated.ts";

/** A point, in degrees. */
export interface Point {
  latitude: number;
  longitude: number;
}

/** A circle on the globe. */
export interface Circle extends Point {
  radiusKm: number;
}

/** What a round trip says of a claimed place. */
export interface Feasibility {
  /** `too-fast`: light in fibre cannot have come from there, so the claim is false. `too-slow`: further than usual for the place. */
  verdict: "feasible" | "too-fast" | "too-slow" | "unknown";
  /** The nearest and the farthest the place can be from the pool, km. */
  nearestKm: number;
  farthestKm: number;
  /** The least a round trip to the place can take, and the most it usually takes, ms. */
  fastestMs: number;
  slowestMs: number;
  /** The farthest the other end of the connection can be, whatever it claims, km. */
  reachKm: number;
}

/** Light in fibre goes 200 km a millisecond, and a round trip goes both ways: at most 100 km of distance a millisecond. */
export const KM_PER_ROUND_TRIP_MS = 100;
/**
 * How much longer than a straight fibre a round trip usually takes at most. Pings were measured at 3.2 times the speed
 * of light in vacuum in the median, that is 2.1 times a straight fibre (Singla et al., "The Internet at the Speed of
 * Light", HotNets 2014); twice the median is called slow.
 */
export const STRETCH = 4.2;
/** Last mile of a slow line, both ways: DSL with interleaving, mobile. A satellite in geostationary orbit adds 600 ms. */
const ACCESS_MS = 60;
const SATELLITE_MS = 650;
const EARTH_RADIUS_KM = 6371;
/** Clocks and timestamps round: a round trip is not called too fast for less. */
const CLOCK_MS = 1;

/** Distance on the globe, km (haversine on a sphere: within 0.6 %). */
export function greatCircleKm(a: Point, b: Point): number {
  const radians = Math.PI / 180;
  const sine = (degrees: number) => Math.sin((degrees * radians) / 2) ** 2;
  const root =
    sine(b.latitude - a.latitude) +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * sine(b.longitude - a.longitude);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(root)));
}

const table = z.strictObject({
  name: z.string(),
  version: z.string(),
  note: z.string(),
  places: z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number()])).min(1)),
});

let places: Map<string, readonly Circle[]> | undefined;

/** The circles that hold a country or region whole; its country's when the region is not known by itself. Null: neither is. */
export function placesOf(country: string, region = ""): readonly Circle[] | null {
  places ??= readPlaces();
  return places.get(region) ?? places.get(country) ?? null;
}

function readPlaces(): Map<string, readonly Circle[]> {
  const file = fileURLToPath(new URL("data/places.json", import.meta.url));
  const rows = Object.entries(readTable(file, readFileSync(file, "utf8"), table).places);
  return new Map(
    rows.map(([code, circles]) => [
      code,
      circles.map(([latitude, longitude, radiusKm]) => ({ latitude, longitude, radiusKm })),
    ]),
  );
}

/**
 * Holds a round trip against the place an address claims. `rttMs` is the smallest ever seen to it: queues only add.
 * It is the round trip to whoever ends the TCP connection, so that a relay passes for its own place.
 */
export function feasibility(options: {
  pool: Point;
  /** ISO 3166-1 alpha-2 and ISO 3166-2, as an origin has them. */
  country: string;
  region?: string;
  kind?: NetworkKind;
  rttMs: number;
}): Feasibility {
  const { pool, country, region = "", kind = "unknown", rttMs } = options;
  const reachKm = rttMs * KM_PER_ROUND_TRIP_MS;
  const circles = placesOf(country, region);
  if (circles === null || !(rttMs >= 0)) {
    const nothing = { nearestKm: 0, farthestKm: Number.NaN, fastestMs: 0, slowestMs: Number.NaN };
    return { verdict: "unknown", ...nothing, reachKm };
  }
  const distances = circles.map((circle) => ({ km: greatCircleKm(pool, circle), radiusKm: circle.radiusKm }));
  const nearestKm = Math.max(0, Math.min(...distances.map(({ km, radiusKm }) => km - radiusKm)));
  const farthestKm = Math.max(...distances.map(({ km, radiusKm }) => km + radiusKm));
  const fastestMs = nearestKm / KM_PER_ROUND_TRIP_MS;
  const accessMs = kind === "satellite" ? SATELLITE_MS : ACCESS_MS;
  const slowestMs = (farthestKm / KM_PER_ROUND_TRIP_MS) * STRETCH + accessMs;
  const verdict = rttMs + CLOCK_MS < fastestMs ? "too-fast" : rttMs > slowestMs ? "too-slow" : "feasible";
  return { verdict, nearestKm, farthestKm, fastestMs, slowestMs, reachKm };
}
