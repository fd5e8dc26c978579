import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replayed } from "../collectors/pools/share-log.ts";

const data = process.env.ASSAY_EXTERNAL_DATA;
const recorded = data ? join(data, "stratum/recorded") : "";

/** Shares and summed `diff` as awk counts them, without a JSON parser and without ours. */
function countByAwk(file: string): { shares: number; difficulty: number } {
  const program =
    'match($0, /"diff": [0-9.]+/) { n++; s += substr($0, RSTART + 8, RLENGTH - 8) } END { print n, s }';
  const [shares, difficulty] = execFileSync("awk", [program, file], { encoding: "utf8" }).trim().split(" ");
  return { shares: Number(shares), difficulty: Number(difficulty) };
}

test.skipIf(!data)(
  "recorded ckpool share logs: shares and summed difficulty as awk counts them",
  async () => {
    const files = readdirSync(recorded).filter((name) => name.endsWith(".sharelog"));
    expect(files.length).toBeGreaterThan(0);
    let total = 0;
    for (const name of files) {
      const counted = countByAwk(join(recorded, name));
      const { shares, refusals } = await replayed(join(recorded, name));
      expect(refusals).toEqual([]);
      expect(shares).toHaveLength(counted.shares);
      expect(shares.reduce((sum, share) => sum + share.difficulty, 0)).toBeCloseTo(counted.difficulty, 9);
      total += shares.length;
    }
    expect((await replayed(recorded)).shares).toHaveLength(total);
  },
);
