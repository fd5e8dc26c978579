import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPoolTable } from "../../collectors/stratum/pool-identity.ts";

const data = process.env.ASSAY_EXTERNAL_DATA;
const folder = join(data ?? "", "pools");

// Set ASSAY_EXTERNAL_DATA to the folder of outside data to run these.
describe.skipIf(data === undefined || !existsSync(folder))("published tables of pools", () => {
  test.each(["mempool-pools-v2.json", "bitcoin-data-pools.json"])("%s", (file) => {
    const identify = readPoolTable(JSON.parse(readFileSync(join(folder, file), "utf8")));
    expect(identify({ coinbaseTag: "foo /AntPool/ bar" })).toBe("AntPool");
    expect(identify({ coinbaseTag: "nobody we know" })).toBeNull();
  });
});
