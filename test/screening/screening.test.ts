import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createOrigin, type OriginService } from "../../src/origin/origin.ts";
import { createScreening } from "../../src/screening/screening.ts";

const AT = Date.parse("2026-11-23T12:00:00Z");
const RONIN = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
let directory: string;
let places: OriginService;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-screening-"));
  places = await createOrigin();
});
afterAll(() => rm(directory, { recursive: true }));

test("an address meets a list however it is spelled, and the answer says which version", async () => {
  const { screen, lists } = await createScreening({ lists: [], places });
  const [facts] = lists();
  for (const value of [
    RONIN,
    RONIN.toLowerCase(),
    ` ethereum:${RONIN.toUpperCase().replace("0X", "0x")}@1`,
  ]) {
    const screening = screen("address", value, AT);
    expect(screening).toMatchObject({ subject: "address", value, atMs: AT });
    expect(screening.lists).toEqual([{ name: facts?.name, version: facts?.version }]);
    expect(screening.matches).toMatchObject([{ entry: RONIN, note: expect.stringContaining("Lazarus") }]);
  }
});

test("a miss is an answer, with the same list versions", async () => {
  const { screen } = await createScreening({ lists: [], places });
  const hit = screen("address", RONIN, AT);
  const miss = screen("address", `${RONIN.slice(0, -1)}7`, AT);
  expect(miss.matches).toEqual([]);
  expect(miss.lists).toEqual(hit.lists);
});

test("the bundled facts never pass for a current list", async () => {
  const { lists } = await createScreening({ lists: [], places });
  expect(lists()).toMatchObject([
    { name: "OFAC facts, not a current list", publishedAt: "2024-09-27", oddities: 0 },
  ]);
});

test("networks and regions are held against the tiers of their date", async () => {
  const { screen } = await createScreening({ lists: [], places });
  const hits = (subject: "network" | "region", value: string, day = "2026-11-23") =>
    screen(subject, value, Date.parse(day)).matches.map(({ entry }) => entry);
  expect(hits("network", "175.45.178.1")).toEqual(["KP"]);
  expect(hits("network", "::ffff:175.45.178.1")).toEqual(["KP"]);
  expect(hits("network", "77.94.35.1", "2017-05-17")).toEqual(["KP"]);
  expect(hits("network", "77.94.35.1")).toEqual([]);
  expect(hits("network", "as131279")).toContain("KP");
  expect(hits("network", "AS201776")).toEqual(["UA-43"]);
  expect(hits("network", "AS24940")).toEqual([]);
  expect(hits("region", "UA-43")).toEqual(["UA-43"]);
  expect(hits("region", " ua-43 ")).toEqual(["UA-43"]);
  expect(hits("region", "UA-30")).toEqual([]);
  expect(hits("region", "CN")).toEqual([]);
  expect(hits("region", "SY", "2025-06-30")).toEqual(["SY"]);
  expect(hits("region", "SY")).toEqual([]);
  const versions = screen("network", "8.8.8.8", AT).lists.map(({ name }) => name);
  expect(versions).toEqual([
    "geo-whois-asn-country",
    "assay networks",
    "assay tiers",
    "OFAC facts, not a current list",
  ]);
});

test("the operator's lists are read by their format; an odd entry is kept, matched and counted", async () => {
  const file = join(directory, "ours.csv");
  await writeFile(
    file,
    "value,note,subject\nannex-7,odd,\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT,boats,\nAS64500,,network\n",
  );
  const { screen, lists } = await createScreening({ lists: [{ name: "ours", file, format: "csv" }], places });
  expect(screen("address", "annex-7", AT).matches).toMatchObject([{ list: { name: "ours" }, note: "odd" }]);
  expect(screen("network", "AS 64500", AT).matches).toMatchObject([{ entry: "AS64500" }]);
  expect(lists()[1]).toMatchObject({ name: "ours", entries: 3, oddities: 1 });
  expect(lists()[1]?.version).toMatch(/^[0-9a-f]{12}$/);
});

test("lists of networks and places meet what lies in them", async () => {
  const file = join(directory, "places.csv");
  await writeFile(
    file,
    "value,subject\n5.9.0.0/16,network\n2A02:100:0::/48,network\n95.216.1.1,network\nRU,region\n",
  );
  const { screen } = await createScreening({ lists: [{ name: "places", file, format: "csv" }], places });
  const hits = (subject: "network" | "region", value: string) =>
    screen(subject, value, AT).matches.map(({ entry }) => entry);
  expect(hits("network", "5.9.7.7")).toEqual(["5.9.0.0/16"]);
  expect(hits("network", "::ffff:5.9.7.7")).toEqual(["5.9.0.0/16"]);
  expect(hits("network", "5.10.7.7")).toEqual([]);
  expect(hits("network", "5.9.0.0/16")).toEqual(["5.9.0.0/16"]);
  expect(hits("network", "95.216.1.1")).toEqual(["95.216.1.1"]);
  expect(hits("network", "2a02:100::7")).toEqual(["2A02:100:0::/48"]);
  expect(hits("region", "RU")).toEqual(["RU"]);
  expect(hits("region", "RU-MOS")).toEqual(["RU"]);
  expect(hits("region", "DE")).toEqual([]);
  expect(hits("network", "77.88.8.8")).toEqual(["RU"]);
});

test("a list that cannot be read is named with its file", async () => {
  const file = join(directory, "none.txt");
  const options = { lists: [{ name: "ours", file, format: "text" as const }], places };
  await expect(createScreening(options)).rejects.toThrow(`list ours: ${file}: ENOENT`);
});

test("replaced lists are used at once, under their new version", async () => {
  const service = await createScreening({ lists: [], places });
  const list = { name: "n", version: "1", source: "s", publishedAt: "", hash: "", entries: [] };
  service.replace([{ ...list, entries: [{ subject: "address", value: "1abc", note: "" }] }]);
  expect(service.screen("address", "1abc", AT).matches).toHaveLength(1);
  service.replace([{ ...list, version: "2" }]);
  expect(service.screen("address", "1abc", AT).matches).toEqual([]);
  expect(service.screen("address", "1abc", AT).lists).toContainEqual({ name: "n", version: "2" });
});
