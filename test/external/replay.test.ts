import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assay } from "../support/assay.ts";

const data = process.env.ASSAY_EXTERNAL_DATA;

test.skipIf(!data)("assay replay on recorded ckpool logs counts what awk counts", async () => {
  const files = ["6b036d0e00000000.sharelog", "6b036d0e00000001.sharelog"].map((name) =>
    join(data as string, "stratum/recorded", name),
  );
  const program =
    'match($0, /"diff": [0-9.]+/) { n++; s += substr($0, RSTART + 8, RLENGTH - 8) } END { printf "%d %.6f", n, s }';
  const [shares, difficulty] = execFileSync("awk", [program, ...files], { encoding: "utf8" }).split(" ");
  const { code, stderr } = await assay(["replay", ...files, "--as", "ckpool"]);
  expect(code).toBe(0);
  const [, counted, summed] = /^(\d+) accepted shares, difficulty ([\d.e-]+)$/m.exec(stderr) ?? [];
  expect(counted).toBe(shares);
  expect(Number(summed)).toBeCloseTo(Number(difficulty), 6);
});
