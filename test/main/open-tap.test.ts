import { expect, test } from "vitest";
import type { Batch, Collector } from "../../src/core/collector.ts";
import type { Observation } from "../../src/core/observation.ts";
import { withoutShares } from "../../src/main/open-tap.ts";
import { shareOf } from "../support/shares.ts";

test("only shares are left out, and what a batch says beside them stays", async () => {
  const session: Observation = {
    type: "session",
    atMs: 0,
    pool: "p",
    session: "s",
    event: "open",
    ip: "192.0.2.1",
  };
  const source: Collector = {
    name: "tap",
    async *collect() {
      yield { observations: [shareOf({ atMs: 0 }), session], refusals: [{ reason: "r", place: "p" }] };
      yield { observations: [session] };
    },
  };
  const collector = withoutShares(source);
  expect(collector.name).toBe("tap");
  const batches: Batch[] = [];
  for await (const batch of collector.collect(new AbortController().signal)) batches.push(batch);
  expect(batches).toEqual([
    { observations: [session], refusals: [{ reason: "r", place: "p" }] },
    { observations: [session] },
  ]);
});
