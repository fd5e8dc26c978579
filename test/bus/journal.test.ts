import { spawn } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeObservation } from "#core/observation.ts";
import { type Journal, type JournalOptions, openJournal } from "../../src/bus/journal.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-journal-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const MIB = 1024 * 1024;
const open = (options: Partial<JournalOptions> = {}) =>
  openJournal({ directory, maxBytes: 64 * MIB, now: () => 1000, ...options });

const line = (amount: number) =>
  writeObservation({ type: "price", atMs: 0, coin: "btc", currency: "usd", price: amount });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Reads from a cursor until `count` prices came; returns them and the cursor behind them. */
async function read(journal: Journal, count: number, cursor?: string) {
  const ending = new AbortController();
  const prices: number[] = [];
  const refusals: string[] = [];
  const batches: number[] = [];
  let after = cursor;
  if (count === 0) return { prices, refusals, batches, after };
  for await (const batch of journal.reader("journal").collect(ending.signal, cursor)) {
    for (const observation of batch.observations) prices.push((observation as { price: number }).price);
    for (const { reason } of batch.refusals ?? []) refusals.push(reason);
    batches.push(batch.observations.length);
    after = batch.cursor;
    if (prices.length >= count) ending.abort();
  }
  return { prices, refusals, batches, after };
}

const segmentsOnDisk = () => readdirSync(directory).sort();

test("what was appended is read in order, live and after a restart, from any cursor", async () => {
  const journal = await open();
  const following = read(journal, 6);
  for (const price of range(0, 3))
    await journal.append({ source: "a", lines: [line(price), line(price + 100)] });
  expect((await following).prices).toEqual([0, 100, 1, 101, 2, 102]);
  await journal.close();
  const again = await open();
  const { after } = await read(again, 6);
  await again.append({ source: "a", lines: [line(7)] });
  expect((await read(again, 1, after)).prices).toEqual([7]);
  await again.close();
});

test("an append larger than a batch is cut by the cursor, not read twice", async () => {
  const journal = await open();
  await journal.append({ source: "a", lines: range(0, 10_000).map(line) });
  const first = await read(journal, 1);
  expect(first.batches).toEqual([4096]);
  const rest = await read(journal, 10_000 - 4096, first.after);
  expect([...first.prices, ...rest.prices]).toEqual(range(0, 10_000));
  await journal.close();
});

test("many appends share one fsync", async () => {
  const journal = await open();
  await Promise.all(
    range(0, 500).map((price) => journal.append({ source: "a", sequence: price, lines: [line(price)] })),
  );
  const { appended, commits } = journal.status();
  expect(appended).toBe(500);
  expect(commits).toBeLessThan(20);
  await journal.close();
});

test("a pair of source and sequence is written once, in flight, later, after a restart and after its segment is gone", async () => {
  const small = { maxBytes: 8192, segmentBytes: 512 };
  let journal = await open(small);
  const entry = { source: "tap", sequence: 1, lines: [line(1)] };
  expect(await Promise.all([journal.append(entry), journal.append(entry)])).toEqual([
    "appended",
    "duplicate",
  ]);
  expect(await journal.append(entry)).toBe("duplicate");
  expect(await journal.append({ ...entry, source: "other" })).toBe("appended");
  for (const price of range(2, 12))
    await journal.append({ source: "tap", sequence: price, lines: [line(price)] });
  const { after, prices } = await read(journal, 12);
  expect(prices).toEqual([1, 1, ...range(2, 12)]);
  const before = segmentsOnDisk();
  await journal.release(after!);
  expect(segmentsOnDisk().length).toBeLessThan(before.length);
  await journal.close();
  journal = await open(small);
  expect(await journal.append(entry)).toBe("duplicate");
  expect(await journal.append({ source: "tap", sequence: 12, lines: [line(12)] })).toBe("appended");
  expect((await read(journal, 1, after)).prices).toEqual([12]);
  await journal.close();
});

test("beyond the bound it refuses with a reason, and takes again what was released", async () => {
  const journal = await open({ maxBytes: 4096, segmentBytes: 512 });
  let taken = 0;
  const failure = await (async () => {
    for (;;) {
      await journal.append({ source: "a", sequence: taken, lines: [line(taken)] });
      taken += 1;
    }
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "JournalRefusal", code: "full" });
  const bytes = segmentsOnDisk().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(4096);
  expect(journal.status()).toMatchObject({ bytes, refused: 1 });
  const { after, prices } = await read(journal, taken);
  expect(prices).toEqual(range(0, taken));
  await journal.release(after!);
  expect(await journal.append({ source: "a", sequence: taken, lines: [line(taken)] })).toBe("appended");
  expect((await read(journal, 1, after)).prices).toEqual([taken]);
  await expect(journal.append({ source: "a", lines: ["x".repeat(5000)] })).rejects.toMatchObject({
    code: "too-large",
  });
  await journal.close();
});

test("wherever the last write was torn, all before it stays and it is cut and counted", async () => {
  const journal = await open();
  for (const price of range(0, 3))
    await journal.append({ source: "a", sequence: price, lines: [line(price)] });
  await journal.close();
  const file = join(directory, segmentsOnDisk()[0]!);
  const whole = readFileSync(file);
  const sizes: number[] = [];
  for (let offset = 0; offset < whole.length; offset += 8 + whole.readUInt32LE(offset)) sizes.push(offset);
  const lastFrame = sizes.at(-1)!;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: lastFrame, max: whole.length - 1 }),
      fc.uint8Array({ maxLength: 20 }),
      async (at, junk) => {
        writeFileSync(file, Buffer.concat([whole.subarray(0, at), junk]));
        // Junk that happens to complete the frame is no damage.
        fc.pre(
          !Buffer.concat([whole.subarray(0, at), junk])
            .subarray(0, whole.length)
            .equals(whole),
        );
        const reopened = await open();
        expect(reopened.status().tornBytes).toBe(at + junk.length - lastFrame);
        expect(await reopened.append({ source: "a", sequence: 1, lines: [line(1)] })).toBe("duplicate");
        expect(await reopened.append({ source: "a", sequence: 2, lines: [line(2)] })).toBe("appended");
        expect((await read(reopened, 3)).prices).toEqual([0, 1, 2]);
        await reopened.close();
      },
    ),
    { numRuns: 50 },
  );
});

