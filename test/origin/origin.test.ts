import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrigin, type OriginService } from "../../src/origin/origin.ts";
import { writeMmdb } from "./write-mmdb.ts";

const AT = Date.parse("2026-11-23");
const at = (day: string) => Date.parse(day);
let directory: string;
let origin: OriginService;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-origin-"));
  origin = await createOrigin();
});
afterAll(() => rm(directory, { recursive: true }));

describe("the bundled database and tables", () => {
  test.each([
    ["175.45.176.1", "2026-11-23", "KP", "comprehensive"],
    ["175.45.177.1", "2026-11-23", "KP", "comprehensive"],
    ["175.45.178.1", "2026-11-23", "KP", "comprehensive"],
    ["175.45.179.1", "2026-11-23", "KP", "comprehensive"],
    ["175.45.180.1", "2026-11-23", "AU", "none"],
    ["210.52.109.1", "2017-05-17", "KP", "comprehensive"],
    ["210.52.109.1", "2026-11-23", "KP", "comprehensive"],
    ["210.52.109.1", "2016-05-17", "CN", "none"],
    ["77.94.35.1", "2017-05-17", "KP", "comprehensive"],
    ["77.94.35.1", "2016-05-17", "LT", "none"],
    ["77.94.35.1", "2026-11-23", "LT", "none"],
    ["5.9.1.1", "2026-11-23", "DE", "none"],
    ["1.2.4.8", "2026-11-23", "CN", "watch"],
  ])("%s on %s is %s, %s", (ip, day, country, tier) => {
    expect(origin.lookUp(ip, at(day))).toMatchObject({ ip, country, tier });
  });

  test("tells network, holder and kind with the source of each", () => {
    const found = origin.lookUp("175.45.178.1", AT);
    expect(found).toMatchObject({ asn: 131279, kind: "unknown", confidence: 0.99 });
    expect(found.facts.map(({ fact }) => fact)).toEqual(["country", "network", "tier"]);
    for (const { source } of found.facts) expect(source).toMatch(/^assay (networks|tiers) \d{4}-\d\d-\d\d: /);
    expect(origin.lookUp("95.216.1.1", AT)).toMatchObject({ asn: 24940, kind: "hosting" });
    expect(origin.lookUp("185.220.101.5", AT)).toMatchObject({ kind: "tor" });
    expect(origin.lookUp("185.220.101.5", AT).confidence).toBeLessThan(0.1);
  });

  test.each([
    ["10.1.2.3", "private", "RFC 1918"],
    ["172.31.255.255", "private", "RFC 1918"],
    ["192.168.0.1", "private", "RFC 1918"],
    ["100.64.0.1", "private", "carrier-grade NAT"],
    ["127.0.0.1", "private", "Loopback"],
    ["169.254.1.1", "private", "Link local"],
    ["192.0.2.1", "reserved", "Documentation"],
    ["203.0.113.9", "reserved", "Documentation"],
    ["198.18.0.1", "reserved", "Benchmarking"],
    ["224.0.0.1", "reserved", "Multicast"],
    ["255.255.255.255", "reserved", "broadcast"],
    ["0.0.0.0", "reserved", "This network"],
    ["::1", "private", "Loopback"],
    ["::", "reserved", "Unspecified"],
    ["fe80::1", "private", "Link local"],
    ["fd00::1", "private", "Unique local"],
    ["2001:db8::1", "reserved", "Documentation"],
    ["ff02::1", "reserved", "Multicast"],
    ["4000::1", "reserved", "global unicast"],
  ])("%s is %s: %s", (ip, kind, name) => {
    const found = origin.lookUp(ip, AT);
    expect(found).toMatchObject({ country: "ZZ", tier: "unknown", kind, confidence: 0 });
    expect(found.facts[0]?.value).toContain(name);
  });

  test.each([
    ["2002:af2d:b001::1", "6to4 tunnel (RFC 3056) of 175.45.176.1"],
    ["2001:0:4136:e378:8000:63bf:50d2:4ffe", "Teredo tunnel (RFC 4380) of 175.45.176.1"],
    ["64:ff9b::af2d:b001", "NAT64 (RFC 6052) of 175.45.176.1"],
  ])("%s is a %s", (ip, name) => {
    const found = origin.lookUp(ip, AT);
    expect(found).toMatchObject({ ip, country: "KP", tier: "comprehensive", kind: "relay" });
    expect(found.facts.at(-1)?.value).toBe(name);
    expect(found.confidence).toBeLessThan(origin.lookUp("175.45.176.1", AT).confidence);
  });

  test("an IPv4-mapped address, however it is spelled, is the IPv4 address itself", () => {
    const plain = origin.lookUp("175.45.176.1", AT);
    for (const ip of ["::ffff:175.45.176.1", "::FFFF:AF2D:B001", "0:0:0:0:0:ffff:af2d:b001"])
      expect(origin.lookUp(ip, AT)).toBe(plain);
    expect(origin.lookUp("2A01:4F8:0::1", AT)).toBe(origin.lookUp("2a01:4f8::1", AT));
  });

  test.each(["", "localhost", "1.2.3", "1.2.3.4:3333", "x".repeat(10_000), "1.2.3.4\n"])(
    "what is no address is unknown, not an error (%#)",
    (ip) =>
      expect(origin.lookUp(ip, AT)).toMatchObject({ ip, country: "ZZ", kind: "unknown", tier: "unknown" }),
  );

  test("the tier of Syria ends with its programme", () => {
    expect(origin.place("SY", at("2025-06-30")).tier).toBe("comprehensive");
    expect(origin.place("SY", at("2025-07-01")).tier).toBe("none");
    expect(origin.place("UA-43", at("2014-12-18")).tier).toBe("none");
    for (const code of ["KP", "IR", "CU", "UA-43", "UA-40", "UA-14", "UA-09"])
      expect(origin.place(code, AT), code).toMatchObject({ tier: "comprehensive", place: code });
    expect(origin.place("UA", AT).tier).toBe("none");
    expect(origin.place("ZZ", AT).tier).toBe("unknown");
  });

  test("says what is in use, how old it is and whose it is", () => {
    const [database, networks, tiers] = origin.notices(at("2026-11-25"));
    expect(database).toMatchObject({ name: "geo-whois-asn-country 2026-06-17", ageDays: 160 });
    expect(database?.attribution).toContain("ip-location-db");
    expect(networks?.ageDays).toBe(2);
    expect(tiers?.name).toMatch(/^assay tiers \d{4}-/);
  });
});

