import fc from "fast-check";
import { expect, test } from "vitest";
import { spread } from "../../../collectors/pools/spread.ts";

const context = { pool: "p", algorithm: "randomx", nowMs: 1_000_000 };

test("number and sum are the pool's, instants lie between the two looks", () => {
  const gains = fc.record({
    count: fc.integer({ min: 1, max: 30_000 }),
    difficulty: fc.double({ min: 1e-6, max: 1e15, noNaN: true }),
    fromMs: fc.nat(500_000),
    lastsMs: fc.nat(500_000),
  });
  fc.assert(
    fc.property(gains, ({ count, difficulty, fromMs, lastsMs }) => {
      const toMs = fromMs + lastsMs;
      const shares = spread(context, { account: "a", outcome: "accepted", count, difficulty, fromMs, toMs });
      if (typeof shares === "string") throw new Error(shares);
      expect(shares).toHaveLength(Math.min(count, 10_000));
      const sum = shares.reduce((total, share) => total + share.difficulty, 0);
      expect(Math.abs(sum / difficulty - 1)).toBeLessThan(1e-9);
      for (const { atMs } of shares) expect(atMs >= fromMs && atMs <= toMs).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("what may not be a share is refused once", () => {
  const gain = { account: "", outcome: "accepted", count: 5, difficulty: 5, fromMs: 0, toMs: 1 } as const;
  expect(spread(context, gain)).toMatch(/^account/);
  expect(spread(context, { ...gain, account: "a", difficulty: 0 })).toBe("difficulty: not above 0");
});
