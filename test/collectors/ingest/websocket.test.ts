import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { writeObservation } from "#core/observation.ts";
import type { HandOver, Received } from "../../../collectors/ingest/http.ts";
import { checkWebsocket, websocketFeed } from "../../../collectors/ingest/websocket.ts";

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

async function feed() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  servers.push(server);
  await once(server, "listening");
  const entries: HandOver[] = [];
  const received: Received[] = [];
  const options = {
    name: "feed",
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: "secret",
    maxLineBytes: 1000,
    now: () => 1_000_000,
    append: async (entry: HandOver) => {
      entries.push(entry);
      return "appended" as const;
    },
    onReceived: (one: Received) => received.push(one),
  };
  return { server, options, entries, received };
}

const line = (price: number) =>
  writeObservation({ type: "price", atMs: 0, coin: "btc", currency: "usd", price });

test("messages of one or many lines go to the journal in order, bad lines are counted", async () => {
  const { server, options, entries, received } = await feed();
  const ending = new AbortController();
  const connection = once(server, "connection");
  const running = websocketFeed(options)(ending.signal);
  const [socket, request] = (await connection) as [WebSocket, { headers: Record<string, string> }];
  expect(request.headers.authorization).toBe("Bearer secret");
  socket.send(line(1));
  socket.send(`${line(2)}\nbad\n${line(3)}\n`);
  for (let price = 4; price < 300; price += 1) socket.send(line(price));
  await expect.poll(() => received.length).toBe(298);
  ending.abort();
  await running;
  expect(entries.flatMap(({ lines }) => lines)).toEqual(
    Array.from({ length: 299 }, (_, index) => line(index + 1)),
  );
  expect(received.reduce((sum, { refused }) => sum + refused, 0)).toBe(1);
});

test("a slow journal holds the feed back", async () => {
  const { server, options } = await feed();
  const open = Promise.withResolvers<"appended">();
  let asked = 0;
  const ending = new AbortController();
  const connection = once(server, "connection");
  const running = websocketFeed({
    ...options,
    append: () => {
      asked += 1;
      return open.promise;
    },
  })(ending.signal);
  const [socket] = (await connection) as [WebSocket];
  // Far more than sockets buffer, so that what is not read stays with the sender.
  const message = `${line(1)}${" ".repeat(800)}\n`.repeat(1000);
  for (let count = 0; count < 200; count += 1) socket.send(message);
  await expect.poll(() => asked).toBe(1);
  await expect.poll(() => socket.bufferedAmount).toBeGreaterThan(10_000_000);
  open.resolve("appended");
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(200);
  ending.abort();
  await running;
});

test("a server that ends or is not there breaks the feed with its name", async () => {
  const { server, options } = await feed();
  const { signal } = new AbortController();
  server.on("connection", (socket) => socket.close(1001, "bye"));
  await expect(websocketFeed(options)(signal)).rejects.toThrow("feed: closed (1001) bye");
  await expect(websocketFeed({ ...options, url: "ws://127.0.0.1:1" })(signal)).rejects.toThrow(
    /feed: .*ECONNREFUSED/,
  );
});

test("silence breaks the feed, and so does a journal that refuses", async () => {
  const silent = await feed();
  const { signal } = new AbortController();
  await expect(websocketFeed({ ...silent.options, idleMs: 20 })(signal)).rejects.toThrow(
    "feed: silent for too long",
  );
  const { server, options } = await feed();
  server.on("connection", (socket) => socket.send(line(1)));
  const append = async () => {
    throw new Error("journal: full");
  };
  await expect(websocketFeed({ ...options, append })(signal)).rejects.toThrow("feed: journal: full");
});

test("check connects and leaves", async () => {
  const { options } = await feed();
  const { signal } = new AbortController();
  expect(await checkWebsocket(options, signal)).toBe("connected");
  await expect(checkWebsocket({ url: "ws://127.0.0.1:1" }, signal)).rejects.toThrow(/ECONNREFUSED/);
});
