import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { nodejsPoolHandler, nodejsPoolHost } from "../../../collectors/pools/nodejs-pool.ts";
import { readFrame } from "../../../collectors/pools/nodejs-pool-frame.ts";

const NOW = 1_795_386_700_000;
const AT = 1_795_386_642_569;

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
const int = (field: number, value: number) => [...varint(BigInt(field << 3)), ...varint(BigInt(value))];
const bytes = (field: number, value: Uint8Array | string) => {
  const body = Buffer.from(value);
  return [...varint(BigInt((field << 3) | 2)), ...varint(BigInt(body.length)), ...body];
};
const float = (field: number, value: number) => {
  const body = Buffer.alloc(4);
  body.writeFloatLE(value);
  return [...varint(BigInt((field << 3) | 5)), ...body];
};
/** A share as `storeShareDiv` of nodejs-pool encodes it. */
const share = (
  more: { hashes?: number; count?: number; address?: string; paymentId?: string; at?: number } = {},
) =>
  Buffer.from([
    ...bytes(2, more.address ?? "44AFF"),
    ...int(3, 0),
    ...(more.paymentId ? bytes(4, more.paymentId) : []),
    ...int(5, 1),
    ...int(6, 0),
    ...int(7, 22),
    ...int(8, 300_000_000_000),
    ...int(10, 3_000_000),
    ...int(11, more.at ?? AT),
    ...bytes(12, "rigA"),
    ...int(13, 18081),
    ...int(14, 5000),
    ...int(15, more.count ?? 4),
    ...float(16, more.hashes ?? 20_000),
  ]);
const frame = (message: Uint8Array, more: { type?: number; key?: string } = {}) =>
  Buffer.from([
    ...int(1, more.type ?? 0),
    ...bytes(2, more.key ?? "secret"),
    ...bytes(3, message),
    ...int(4, 3_000_000),
  ]);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(append: (entry: { source: string; lines: readonly string[] }) => Promise<unknown>) {
  const received: unknown[] = [];
  const app = express();
  const names = { name: "np", key: "secret", pool: "p", algorithm: "randomx", now: () => NOW };
  app.post("/leafApi", nodejsPoolHandler({ ...names, append, onReceived: (one) => received.push(one) }));
  const server = app.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/leafApi`;
  const post = async (body: Uint8Array) =>
    (await fetch(url, { method: "POST", body: Buffer.from(body) })).status;
  return { post, received };
}

test("a frame is that many shares of the worker, hashes shared among them, durable before the answer", async () => {
  const lines: string[] = [];
  const { post, received } = await serve(async (entry) => void lines.push(...entry.lines));
  expect(await post(frame(share()))).toBe(200);
  expect(lines).toHaveLength(4);
  expect(JSON.parse(lines[0]!)).toEqual({
    type: "share",
    at: "2026-11-22T22:30:42.569Z",
    pool: "p",
    algorithm: "randomx",
    account: "44AFF",
    worker: "rigA",
    difficulty: 5000,
    outcome: "accepted",
  });
  expect(await post(frame(share({ paymentId: "abc" })))).toBe(200);
  expect(JSON.parse(lines[4]!)).toMatchObject({ account: "44AFF.abc" });
  expect(received).toEqual([
    { accepted: 4, refused: 0, duplicates: 0 },
    { accepted: 4, refused: 0, duplicates: 0 },
  ]);
});

test("the same frame again, also while the first is being written, is taken once; invalid shares carry no date and all count", async () => {
  const lines: string[] = [];
  const durable = Promise.withResolvers<void>();
  const { post } = await serve(async (entry) => {
    lines.push(...entry.lines);
    await durable.promise;
  });
  const answers = [post(frame(share({ count: 1 }))), post(frame(share({ count: 1 })))];
  await expect.poll(() => lines.length).toBe(1);
  durable.resolve();
  expect(await Promise.all(answers)).toEqual([200, 200]);
  expect(await post(frame(share({ count: 1 })))).toBe(200);
  expect(lines).toHaveLength(1);
  const invalid = frame(Buffer.from([...bytes(1, "44AFF"), ...bytes(3, "rigA"), ...int(4, 1)]), { type: 2 });
  expect(await post(invalid)).toBe(200);
  expect(await post(invalid)).toBe(200);
  expect(lines.slice(1).map((line) => JSON.parse(line).outcome)).toEqual(["invalid", "invalid"]);
});

test("blocks are passed over; another key, rubbish and bad shares are refused, and what the journal refuses is 503", async () => {
  let fails = false;
  const lines: string[] = [];
  const { post } = await serve(async (entry) => {
    if (fails) throw new Error("journal: full");
    lines.push(...entry.lines);
  });
  expect(await post(frame(Buffer.from([]), { type: 1 }))).toBe(200);
  expect(await post(frame(share(), { key: "other" }))).toBe(403);
  expect(await post(Buffer.from("rubbish"))).toBe(400);
  expect(await post(frame(Buffer.from([0xff])))).toBe(400);
  expect(await post(frame(share({ hashes: Number.NaN })))).toBe(400);
  expect(await post(frame(share({ address: "a\nb" })))).toBe(400);
  expect(await post(frame(share({ at: NOW + 3_600_000 })))).toBe(400);
  expect(await post(Buffer.alloc(2_000_000))).toBe(413);
  fails = true;
  expect(await post(frame(share()))).toBe(503);
  fails = false;
  expect(await post(frame(share()))).toBe(200);
  expect(lines).toHaveLength(4);
});

test("hostile bytes never throw", () => {
  const context = { pool: "p", algorithm: "randomx", nowMs: NOW };
  const cut = fc.tuple(fc.nat(120), fc.uint8Array({ maxLength: 10 })).map(([at, junk]) => {
    const whole = frame(share());
    return Buffer.concat([whole.subarray(0, at), junk, whole.subarray(at + junk.length)]);
  });
  fc.assert(
    fc.property(fc.oneof(cut, fc.uint8Array()), (body) => void readFrame(body, context, () => true)),
    { numRuns: 1000 },
  );
});

test("the host listens until it is aborted, and says so when it cannot", async () => {
  const listening = Promise.withResolvers<AddressInfo>();
  const ending = new AbortController();
  const options = {
    name: "np",
    key: "secret",
    pool: "p",
    algorithm: "randomx",
    now: () => NOW,
    host: "127.0.0.1",
  };
  const append = async () => "appended";
  const onListening = (address: AddressInfo) => listening.resolve(address);
  const running = nodejsPoolHost({ ...options, append, port: 0, onListening })(ending.signal);
  const { port } = await listening.promise;
  const post = () =>
    fetch(`http://127.0.0.1:${port}/leafApi`, { method: "POST", body: Buffer.from(frame(share())) });
  expect((await post()).status).toBe(200);
  await expect(nodejsPoolHost({ ...options, append, port })(ending.signal)).rejects.toThrow(
    /^np: .*EADDRINUSE/,
  );
  ending.abort();
  await running;
  await expect(post()).rejects.toThrow();
});
