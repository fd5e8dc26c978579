import { type CountryResponse, open } from "maxmind";
import { bundledDatabase } from "../src/origin/load.ts";
import { createOrigin } from "../src/origin/origin.ts";
import { rescreen } from "../src/screening/rescreen.ts";
import { createScreening } from "../src/screening/screening.ts";
import { type Figure, median } from "./figure.ts";

/** Shares of a pool: 20,000 addresses, used as Zipf has it, and one look-up in fifty for an address never seen before. */
const ADDRESSES = 20_000;
const LOOK_UPS = 400_000;
const COLD_PART = 0.02;
const ROUNDS = 5;
const KNOWN = 1_000_000;

/** Park-Miller: the same addresses in every run and for both sides. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function mix(): { hot: string[]; cold: string[]; pool: string[] } {
  const next = numbers(7);
  const address = () =>
    `${1 + Math.floor(next() * 222)}.${[0, 0, 0].map(() => Math.floor(next() * 256)).join(".")}`;
  const addresses = Array.from({ length: ADDRESSES }, address);
  const hot = Array.from(
    { length: LOOK_UPS },
    () => addresses[Math.floor(ADDRESSES ** next()) - 1] as string,
  );
  const cold = Array.from({ length: LOOK_UPS / 10 }, address);
  const pool = hot.map((ip) => (next() < COLD_PART ? address() : ip));
  return { hot, cold, pool };
}

/** Look-ups a second: the median of rounds taken in turns with the peer's, so that a busy machine slows both. */
function compare(
  ips: readonly string[],
  make: () => (ip: string) => unknown,
  peer: () => (ip: string) => unknown,
) {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [side, factory] of [make, peer].entries()) {
      const lookUp = factory();
      const start = performance.now();
      for (const ip of ips) lookUp(ip);
      rates[side]?.push((ips.length / (performance.now() - start)) * 1000);
    }
  }
  return { value: median(rates[0]), peerValue: median(rates[1]) };
}

/** Look-ups beside `maxmind` alone as it comes, with its cache of 10,000 records, and a re-screening of a million accounts. */
export async function* run(): AsyncGenerator<Figure> {
  const atMs = Date.parse("2026-11-23");
  const services = await Promise.all(Array.from({ length: ROUNDS * 3 }, () => createOrigin()));
  const make = () => {
    const service = services.pop();
    if (!service) throw new Error("bench/origin: too few services were made");
    return (ip: string) => service.lookUp(ip, atMs);
  };
  const readers = await Promise.all(
    Array.from({ length: ROUNDS * 3 }, () => open<CountryResponse>(bundledDatabase())),
  );
  const peer = () => {
    const reader = readers.pop();
    if (!reader) throw new Error("bench/origin: too few readers were opened");
    return (ip: string) => reader.get(ip);
  };
  const { hot, cold, pool } = mix();
  const peerName = "maxmind country look-up";
  const figures = { "origin.hot_lookups_per_second": hot, "origin.cold_lookups_per_second": cold };
  for (const [figure, ips] of Object.entries(figures)) {
    const { value, peerValue } = compare(ips, make, peer);
    yield { figure, value, unit: "look-ups/s", peer: peerName, peerValue, ratio: value / peerValue };
  }
  const { value, peerValue } = compare(pool, make, peer);
  const ratio = value / peerValue;
  yield { figure: "origin.over_maxmind_country", value: ratio, unit: "×", peer: peerName, peerValue, ratio };
  yield { figure: "screening.rescreen_million_seconds", value: await rescreenMillion(atMs), unit: "s" };
}

/** A million accounts, one in a thousand of them on a list of a thousand that changes by one entry. */
async function rescreenMillion(atMs: number): Promise<number> {
  const service = await createScreening({ lists: [], places: await createOrigin() });
  const address = (index: number) => `1${index.toString(36).padStart(32, "0")}`;
  const entries = Array.from({ length: 1000 }, (_, index) => ({
    subject: "address" as const,
    value: address(index * 1000),
    note: "XBT",
  }));
  const list = { name: "bench", version: "1", source: "bench", publishedAt: "", hash: "", entries };
  service.replace([list]);
  const known = Array.from({ length: KNOWN }, (_, index) => {
    const value = address(index);
    return { subject: "address" as const, value, stood: service.screen("address", value, atMs).matches };
  });
  const start = performance.now();
  service.replace([{ ...list, version: "2", entries: entries.slice(1) }]);
  let lost = 0;
  for (const batch of rescreen(known, (subject, value) => service.screen(subject, value, atMs)))
    lost += batch.changed.length;
  if (lost !== 1) throw new Error(`bench/origin: ${lost} changes were found where 1 was made`);
  return (performance.now() - start) / 1000;
}
