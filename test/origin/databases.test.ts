import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledDatabase } from "../../src/origin/load.ts";
import { createOrigin, type Reload } from "../../src/origin/origin.ts";
import { readRecord } from "../../src/origin/record.ts";
import { writeMmdb } from "./write-mmdb.ts";

const AT = Date.parse("2026-11-23");
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-databases-"));
});
afterAll(() => rm(directory, { recursive: true }));

const write = async (name: string, content: string | Buffer) => {
  const file = join(directory, name);
  await writeFile(file, content);
  return file;
};
const mmdb = (name: string, networks: Record<string, object>) =>
  write(
    name,
    writeMmdb({
      type: name.replace(".mmdb", ""),
      buildEpochSeconds: AT / 1000,
      networks: Object.entries(networks).map(([prefix, record]) => ({ prefix, record })),
    }),
  );

test.each([
  [{ country: { iso_code: "UA" }, subdivisions: [{ iso_code: "43" }] }, "UA", "UA-43"],
  [{ country: { iso_code: "RU" }, subdivisions: [{ names: { en: "Republic of Crimea" } }] }, "UA", "UA-43"],
  [{ country: { iso_code: "RU" }, subdivisions: [{ iso_code: "CR", names: { en: "x" } }] }, "UA", "UA-43"],
  [{ country: "RU", region: "Sevastopol" }, "UA", "UA-40"],
  [{ country: "RU", region: "Kaluga Oblast", city: "Sevastopol'" }, "RU", ""],
  [{ country: "US", region: "Crimea" }, "US", ""],
  [{ country: "FR", region_code: "IDF" }, "FR", "FR-IDF"],
  [{ country_code: "KP" }, "KP", ""],
  [{ registered_country: { iso_code: "DE" } }, "DE", ""],
  [{ country: { iso_code: 7 }, subdivisions: "x" }, "", ""],
])("reads the place of %j", (record, country, region) => {
  expect(readRecord(record)).toMatchObject({ country, region });
});

test.each([
  [
    { autonomous_system_number: 64496, autonomous_system_organization: "Org" },
    { asn: 64496, holder: "Org" },
  ],
  [
    { asn: "AS64496", as_name: "Org" },
    { asn: 64496, holder: "Org" },
  ],
  [{ asn: "x" }, { asn: 0 }],
  [{ is_hosting_provider: true, is_anonymous_vpn: true }, { kind: "vpn" }],
  [{ vpn: "false", tor: "true" }, { kind: "tor" }],
  [{ traits: { user_type: "residential" } }, { kind: "residential" }],
  [{ is_residential_proxy: true }, { kind: "relay" }],
  [{ is_anonymous: true }, { kind: "relay" }],
  [{ provider_name: "p", anonymizer_confidence: 82 }, { kind: "relay" }],
  [{ connection_type: "Cable/DSL" }, { kind: "residential" }],
  [{ traits: { connection_type: "Satellite", user_type: "residential" } }, { kind: "satellite" }],
  [{ traits: { user_type: "military", connection_type: "Cable/DSL" } }, { kind: "business" }],
  [{ traits: { user_type: "traveler" } }, { kind: "" }],
  [null, { country: "", kind: "" }],
])("reads the network of %j", (record, facts) => {
  expect(readRecord(record)).toMatchObject(facts);
});

test.each([24, 28, 32] as const)("reads a tree of %i-bit records", async (recordSize) => {
  const networks = Array.from({ length: 64 }, (_, index) => ({
    prefix: `198.51.${index * 4}.0/22`,
    record: { country_code: index % 2 === 0 ? "FR" : "SE" },
  }));
  const bytes = writeMmdb({ type: "t", buildEpochSeconds: AT / 1000, networks, recordSize });
  const origin = await createOrigin({ country: await write(`size-${recordSize}.mmdb`, bytes) });
  for (let index = 0; index < 64; index += 1)
    expect(origin.lookUp(`198.51.${index * 4 + 3}.7`, AT).country).toBe(index % 2 === 0 ? "FR" : "SE");
});

test("a database of IPv4 addresses says nothing of IPv6 ones", async () => {
  const country = bundledDatabase().replace("country.mmdb", "country-ipv4.mmdb");
  const origin = await createOrigin({ country });
  expect(origin.lookUp("8.8.8.8", AT).country).toBe("US");
  expect(origin.lookUp("2a01:4f8::1", AT)).toMatchObject({ country: "ZZ", tier: "unknown" });
});

test("Crimea is found by region and by carrier, whatever the country database says", async () => {
  const country = await mmdb("country.mmdb", {
    "198.51.0.0/18": { country: { iso_code: "RU" } },
    "198.50.0.0/18": { country: { iso_code: "RU" } },
  });
  const region = await mmdb("city.mmdb", {
    "198.51.0.0/24": { country: { iso_code: "UA" }, subdivisions: [{ iso_code: "43" }] },
    "198.51.1.0/24": { country: { iso_code: "UA" }, subdivisions: [{ iso_code: "40" }] },
  });
  const asn = await mmdb("asn.mmdb", { "198.50.0.0/18": { autonomous_system_number: 201776 } });
  const origin = await createOrigin({ country, region, asn });
  expect(origin.lookUp("198.51.0.1", AT)).toMatchObject({
    country: "UA",
    region: "UA-43",
    tier: "comprehensive",
  });
  expect(origin.lookUp("198.51.1.1", AT)).toMatchObject({ region: "UA-40", tier: "comprehensive" });
  expect(origin.lookUp("198.51.2.1", AT)).toMatchObject({ country: "RU", region: "", tier: "none" });
  const carrier = origin.lookUp("198.50.0.1", AT);
  expect(carrier).toMatchObject({ region: "UA-43", tier: "comprehensive", asn: 201776 });
  expect(carrier.facts.find(({ fact }) => fact === "region")?.source).toContain("RIPE registration");
  expect(origin.lookUp("198.50.0.1", Date.parse("2014-01-01"))).toMatchObject({
    country: "RU",
    tier: "none",
  });
  // Where two databases disagree, both are believed less.
  expect(origin.lookUp("198.51.0.1", AT).confidence).toBe(0.4);
});

