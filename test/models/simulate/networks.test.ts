import { beforeAll, expect, test } from "vitest";
import type { LookUpOrigin } from "#core/origin.ts";
import {
  COUNTRIES,
  drawAddress,
  HOSTING,
  OVERSEAS_BASES,
  SATELLITE,
  VPN_EXITS,
} from "../../../models/simulate/networks.ts";
import { createRandom } from "../../../models/simulate/random.ts";
import { createOrigin } from "../../../src/origin/origin.ts";

const atMs = Date.UTC(2026, 0, 5);
let lookUp: LookUpOrigin;

beforeAll(async () => {
  lookUp = (await createOrigin()).lookUp;
});

/** Countries and kinds the product sees for 40 addresses of each prefix. */
function seen(prefixes: readonly string[]): { countries: Set<string>; kinds: Set<string> } {
  const random = createRandom(1, "test");
  const countries = new Set<string>();
  const kinds = new Set<string>();
  for (const prefix of prefixes) {
    for (let index = 0; index < 40; index += 1) {
      const origin = lookUp(drawAddress(random, prefix), atMs);
      countries.add(origin.country);
      kinds.add(origin.kind);
    }
  }
  return { countries, kinds };
}

test.each(COUNTRIES.map(({ code, residential }) => [code, residential] as const))(
  "addresses of %s stand there, and in no hosting or hidden network",
  (code, residential) => {
    const { countries, kinds } = seen(residential);
    expect([...countries]).toEqual([code]);
    for (const kind of ["hosting", "vpn", "tor", "relay"]) expect(kinds).not.toContain(kind);
  },
);

test.each(Object.entries(HOSTING))("hosting space of %s stands there", (code, prefixes) => {
  expect([...seen(prefixes).countries]).toEqual([code]);
});

test("most hosting space is known as such, some is not, as in life", () => {
  const known = Object.values(HOSTING)
    .flat()
    .filter((prefix) => seen([prefix]).kinds.has("hosting"));
  const all = Object.values(HOSTING).flat().length;
  expect(known.length / all).toBeGreaterThan(0.7);
  expect(known.length).toBeLessThan(all);
});

test.each(Object.entries(VPN_EXITS))("VPN exits of %s stand there and are known", (code, prefixes) => {
  const { countries, kinds } = seen(prefixes);
  expect([...countries]).toEqual([code]);
  expect([...kinds]).toEqual(["vpn"]);
});

test.each(Object.entries(SATELLITE))("satellite subscribers of %s are known", (code, prefixes) => {
  const { countries, kinds } = seen(prefixes);
  expect([...countries]).toEqual([code]);
  expect([...kinds]).toEqual(["satellite"]);
});

test("overseas bases are watched places, and most of the world is not", () => {
  const tiers = (codes: readonly string[]) =>
    codes.map((code) => {
      const prefix = COUNTRIES.find((one) => one.code === code)?.residential[0] as string;
      return lookUp(drawAddress(createRandom(2, code), prefix), atMs).tier;
    });
  expect(new Set(tiers(OVERSEAS_BASES))).toEqual(new Set(["watch"]));
  expect(new Set(tiers(["US", "DE", "BR", "AU", "NO"]))).toEqual(new Set(["none"]));
});
