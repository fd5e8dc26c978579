import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Batch } from "#core/collector.ts";
import { type Observation, writeObservation } from "#core/observation.ts";
import { gunzip } from "../../../collectors/ingest/gzip.ts";
import { readNdjson, readObservationsFile } from "../../../collectors/ingest/ndjson.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-ndjson-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const price = (amount: number, atMs = amount): Observation => ({
  type: "price",
  atMs,
  coin: "btc",
  currency: "usd",
  price: amount,
});

async function gather(batches: AsyncIterable<Batch>) {
  const all = { observations: [] as Observation[], refusals: [] as string[], unknownFields: 0, backwards: 0 };
  for await (const batch of batches) {
    all.observations.push(...batch.observations);
    for (const { place, reason } of batch.refusals ?? []) all.refusals.push(`${place} ${reason}`);
    all.unknownFields += batch.unknownFields ?? 0;
    all.backwards += batch.backwards ?? 0;
  }
  return all;
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const options = { maxLineBytes: 1000, nowMs: 1_000_000, place: "line" };

test("observations come back as they were written, however the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1_000_000)), fc.integer({ min: 1, max: 500 }), async (amounts, size) => {
      const written = amounts.map((amount) => price(amount));
      const bytes = Buffer.from(written.map(writeObservation).join("\n"));
      expect((await gather(readNdjson(pieces(bytes, size), options))).observations).toEqual(written);
    }),
    { numRuns: 50 },
  );
});

test("bad lines are reported by number and stop nothing; unknown fields and backward clocks are counted", async () => {
  const good = writeObservation(price(5));
  const lines = [
    good,
    "",
    "{",
    "x".repeat(2000),
    writeObservation(price(1, 9e12)),
    `${good.slice(0, -1)},"extra":1,"more":2}`,
    writeObservation(price(4)),
    '{"type":"share"}',
  ];
  const all = await gather(readNdjson(pieces(Buffer.from(`${lines.join("\n")}\n`), 64), options));
  expect(all.observations).toEqual([price(5), price(5), price(4)]);
  expect(all.unknownFields).toBe(2);
  expect(all.backwards).toBe(1);
  expect(all.refusals.slice(0, 3)).toEqual([
    "line:3 not JSON",
    "line:4 line longer than 1000 bytes",
    "line:5 at: in the future",
  ]);
  expect(all.refusals[3]).toMatch(/^line:8 at: /);
});

test("a batch stays within its bound even when the source hands over all at once", async () => {
  const bytes = Buffer.from(
    Array.from({ length: 20_000 }, (_, at) => `${writeObservation(price(at))}\n`).join(""),
  );
  const sizes: number[] = [];
  for await (const batch of readNdjson(pieces(bytes, bytes.length), options))
    sizes.push(batch.observations.length);
  expect(Math.max(...sizes)).toBeLessThan(5000);
  expect(sizes.reduce((a, b) => a + b)).toBe(20_000);
});

test("files are read plain or compressed, in event time", async () => {
  const text = `${writeObservation(price(1, 9e12))}\nbad`;
  const plain = join(directory, "a.ndjson");
  writeFileSync(plain, text);
  writeFileSync(`${plain}.gz`, gzipSync(text));
  for (const file of [plain, `${plain}.gz`]) {
    const all = await gather(readObservationsFile(file));
    expect(all.observations).toEqual([price(1, 9e12)]);
    expect(all.refusals).toEqual([`${file}:2 not JSON`]);
  }
  await expect(gather(readObservationsFile(join(directory, "none")))).rejects.toThrow(/ENOENT/);
});

test("a gzip bomb is met by the limit; damaged and cut gzip throw", async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const drain = async (source: AsyncIterable<Uint8Array>) => {
    let bytes = 0;
    for await (const chunk of source) bytes += chunk.length;
    return bytes;
  };
  expect(await drain(gunzip(pieces(bomb, 1000), 50_000_000))).toBe(50_000_000);
  await expect(drain(gunzip(pieces(bomb, 1000), 1_000_000))).rejects.toThrow("more than 1000000 bytes");
  await expect(drain(gunzip(pieces(bomb.subarray(0, 1000), 100), 1e9))).rejects.toMatchObject({
    code: "Z_BUF_ERROR",
  });
  await expect(drain(gunzip(pieces(Buffer.from("not gzip"), 3), 1e9))).rejects.toMatchObject({
    code: "Z_DATA_ERROR",
  });
});

test("hostile bytes never throw", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await gather(readNdjson(pieces(bytes, 7), options));
    }),
  );
});
