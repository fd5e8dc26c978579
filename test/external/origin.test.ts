import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrigin, type OriginService } from "../../src/origin/origin.ts";

const DATA = process.env.ASSAY_EXTERNAL_DATA;
const warnings = join(DATA ?? "", "misp", "warninglists");
const here = DATA !== undefined && existsSync(warnings);
if (!here) console.warn("ASSAY_EXTERNAL_DATA is not set: MISP's VPN lists are not read.");

describe.skipIf(!here)("MISP's VPN lists", () => {
  const AT = Date.parse("2026-11-23");
  let directory: string;
  let origin: OriginService;
  const prefixes = (family: string) =>
    (JSON.parse(readFileSync(join(warnings, `vpn-${family}.json`), "utf8")) as { list: string[] }).list;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "assay-misp-"));
    const lists = ["ipv4", "ipv6"].map((family) => {
      const file = join(directory, `${family}.txt`);
      writeFileSync(file, prefixes(family).join("\n"));
      return { name: `vpn-${family}`, file, kind: "vpn" as const };
    });
    origin = await createOrigin({ lists });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(["ipv4", "ipv6"])("every network of %s is found by its first address", (family) => {
    const all = prefixes(family);
    expect(all.length).toBeGreaterThan(0);
    // A Tor exit tells more than a VPN, so that it stays one.
    const kinds = new Set(all.map((prefix) => origin.lookUp(prefix.split("/", 1)[0] as string, AT).kind));
    kinds.delete("tor");
    expect([...kinds]).toEqual(["vpn"]);
    const notice = origin.notices(AT).find(({ name }) => name.startsWith(`vpn-${family} `));
    expect(notice?.skipped).toBe(0);
  });
});
