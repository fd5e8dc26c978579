import { expect, test } from "vitest";
import { drawHere, type WorldJob } from "../../models/draw-worlds.ts";
import { createWorldPool } from "../../src/main/world-pool.ts";
import { createOrigin } from "../../src/origin/origin.ts";

const jobs: WorldJob[] = [3, 1, 2].map((seed) => ({
  seed,
  world: { accounts: 6, campaignPart: 0.3 },
  stepHours: 24,
}));

test("threads draw the worlds that one thread draws, in the order asked for", async () => {
  const { lookUp } = await createOrigin();
  const here = await drawHere(lookUp)(jobs);
  const pool = createWorldPool(2);
  try {
    const told: number[] = [];
    const there = await pool.draw(jobs, (done) => told.push(done));
    expect(told).toEqual([1, 2, 3]);
    expect(there).toEqual(here);
    expect(there.map(({ count }) => count).every((count) => count > 0)).toBe(true);
  } finally {
    await pool.close();
  }
}, 120_000);

test("a pool that is closed while it draws says so, and one whose thread fails says why", async () => {
  const pool = createWorldPool(1);
  const refused = expect(pool.draw(jobs)).rejects.toThrow("the simulation was ended");
  await pool.close();
  await refused;
  const broken = createWorldPool(1);
  try {
    const job = { ...(jobs[0] as WorldJob), stepHours: Number.NaN, world: null as never };
    await expect(broken.draw([job])).rejects.toThrow("null");
  } finally {
    await broken.close();
  }
}, 60_000);
