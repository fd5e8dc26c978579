import { MINUTE_MS } from "../../src/core/metrics.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";

/** A child process that commits without end and tells each commit it was answered, until it is killed. */
const file = process.argv[2];
if (!file) throw new Error("which file?");
const store = await openMetrics({ file, rawDays: 7, hourDays: 400 });
const { cursors } = await store.recover();
for (let count = Number(cursors.get("source") ?? 0) + 1; ; count += 1) {
  const state = new Uint8Array(4_000);
  new DataView(state.buffer).setUint32(0, count, true);
  await store.commit({
    cursors: new Map([["source", String(count)]]),
    accounts: new Map(Array.from({ length: 50 }, (_, index) => [`account ${index}`, state])),
    deltas: Array.from({ length: 300 }, (_, index) => ({
      measurement: "hashrate" as const,
      tags: [`pool ${index}`, "sha256d"],
      bucketMs: index * MINUTE_MS,
      values: [1, 1, 0, 0],
    })),
  });
  process.send?.(count);
}
