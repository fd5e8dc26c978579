import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/origin/database.ts";
import { bundledDatabase } from "../../src/origin/load.ts";
import { createOrigin } from "../../src/origin/origin.ts";
import { writeMmdb } from "./write-mmdb.ts";

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-damaged-"));
  file = join(directory, "damaged.mmdb");
});
afterAll(() => rm(directory, { recursive: true }));

const NETWORKS = Array.from({ length: 8 }, (_, index) => ({
  prefix: `198.51.${index * 3}.0/24`,
  record: {
    country: { iso_code: ["FR", "SE", "IT"][index % 3] },
    subdivisions: [{ iso_code: "A" }],
    autonomous_system_number: 64_496 + index,
    is_anonymous_vpn: index % 2 === 0,
  },
}));
const PROBES = NETWORKS.map(({ prefix }) => prefix.replace("0/24", "7"));

/** "refused" with a message that names the file, or every look-up works: never anything else. */
async function outcome(bytes: Buffer): Promise<"refused" | "same" | "other"> {
  await writeFile(file, bytes);
  let database: Awaited<ReturnType<typeof openDatabase>>;
  try {
    database = await openDatabase(file);
  } catch (error) {
    expect((error as Error).message).toMatch(/^.*damaged\.mmdb: .{10}/s);
    return "refused";
  }
  const found = PROBES.map((ip) => database.find(ip));
  expect(Object.keys(found[0] ?? { country: "" })).toContain("country");
  const same = found.every((facts, index) => facts?.country === ["FR", "SE", "IT"][index % 3]);
  return same ? "same" : "other";
}

test("damaged anywhere, a database is refused or its look-ups work", async () => {
  const sound = writeMmdb({ type: "t", buildEpochSeconds: 1_790_000_000, networks: NETWORKS });
  expect(await outcome(sound)).toBe("same");
  const treeBytes = sound.indexOf(Buffer.alloc(16));
  const counts = { refused: 0, same: 0, other: 0 };
  const inTree = { refused: 0, same: 0, other: 0 };
  for (let at = 0; at < sound.length; at += 1) {
    for (const damage of [(byte: number) => byte ^ 0xff, (byte: number) => byte ^ 1]) {
      const bytes = Buffer.from(sound);
      bytes[at] = damage(bytes[at] as number);
      const result = await outcome(bytes);
      counts[result] += 1;
      if (at < treeBytes) inTree[result] += 1;
    }
  }
  // A damaged tree mostly loses nodes or points outside the data; a changed text inside a record cannot show.
  const whole = inTree.refused + inTree.same + inTree.other;
  expect(inTree.refused / whole).toBeGreaterThan(0.8);
  expect(inTree.other / whole).toBeLessThan(0.01);
  expect(counts.refused).toBeGreaterThan(counts.other);
});

test("cut short anywhere, a database is refused", async () => {
  const sound = writeMmdb({ type: "t", buildEpochSeconds: 1_790_000_000, networks: NETWORKS });
  for (let length = 0; length < sound.length; length += 1)
    expect(await outcome(sound.subarray(0, length)), String(length)).toBe("refused");
});

test("the bundled database, damaged in its tree or cut short, is refused, and the running service keeps the old one", async () => {
  const sound = await readFile(bundledDatabase());
  await writeFile(file, sound);
  const origin = await createOrigin({ country: file });
  for (const at of [0, 1_000_000, 3_999_999, 7_800_000]) {
    const bytes = Buffer.from(sound);
    bytes.fill(0xff, at, at + 64);
    await writeFile(file, bytes);
    expect(await origin.reload()).toMatchObject([
      { file, error: expect.stringContaining("not a sound MMDB") },
    ]);
  }
  await writeFile(file, sound.subarray(0, sound.length / 2));
  expect(await origin.reload()).toMatchObject([{ file, error: expect.stringContaining("cut short") }]);
  expect(origin.lookUp("8.8.8.8", Date.parse("2026-11-23")).country).toBe("US");
});

test("a compressed database is told so", async () => {
  await writeFile(file, Buffer.from([0x1f, 0x8b, 8, 0]));
  await expect(openDatabase(file)).rejects.toThrow("damaged.mmdb: is compressed; unpack it first");
});