test("kinds come from lists and databases, the most telling one wins, the operator's word is final", async () => {
  const anonymous = await mmdb("anonymous.mmdb", { "198.51.0.0/16": { is_hosting_provider: true } });
  const tor = await write("tor.txt", "ExitNode ABC\nExitAddress 198.51.7.7 2026-11-20 00:00:00\n# end\n");
  const vpn = await write(
    "vpn.txt",
    "198.51.8.0/24\n198.51.7.0/24 ; a comment\nnot a network\n2a02:100::/32\n",
  );
  const networks = await write(
    "own.json",
    JSON.stringify({
      name: "own",
      version: "1",
      networks: [{ prefix: "198.51.8.8/32", kind: "business", source: "we know them" }],
    }),
  );
  const lists = [
    { name: "exits", file: tor, kind: "tor" as const },
    { name: "vpns", file: vpn, kind: "vpn" as const },
  ];
  const origin = await createOrigin({ anonymous, networks, lists });
  const kinds = ["198.51.7.7", "198.51.7.8", "198.51.8.8", "198.51.9.1", "2a02:100::1"].map(
    (ip) => origin.lookUp(ip, AT).kind,
  );
  expect(kinds).toEqual(["tor", "vpn", "business", "hosting", "vpn"]);
  const notice = origin.notices(AT).find(({ name }) => name.startsWith("vpns "));
  expect(notice).toMatchObject({ skipped: 1, name: expect.stringMatching(/^vpns [0-9a-f]{12}$/) });
  await expect(
    createOrigin({ lists: [{ name: "x", file: await write("x", "<html>\n<body>\n"), kind: "vpn" }] }),
  ).rejects.toThrow("2 lines are no networks");
});

test("a list cannot turn private addresses into public ones", async () => {
  const file = await write("wide.txt", "0.0.0.0/0\n::/0\n");
  const origin = await createOrigin({ lists: [{ name: "wide", file, kind: "vpn" }] });
  expect(origin.lookUp("10.0.0.1", AT).kind).toBe("private");
  expect(origin.lookUp("::1", AT).kind).toBe("private");
});

test("a changed file is read again; a broken one leaves what was there", async () => {
  const country = await mmdb("hot.mmdb", { "198.51.0.0/16": { country_code: "FR" } });
  const networks = await write("hot.json", JSON.stringify({ name: "hot", version: "1", networks: [] }));
  const origin = await createOrigin({ country, networks });
  const reloads: Reload[] = [];
  const controller = new AbortController();
  const turns: (() => void)[] = [];
  const sleep = () => new Promise<void>((resolve) => turns.push(resolve));
  const onRound = async (some: readonly Reload[]) => void reloads.push(...some);
  const watching = origin.watch({ everyMs: 1, sleep, onRound })(controller.signal);
  const turn = async () => {
    while (turns.length === 0) await new Promise(setImmediate);
    turns.shift()?.();
    while (turns.length === 0) await new Promise(setImmediate);
  };
  const before = origin.lookUp("198.51.0.1", AT);
  const versions = origin.versions();
  await turn();
  expect(reloads).toEqual([]);
  expect(origin.lookUp("198.51.0.1", AT)).toBe(before);

  await rename(await mmdb("next.mmdb", { "198.51.0.0/16": { country_code: "SE" } }), country);
  await turn();
  expect(reloads.splice(0)).toEqual([{ file: country, error: null }]);
  expect(origin.lookUp("198.51.0.1", AT).country).toBe("SE");

  await writeFile(country, "not a database");
  await writeFile(networks, '{"name":');
  await turn();
  expect(reloads.splice(0)).toEqual([
    { file: country, error: expect.stringMatching(/hot\.mmdb: not a sound MMDB: no metadata/) },
    { file: networks, error: expect.stringContaining("hot.json: not JSON") },
  ]);
  expect(origin.lookUp("198.51.0.1", AT).country).toBe("SE");
  await turn();
  expect(reloads).toEqual([]);

  await writeFile(networks, JSON.stringify({ name: "hot", version: "2", networks: [] }));
  await turn();
  expect(reloads.splice(0)).toEqual([{ file: networks, error: null }]);
  expect(origin.versions()).not.toBe(versions);
  expect(origin.versions()).toContainEqual({
    name: "hot",
    version: expect.stringMatching(/^2 [0-9a-f]{12}$/),
  });

  controller.abort();
  turns.shift()?.();
  await watching;
});

test("a fetched list is empty until it has a file, and is read compressed when it has one", async () => {
  const file = join(directory, "latest.text.gz");
  const origin = await createOrigin({ lists: [{ name: "vpns", file, kind: "vpn", fetched: true }] });
  expect(origin.lookUp("198.51.99.1", AT).kind).toBe("unknown");
  expect(origin.versions()).toContainEqual({ name: "vpns", version: "none yet" });
  await writeFile(file, gzipSync("198.51.99.0/24\n"));
  expect(await origin.reload()).toEqual([{ file, error: null }]);
  expect(origin.lookUp("198.51.99.1", AT).kind).toBe("vpn");
});
