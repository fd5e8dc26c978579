import { DatabaseSync } from "node:sqlite";
import { createFlows } from "../../collectors/flows/flows.ts";
import { createFlowMeasure } from "../../collectors/flows/measure.ts";
import { createOrigin } from "../../src/origin/origin.ts";

/**
 * Assay's side: the collector, the origin of every address, and the `flow` measurement committed to SQLite each
 * second. Told to stop by a message; tells its parent its port first and the flows in the store at the end.
 */
const [file] = process.argv.slice(2);
const origin = await createOrigin({});
const database = new DatabaseSync(file!);
database.exec("PRAGMA journal_mode = WAL");
database.exec(
  "CREATE TABLE flow (bucket, exporter, country, tier, flows, bytes, packets, lost, PRIMARY KEY (bucket, exporter, country, tier)) WITHOUT ROWID",
);
const upsert = database.prepare(
  `INSERT INTO flow VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET flows = flows + excluded.flows,
   bytes = bytes + excluded.bytes, packets = packets + excluded.packets, lost = lost + excluded.lost`,
);
const measure = createFlowMeasure(origin.lookUp);
let flows = 0;

function commit(): void {
  database.exec("BEGIN");
  for (const { bucketMs, tags, values } of measure.takeDeltas()) upsert.run(bucketMs, ...tags, ...values);
  database.exec("COMMIT");
}

const ending = new AbortController();
process.on("message", (message) => {
  if (message === "count") process.send?.({ flows });
  else ending.abort();
});
const collector = createFlows({
  name: "flows",
  host: "127.0.0.1",
  port: 0,
  exporters: ["127.0.0.1"],
  now: Date.now,
  log: () => {},
  onListening: ({ port }) => process.send?.({ port }),
  onLost: measure.lost,
});
let committedMs = performance.now();
for await (const batch of collector.collect(ending.signal)) {
  measure.take(batch.observations);
  flows += batch.observations.length;
  if (performance.now() - committedMs < 1000) continue;
  commit();
  committedMs = performance.now();
}
commit();
const { stored } = database.prepare("SELECT sum(flows) AS stored FROM flow").get() as {
  stored: number | null;
};
process.send?.({ stored: stored ?? 0, dropped: collector.report().dropped });
database.close();
process.disconnect?.();
