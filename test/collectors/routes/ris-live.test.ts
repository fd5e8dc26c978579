import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { createRisLive, type RisLiveOptions } from "../../../collectors/routes/ris-live.ts";
import { watchedNetworks } from "../../../collectors/routes/watched.ts";
import type { Route } from "../../../src/core/observation.ts";
import { fromPeers, risUpdate } from "./messages.ts";

const { networks } = watchedNetworks();
const PREFIX = "175.45.176.0/24";
let server: WebSocketServer;
const logged: unknown[] = [];

beforeEach(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  logged.length = 0;
});
afterEach(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

function start(part: Partial<RisLiveOptions> = {}) {
  const ending = new AbortController();
  const collector = createRisLive({
    name: "ris",
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws/?client=test`,
    networks,
    minimumPeers: 3,
    minimumWithdrawals: 5,
    silenceMs: 60_000,
    log: (_level, _message, fields) => logged.push(fields),
    ...part,
  });
  const routes: Route[] = [];
  const refusals: string[] = [];
  /** One connection, to its end. */
  const run = async () => {
    for await (const batch of collector.collect(ending.signal)) {
      expect(batch.cursor).toBeUndefined();
      routes.push(...(batch.observations as Route[]));
      refusals.push(...(batch.refusals ?? []).map(({ reason }) => reason));
    }
  };
  return { collector, run, routes, refusals, stop: () => ending.abort() };
}

/** The next client and what it asks for first. */
async function client(): Promise<{ socket: WebSocket; subscription: unknown }> {
  const [socket] = (await once(server, "connection")) as [WebSocket];
  const [data] = await once(socket, "message");
  return { socket, subscription: JSON.parse(String(data)) };
}

describe("createRisLive", () => {
  it("subscribes to what is watched, and yields what is believed", async () => {
    const { run, routes, collector, stop } = start();
    const done = run();
    const { socket, subscription } = await client();
    expect(subscription).toEqual({
      type: "ris_subscribe",
      data: {
        prefix: "175.45.176.0/22",
        moreSpecific: true,
        type: "UPDATE",
        socketOptions: { acknowledge: true },
      },
    });
    const [second] = await once(socket, "message");
    expect(JSON.parse(String(second)).data).toMatchObject({ path: "131279$", type: "UPDATE" });
    socket.send('{"type":"ris_subscribe_ok","data":{}}');
    for (const text of fromPeers(8, { announce: [PREFIX] })) socket.send(text);
    await expect.poll(() => routes.length).toBe(1);
    expect(routes).toMatchObject([{ event: "announce", prefix: PREFIX, originAs: 131_279 }]);
    await expect.poll(() => collector.report()).toMatchObject({ messages: 9, updates: 8, refused: 0 });
    expect(collector.states()).toMatchObject([{ visibility: "visible", visiblePeers: 8 }]);
    stop();
    await done;
    await expect.poll(() => server.clients.size).toBe(0);
  });

  it("throws when it is cut off, what came before handed over, and knows its prefixes on the next connection", async () => {
    const { run, routes, stop } = start();
    const first = run();
    const { socket } = await client();
    for (const text of fromPeers(8, { announce: [PREFIX] })) socket.send(text);
    socket.close(1008, "too slow");
    await expect(first).rejects.toThrow("ris: connection closed (1008)");
    expect(routes.length).toBe(1);
    const second = run();
    const { socket: again } = await client();
    for (const text of fromPeers(8, { withdraw: [PREFIX] })) again.send(text);
    await expect.poll(() => routes.map(({ event }) => event)).toEqual(["announce", "withdraw"]);
    stop();
    await second;
  });

  it("throws when the service falls silent, and not while it answers pings", async () => {
    const { run } = start({ silenceMs: 200 });
    const done = run();
    const { socket } = await client();
    let pings = 0;
    socket.on("ping", () => {
      pings += 1;
    });
    await expect.poll(() => pings).toBeGreaterThan(3);
    // A stalled peer: its host still acknowledges, it no longer reads.
    socket.pause();
    await expect(done).rejects.toThrow("ris: silent for 200 ms");
  });

  it("throws with the cause when nobody listens", async () => {
    const { run } = start({ url: "ws://127.0.0.1:9/" });
    await expect(run()).rejects.toMatchObject({
      message: expect.stringContaining("ris: "),
      cause: { code: "ECONNREFUSED" },
    });
  });

  it("tells the service's errors and refuses what is no message, and goes on", async () => {
    const { run, routes, refusals, collector, stop } = start();
    const done = run();
    const { socket } = await client();
    socket.send('{"type":"ris_error","data":{"message":"unknown prefix"}}');
    socket.send("garbage");
    socket.send('{"type":"ris_weather","data":{}}');
    socket.send(risUpdate({ path: ["x"] }));
    for (const text of fromPeers(3, { announce: [PREFIX] })) socket.send(text);
    await expect.poll(() => routes.length).toBe(1);
    expect(logged).toEqual([{ error: "unknown prefix" }]);
    expect(refusals.length).toBe(3);
    expect(collector.report()).toMatchObject({ refused: 3, errors: 1 });
    stop();
    await done;
  });

  it("leaves what it cannot take in the socket, and loses none of it", async () => {
    const { collector, stop } = start();
    const ending = new AbortController();
    const batches = collector.collect(ending.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    const { socket } = await client();
    for (const text of fromPeers(3, { announce: [PREFIX] })) socket.send(text);
    await first;
    // Nobody pulls: far more than may wait. Alternating so that every eighth message makes a batch.
    const total = 8 * 1000;
    for (let round = 0; round < total / 8; round += 1) {
      const parts = round % 2 === 0 ? { withdraw: [PREFIX] } : { announce: [PREFIX] };
      for (const text of fromPeers(8, parts)) socket.send(text);
    }
    while (collector.report().updates < total + 3) await batches.next();
    expect(collector.states()).toMatchObject([{ visiblePeers: 8 }]);
    ending.abort();
    stop();
    await batches.return?.();
  });

  it("ends promptly on abort, also while it connects", async () => {
    const { run, stop } = start();
    const done = run();
    stop();
    await done;
  });
});
