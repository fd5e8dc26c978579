import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { openJournal } from "../../src/bus/journal.ts";
import { parseConfig } from "../../src/config.ts";
import { createHeart } from "../../src/main/heart.ts";
import { openModel, openParts } from "../../src/main/parts.ts";
import { screenAgain } from "../../src/main/screen-again.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";

/** So many that one entry less is no shrinking list. */
const FILLER = Array.from({ length: 40 }, (_, index) => `filler-${index}`);

/** A folder that goes with the test, and the operator's list in it. */
export async function listFolder() {
  const directory = await mkdtemp(join(tmpdir(), "assay-lists-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "ours.csv");
  /** As an operator's own job would: the whole file at once. */
  const write = async (...rows: string[]) => {
    const all = ["subject,value", ...FILLER.map((value) => `address,${value}`), ...rows];
    await writeFile(`${file}.new`, `${all.join("\n")}\n`);
    await rename(`${file}.new`, file);
  };
  await write();
  return { directory, file, write };
}

/** A service's heart over real stores. */
export async function openHeart(yaml: string, now: () => number = Date.now) {
  const config = parseConfig(yaml);
  const { directory } = config.data;
  const parts = await openParts(config);
  const model = await openModel(config);
  const metrics = await openMetrics({ file: join(directory, "metrics.db"), rawDays: 1, hourDays: 1 });
  const ops = await openOps({ file: join(directory, "ops.db") });
  const journal = await openJournal({
    directory: join(directory, "journal"),
    maxBytes: 1_000_000,
    now: Date.now,
  });
  const log = () => {};
  const heart = createHeart(config, { parts, model, metrics, ops, journal }, { log, destinations: [] });
  const { engine } = heart;
  await engine.recover();
  const again = screenAgain({ parts, ops, engine, withdraw: heart.withdraw, log, now });
  const close = async () => {
    await journal.close();
    await ops.close();
    await metrics.close();
    model.close();
  };
  /** Codes of an account's reasons, waited for until `code` is among them. */
  const reasons = (account: string, code: string) =>
    vi.waitFor(
      async () => {
        const { flags } = await ops.flags({ text: account, limit: 10 });
        const codes = flags.flatMap(({ reasons }) => reasons).map((one) => one.code);
        expect(codes).toContain(code);
        return codes;
      },
      { timeout: 10_000, interval: 20 },
    );
  return { parts, ops, engine, withdraw: heart.withdraw, again, log, reasons, close };
}

/** A payout some minutes after `atMs`. */
export const payoutOf = (account: string, address: string, atMs: number) => ({
  type: "payout" as const,
  atMs,
  pool: "pool",
  coin: "BTC",
  account,
  address,
  amount: 0.1,
});