describe("the cache", () => {
  test("gives the same object while nothing changes, and another where the network changed hands", () => {
    const before = origin.lookUp("77.94.35.9", at("2017-03-31"));
    const during = origin.lookUp("77.94.35.9", at("2017-04-01"));
    const after = origin.lookUp("77.94.35.9", at("2020-02-10"));
    expect([before, during, after].map(({ country }) => country)).toEqual(["LT", "KP", "LT"]);
    expect(origin.lookUp("77.94.35.9", AT)).toBe(after);
    expect(origin.lookUp("77.94.35.9", at("2019-01-01")).country).toBe("KP");
    expect(Object.isFrozen(after)).toBe(true);
  });

  test("answers right however small it is", async () => {
    const small = await createOrigin({ cacheBound: 4 });
    for (let round = 0; round < 3; round += 1) {
      for (let last = 0; last < 20; last += 1) {
        expect(small.lookUp(`175.45.176.${last}`, AT)).toMatchObject({
          ip: `175.45.176.${last}`,
          country: "KP",
        });
      }
    }
  });
});

describe("the operator's own", () => {
  const write = async (name: string, content: string | Buffer) => {
    const file = join(directory, name);
    await writeFile(file, content);
    return file;
  };

  test("database goes before the bundled one, the curated table before both", async () => {
    const country = await write(
      "country.mmdb",
      writeMmdb({
        type: "Test-City",
        buildEpochSeconds: at("2026-11-03") / 1000,
        networks: [
          { prefix: "175.45.176.0/20", record: { country: { iso_code: "IT" } } },
          {
            prefix: "198.51.0.0/18",
            record: { country: { iso_code: "UA" }, subdivisions: [{ iso_code: "43" }] },
          },
          { prefix: "2a02:100::/32", record: { country_code: "FR" } },
        ],
      }),
    );
    const own = await createOrigin({ country });
    expect(own.lookUp("175.45.178.1", AT)).toMatchObject({ country: "KP", tier: "comprehensive" });
    expect(own.lookUp("175.45.180.1", AT)).toMatchObject({ country: "IT", tier: "none" });
    expect(own.lookUp("198.51.1.1", AT)).toMatchObject({ region: "UA-43", tier: "comprehensive" });
    expect(own.lookUp("2a02:100::1", AT)).toMatchObject({ country: "FR", confidence: 0.8 });
    expect(own.lookUp("9.9.9.9", AT)).toMatchObject({ country: "ZZ", tier: "unknown", confidence: 0 });
    expect(own.notices(at("2026-11-23"))[0]).toMatchObject({ name: "Test-City 2026-11-03", ageDays: 20 });
  });

  test("tables go before the bundled ones, also over private ranges", async () => {
    const networks = await write(
      "networks.json",
      JSON.stringify({
        name: "ours",
        version: "7",
        networks: [
          {
            prefix: ["10.7.0.0/16"],
            region: "UA-43",
            holder: "VPN of the branch",
            source: "ops",
            kind: "vpn",
          },
          { prefix: "95.216.1.0/24", kind: "residential", source: "asked them" },
        ],
      }),
    );
    const tiers = await write(
      "tiers.json",
      JSON.stringify({ name: "t", version: "1", tiers: [{ place: "DE", tier: "watch", source: "test" }] }),
    );
    const own = await createOrigin({ networks, tiers });
    expect(own.lookUp("10.7.1.1", AT)).toMatchObject({
      country: "UA",
      region: "UA-43",
      kind: "vpn",
      tier: "none",
    });
    expect(own.lookUp("10.8.1.1", AT).kind).toBe("private");
    expect(own.lookUp("95.216.1.1", AT)).toMatchObject({ kind: "residential", asn: 24940 });
    expect(own.lookUp("5.9.1.1", AT).tier).toBe("watch");
    expect(own.versions().map(({ name }) => name)).toEqual([
      "geo-whois-asn-country",
      "ours",
      "assay networks",
      "t",
    ]);
  });

  test("mistakes in a table are listed all at once, with the file", async () => {
    const networks = await write(
      "wrong.json",
      JSON.stringify({
        name: "ours",
        version: "1",
        networks: [
          { prefix: "10.0.0.1/8", country: "uk", source: "x" },
          { country: "KP", source: "x", validFrom: "2017-13-01" },
        ],
      }),
    );
    await expect(createOrigin({ networks })).rejects.toThrow(
      /wrong\.json: networks\.0\.prefix.*; networks\.0\.country: two capital letters; networks\.1\.validFrom.*/,
    );
    await expect(createOrigin({ tiers: await write("not.json", "{") })).rejects.toThrow(
      /not\.json: not JSON/,
    );
    await expect(createOrigin({ country: join(directory, "none.mmdb") })).rejects.toThrow(
      /none\.mmdb.*ENOENT/,
    );
  });
});
