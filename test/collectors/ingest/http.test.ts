import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { gzipSync } from "node:zlib";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { writeObservation } from "#core/observation.ts";
import { type HandOver, ingestHandler, type Received } from "../../../collectors/ingest/http.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A real server with the handler; `append` stands where main puts the journal. */
async function serve(append: (entry: HandOver) => Promise<"appended" | "duplicate">) {
  const received: Received[] = [];
  const app = express();
  const handler = ingestHandler({
    append,
    maxLineBytes: 1000,
    maxBodyBytes: 100_000,
    now: () => 1_000_000,
    onReceived: (one) => received.push(one),
  });
  app.post("/api/v1/observations", handler);
  const server = app.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const post = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/observations`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/x-ndjson", ...headers },
    });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      headers: response.headers,
    };
  };
  return { post, port, received };
}

function collecting() {
  const entries: HandOver[] = [];
  const append = async (entry: HandOver) => {
    const isKnown = entries.some(
      ({ source, sequence }) => source === entry.source && sequence === entry.sequence,
    );
    if (entry.sequence !== undefined && isKnown) return "duplicate" as const;
    entries.push(entry);
    return "appended" as const;
  };
  return { entries, append };
}

const line = writeObservation({ type: "price", atMs: 0, coin: "btc", currency: "usd", price: 1 });

test("answers what was taken and what was not, once it is durable", async () => {
  const durable = Promise.withResolvers<"appended">();
  const asked = Promise.withResolvers<HandOver>();
  const { post, received } = await serve((entry) => {
    asked.resolve(entry);
    return durable.promise;
  });
  let answered = false;
  const answer = post(`${line}\nbad\n${line.slice(0, -1)},"extra":1}`).finally(() => {
    answered = true;
  });
  expect(await asked.promise).toEqual({ source: "http", sequence: undefined, lines: [line, line] });
  expect(answered).toBe(false);
  durable.resolve("appended");
  const counts = { accepted: 2, refused: 1, unknownFields: 1, backwards: 0, duplicate: false };
  expect(await answer).toMatchObject({
    status: 200,
    body: { ...counts, refusals: [{ place: "line:2", reason: "not JSON" }] },
  });
  expect(received).toEqual([{ source: "http", ...counts }]);
});

test("a hand-over sent again is answered alike and taken once", async () => {
  const { entries, append } = collecting();
  const { post } = await serve(append);
  const headers = { "Assay-Source": "tap-1", "Assay-Sequence": "7" };
  expect(await post(line, headers)).toMatchObject({ status: 200, body: { accepted: 1, duplicate: false } });
  expect(await post(line, headers)).toMatchObject({ status: 200, body: { accepted: 1, duplicate: true } });
  expect(entries).toEqual([{ source: "tap-1", sequence: 7, lines: [line] }]);
});

test("gzip is taken, a bomb, a cut and other encodings are not", async () => {
  const { entries, append } = collecting();
  const { post } = await serve(append);
  const gzip = { "Content-Encoding": "gzip" };
  expect(await post(gzipSync(line), gzip)).toMatchObject({ status: 200, body: { accepted: 1 } });
  expect(await post(gzipSync(Buffer.alloc(5_000_000, 10)), gzip)).toMatchObject({
    status: 413,
    body: { reason: "body of more than 100000 bytes" },
  });
  expect((await post(gzipSync(line).subarray(0, 20), gzip)).status).toBe(400);
  expect((await post("plain", gzip)).status).toBe(400);
  expect((await post(line, { "Content-Encoding": "br" })).status).toBe(415);
  expect(entries).toHaveLength(1);
});

test.each([
  [415, { "Content-Type": "text/plain" }],
  [400, { "Assay-Sequence": "1" }],
  [400, { "Assay-Source": "a", "Assay-Sequence": "-1" }],
  [400, { "Assay-Source": "a", "Assay-Sequence": "1e3" }],
  [400, { "Assay-Source": "a".repeat(300) }],
])("%i for headers %j", async (status, headers) => {
  const { entries, append } = collecting();
  const { post } = await serve(append);
  const answer = await post(line, headers);
  expect(answer.status).toBe(status);
  expect(answer.body.reason).toMatch(/\w/);
  expect(entries).toEqual([]);
});

test("a body beyond the bound is refused whole, whether or not it says how long it is", async () => {
  const { entries, append } = collecting();
  const { post, port } = await serve(append);
  expect((await post(`${line}\n`.repeat(2000))).status).toBe(413);
  const socket = connect(port, "127.0.0.1");
  const head = "POST /api/v1/observations HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n";
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const chunk = `${line}\n`.repeat(2000);
  socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 413 /);
  socket.destroy();
  expect(entries).toEqual([]);
});

test.each([
  ["full", 503],
  ["too-old", 409],
  ["too-large", 413],
])("a journal that refuses because it is %s gives %i with the reason", async (code, status) => {
  const { post } = await serve(async () => {
    throw Object.assign(new Error(`journal: ${code}`), { code });
  });
  const answer = await post(line);
  expect(answer).toMatchObject({ status, body: { reason: `journal: ${code}` } });
  expect(answer.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
});

test("a sender that goes away half-way leaves nothing", async () => {
  const { entries, append } = collecting();
  const { port, post } = await serve(append);
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const head = "POST /api/v1/observations HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n";
  socket.write(`${head}Content-Length: 1000\r\n\r\n${line}\n`);
  socket.destroy();
  expect((await post(line)).status).toBe(200);
  expect(entries).toHaveLength(1);
});

test("more refusals than are shown are still counted", async () => {
  const { append } = collecting();
  const { post } = await serve(append);
  const answer = await post("bad\n".repeat(500));
  expect(answer.body).toMatchObject({ accepted: 0, refused: 500 });
  expect(answer.body.refusals).toHaveLength(20);
});