test("a segment whose making was cut short is made again", async () => {
  const journal = await open();
  await journal.append({ source: "a", sequence: 1, lines: [line(1)] });
  await journal.close();
  writeFileSync(join(directory, "0000000000001001.journal"), Buffer.from([1, 2, 3]));
  const reopened = await open();
  expect(await reopened.append({ source: "a", sequence: 1, lines: [line(1)] })).toBe("duplicate");
  await reopened.append({ source: "a", lines: [line(2)] });
  expect((await read(reopened, 2)).prices).toEqual([1, 2]);
  await reopened.close();
});

test("damage inside is reported and does not stop what comes in later segments", async () => {
  const journal = await open({ maxBytes: 65_536, segmentBytes: 512 });
  for (const price of range(0, 30)) await journal.append({ source: "a", lines: [line(price)] });
  await journal.close();
  const file = join(directory, segmentsOnDisk()[0]!);
  const bytes = readFileSync(file);
  bytes[bytes.length - 3]! ^= 0xff;
  writeFileSync(file, bytes);
  const reopened = await open({ maxBytes: 65_536, segmentBytes: 512 });
  const all = await read(reopened, 29);
  expect(all.refusals).toEqual(["damaged; the rest of the segment is lost"]);
  expect(all.prices).toHaveLength(29);
  await reopened.close();
});

test("a cursor from a journal that was wiped begins with the new one", async () => {
  const journal = await open();
  await journal.append({ source: "a", lines: [line(1)] });
  const { after } = await read(journal, 1);
  await journal.close();
  rmSync(directory, { recursive: true });
  const fresh = await open({ now: () => 2000 });
  await fresh.append({ source: "a", lines: [line(2)] });
  expect((await read(fresh, 1, after)).prices).toEqual([2]);
  await fresh.close();
});

test("a write that fails is rejected, and nothing of it is kept", async () => {
  const journal = await open();
  await journal.append({ source: "a", lines: [line(1)] });
  await journal.close();
  await expect(journal.append({ source: "a", sequence: 5, lines: [line(2)] })).rejects.toThrow(
    "journal: cannot write",
  );
  const reopened = await open();
  expect(await reopened.append({ source: "a", sequence: 5, lines: [line(3)] })).toBe("appended");
  expect((await read(reopened, 2)).prices).toEqual([1, 3]);
  await reopened.close();
});

test("a line that does not hold is reported and passed over", async () => {
  const journal = await open();
  await journal.append({ source: "a", lines: ["not json", '{"type":"share"}', line(1)] });
  const all = await read(journal, 1);
  expect(all.prices).toEqual([1]);
  expect(all.refusals).toEqual(["not JSON", expect.stringMatching(/^at: /)]);
  await journal.close();
});

test("a reader that waits ends at once on abort", async () => {
  const journal = await open();
  const ending = new AbortController();
  const next = journal.reader("journal").collect(ending.signal)[Symbol.asyncIterator]().next();
  ending.abort();
  expect(await next).toMatchObject({ done: true });
  await journal.close();
});

test("killed in mid-append again and again: nothing acknowledged is lost, nothing doubled", async () => {
  const acknowledged = new Set<number>();
  const child = fileURLToPath(new URL("./journal-child.ts", import.meta.url));
  let next = 0;
  for (let round = 0; round < 6; round += 1) {
    // Each child tries again what the one before may or may not have written.
    const running = spawn(process.execPath, [child, directory, String(next)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise((resolve) => running.once("exit", resolve));
    const killAfter = 40 + round * 37;
    let seen = 0;
    for await (const text of createInterface({ input: running.stdout })) {
      acknowledged.add(Number(text));
      seen += 1;
      if (seen === killAfter) running.kill("SIGKILL");
    }
    await exited;
    expect(seen).toBeGreaterThanOrEqual(killAfter);
    while (acknowledged.has(next)) next += 1;
  }
  const journal = await open({ maxBytes: MIB * 4, segmentBytes: 4096 });
  await journal.append({ source: "end", lines: [line(-1 + 1e9)] });
  const ending = new AbortController();
  const found: number[] = [];
  for await (const batch of journal.reader("journal").collect(ending.signal)) {
    for (const observation of batch.observations) found.push((observation as { price: number }).price);
    if (found.at(-1) === 1e9 - 1) ending.abort();
  }
  found.pop();
  expect(found).toHaveLength(new Set(found).size);
  for (const sequence of acknowledged) expect(found).toContain(sequence);
  await journal.close();
});

test("a segment cut off behind the cursor by hand does not hang or crash the reader", async () => {
  const journal = await open();
  await journal.append({ source: "a", lines: [line(1)] });
  const { after } = await read(journal, 1);
  await journal.close();
  truncateSync(join(directory, segmentsOnDisk()[0]!), 10);
  appendFileSync(join(directory, "unrelated.txt"), "left alone");
  const reopened = await open({ now: () => 2000 });
  await reopened.append({ source: "a", lines: [line(2)] });
  expect((await read(reopened, 1, after)).prices).toEqual([2]);
  await reopened.close();
});
