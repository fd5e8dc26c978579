import fc from "fast-check";
import { expect, test } from "vitest";
import { feasibility, greatCircleKm, placesOf } from "../../src/origin/distance.ts";

const FRANKFURT = { latitude: 50.11, longitude: 8.68 };
const CITIES = [
  ["FR", "", 48.86, 2.35],
  ["RU", "", 43.12, 131.9],
  ["RU", "", 54.71, 20.45],
  ["US", "", 21.31, -157.86],
  ["US", "", 64.84, -147.72],
  ["US", "", 25.76, -80.19],
  ["KP", "", 39.03, 125.75],
  ["CN", "", 43.83, 87.62],
  ["IR", "", 25.29, 60.64],
  ["ID", "", -2.53, 140.72],
  ["CL", "", -27.15, -109.43],
  ["NZ", "", -36.85, 174.76],
  ["SG", "", 1.29, 103.85],
  ["UA", "UA-43", 45.36, 36.47],
  ["UA", "UA-43", 44.95, 34.1],
  ["UA", "UA-40", 44.6, 33.53],
  ["UA", "UA-14", 48.0, 37.8],
  ["UA", "UA-09", 48.57, 39.31],
  ["FJ", "", -18.14, 178.44],
] as const;

test.each(CITIES)("the circles of %s %s hold the city at %d, %d", (country, region, latitude, longitude) => {
  const circles = placesOf(country, region) ?? [];
  expect(circles.some((circle) => greatCircleKm(circle, { latitude, longitude }) <= circle.radiusKm)).toBe(
    true,
  );
});

test("distances agree with published ones", () => {
  // Frankfurt to Singapore and Paris to New York, great circle.
  expect(greatCircleKm(FRANKFURT, { latitude: 1.29, longitude: 103.85 })).toBeCloseTo(10_270, -2);
  expect(
    greatCircleKm({ latitude: 48.86, longitude: 2.35 }, { latitude: 40.71, longitude: -74.01 }),
  ).toBeCloseTo(5837, -1);
});

test("a round trip is held against the place claimed", () => {
  const claim = (country: string, rttMs: number, kind?: "satellite") =>
    feasibility({ pool: FRANKFURT, country, rttMs, ...(kind ? { kind } : {}) });
  expect(claim("DE", 12).verdict).toBe("feasible");
  expect(claim("DE", 200).verdict).toBe("too-slow");
  expect(claim("DE", 650, "satellite").verdict).toBe("feasible");
  // Singapore is 10,270 km away: light needs 102 ms there and back.
  expect(claim("SG", 160).verdict).toBe("feasible");
  expect(claim("SG", 90)).toMatchObject({ verdict: "too-fast", reachKm: 9000 });
  expect(claim("SG", 90).fastestMs).toBeCloseTo(102.5, 0);
  expect(claim("KP", 40).verdict).toBe("too-fast");
  expect(claim("ZZ", 10)).toMatchObject({ verdict: "unknown", reachKm: 1000 });
  expect(claim("DE", Number.NaN).verdict).toBe("unknown");
  expect(feasibility({ pool: FRANKFURT, country: "UA", region: "UA-43", rttMs: 12 }).verdict).toBe(
    "too-fast",
  );
});

test("what light could do is never called too fast, and more is never slower than less", () => {
  const point = fc.record({
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  });
  fc.assert(
    fc.property(point, fc.constantFrom(...CITIES), (pool, [country, region, latitude, longitude]) => {
      const lightMs = greatCircleKm(pool, { latitude, longitude }) / 100;
      const found = feasibility({ pool, country, region, rttMs: lightMs });
      expect(found.verdict).not.toBe("too-fast");
      expect(found.slowestMs).toBeGreaterThan(found.fastestMs);
    }),
  );
});
