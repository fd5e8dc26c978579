import { writeSync } from "node:fs";
import { writeObservation } from "#core/observation.ts";
import { openJournal } from "../../src/bus/journal.ts";

// Appends from several hands at once, and says so only when an append was acknowledged, until it is killed.
const [directory = "", from = "0"] = process.argv.slice(2);
const journal = await openJournal({
  directory,
  maxBytes: 4 * 1024 * 1024,
  segmentBytes: 4096,
  now: () => 1000,
});
let next = Number(from);
async function hand(): Promise<void> {
  for (;;) {
    const sequence = next;
    next += 1;
    const line = writeObservation({ type: "price", atMs: 0, coin: "btc", currency: "usd", price: sequence });
    await journal.append({ source: "child", sequence, lines: [line] });
    writeSync(1, `${sequence}\n`);
  }
}
await Promise.all([hand(), hand(), hand(), hand()]);
