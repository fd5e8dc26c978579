import express from "express";
import { expect, test } from "vitest";
import { createStream } from "../../src/review/stream.ts";
import { seedFlag } from "./seed.ts";

const BOUNDS = { history: 3, clients: 2, lagBytes: 65_536, heartbeatMs: 20 };

async function serveStream(bounds = BOUNDS) {
  const stream = createStream(1_000, bounds);
  const app = express().get("/", stream.handle);
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  return {
    stream,
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      stream.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads the stream until `wanted` stands in it. */
async function readUntil(url: string, wanted: RegExp, lastId?: string): Promise<string> {
  const ending = new AbortController();
  const headers: Record<string, string> = lastId ? { "Last-Event-ID": lastId } : {};
  const response = await fetch(url, { headers, signal: ending.signal });
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (wanted.test(text)) break;
  }
  ending.abort();
  return text;
}

const change = (index: number) => ({ event: "flag.opened" as const, flag: seedFlag(index, 1e12) });

test("who comes back is told what it missed, in order, and nothing twice", async () => {
  await using served = await serveStream();
  for (const index of [1, 2, 3]) served.stream.push(change(index));
  const text = await readUntil(served.url, /flag_00003.*\n\n/, "rs-1");
  expect([...text.matchAll(/"id":"(flag_\d+)"/g)].map(([, id]) => id)).toEqual(["flag_00002", "flag_00003"]);
  expect(text).not.toContain("refetch");
});

test("who was away too long, or before a restart, is told to fetch again", async () => {
  await using served = await serveStream();
  for (const index of [1, 2, 3, 4, 5]) served.stream.push(change(index));
  expect(await readUntil(served.url, /event: \w+\n/, "rs-1")).toContain("event: refetch");
  expect(await readUntil(served.url, /event: \w+\n/, "other-5")).toContain("event: refetch");
  expect(await readUntil(served.url, /event: \w+\n/, "garbage")).toContain("event: refetch");
});

test("a silent stream says that it lives", async () => {
  await using served = await serveStream();
  expect(await readUntil(served.url, /: alive/)).toContain(": alive");
});

test("clients are bounded, and one that does not read is cut off and counted", async () => {
  await using served = await serveStream({ ...BOUNDS, heartbeatMs: 60_000 });
  const [first, second] = [await fetch(served.url), await fetch(served.url)];
  expect((await fetch(served.url)).status).toBe(503);
  await second.body?.cancel();
  const huge = { ...change(1), flag: seedFlag(1, 1e12, { account: "a".repeat(100_000) }) };
  for (let sent = 0; served.stream.count().dropped === 0 && sent < 2000; sent += 1) {
    served.stream.push(huge);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(served.stream.count().dropped).toBe(1);
  await first.body?.cancel().catch(() => {});
});
