import { once } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeProxyHeader } from "../../../collectors/stratum/proxy-protocol.ts";
import { dial, running, silent, startServer, startTap, until } from "./harness.ts";

/** A server that keeps what each connection sent. */
async function startSink(onSocket: (socket: Socket) => void = silent) {
  const received: Buffer[][] = [];
  const sink = await startServer((socket) => {
    const chunks: Buffer[] = [];
    received.push(chunks);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    onSocket(socket);
  });
  return {
    ...sink,
    received: (index: number) => Buffer.concat(received[index] ?? []),
    [Symbol.asyncDispose]: sink[Symbol.asyncDispose],
  };
}

const ended = (socket: Socket) => socket.readableEnded || socket.destroyed;

/** Hostile and ordinary bytes alike. */
const chunks = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('{"id":1,"method":"mining.subscribe","params":[]}\n', '{"id":1,"res', "\n", "}\n\n")
      .map((text) => Buffer.from(text)),
  ),
  { maxLength: 20 },
);

test("every byte arrives unchanged, both ways, however it was cut", async () => {
  await using sink = await startSink();
  await using running = await startTap(sink.port, { maxLineBytes: 256 });
  let connection = 0;
  await fc.assert(
    fc.asyncProperty(chunks, chunks, async (up, down) => {
      const index = connection;
      connection += 1;
      const { socket, received } = await dial(running.port);
      await until(() => sink.sockets.length > index, "the pool's connection");
      const pool = sink.sockets[index]!;
      for (let step = 0; step < Math.max(up.length, down.length); step += 1) {
        if (up[step]) socket.write(up[step]!);
        if (down[step]) pool.write(down[step]!);
        await new Promise(setImmediate);
      }
      // Half-close: the miner's end reaches the pool while the pool may still send.
      socket.end();
      await once(pool, "end");
      pool.end("last");
      await once(socket, "close");
      expect(sink.received(index).equals(Buffer.concat(up))).toBe(true);
      expect(received().equals(Buffer.concat([...down, Buffer.from("last")]))).toBe(true);
    }),
    { numRuns: 40 },
  );
  await until(() => running.tap.counters().connections === 0, "all connections to end");
  expect(running.tap.counters().decoderFailures).toBe(0);
});

test("a decoder that throws costs its connection's observations and nothing else", async () => {
  await using sink = await startSink((socket) => socket.on("data", (chunk) => socket.write(chunk)));
  await using running = await startTap(sink.port, {
    decoders: () => () => ({
      push: () => {
        throw new Error("broken");
      },
      gap: silent,
      kernelRoundTrip: silent,
      close: silent,
    }),
  });
  const { socket, received } = await dial(running.port);
  socket.write("one\n");
  await until(() => received().toString() === "one\n", "the first echo");
  socket.write("two\n");
  await until(() => received().toString() === "one\ntwo\n", "the second echo");
  expect(running.tap.counters().decoderFailures).toBe(1);
  await until(() => running.refusals.some(({ reason }) => reason === "the decoder failed"), "the refusal");
  socket.destroy();
});

test("a reader that does not read stops the sender instead of filling memory", async () => {
  const megabyte = Buffer.alloc(1024 * 1024, "x");
  let written = 0;
  await using sink = await startSink((socket) => {
    const more = () => {
      for (;;) {
        written += megabyte.length;
        if (written > 512 * megabyte.length || !socket.write(megabyte)) return;
      }
    };
    socket.on("drain", more);
    more();
  });
  await using running = await startTap(sink.port);
  const { socket } = await dial(running.port);
  socket.pause();
  // The pool's kernel takes no more once the tap has stopped reading: nothing moves between two looks.
  let before = -1;
  await until(() => {
    const now = running.tap.counters().bytesDown;
    const still = now > 0 && now === before && sink.sockets[0]!.writableNeedDrain;
    before = now;
    return still;
  }, "the sender to stop");
  expect(running.tap.counters().bytesDown).toBeLessThan(64 * megabyte.length);
  socket.destroy();
});

test("what waits to be decoded is bounded; what is dropped is counted", async () => {
  await using sink = await startSink();
  await using running = await startTap(sink.port, { backlogBytes: 1024 });
  const { socket } = await dial(running.port);
  const line = Buffer.from(`{"method":"${"x".repeat(5000)}"}\n`);
  socket.write(line);
  await until(() => sink.received(0).length === line.length, "the bytes");
  expect(running.tap.counters().undecodedBytes).toBe(line.length);
  socket.destroy();
});

test("the queue of observations is bounded; what is dropped is counted and told", async () => {
  await using sink = await startSink();
  // Long enough that no batch is taken in between.
  await using running = await startTap(sink.port, { queueObservations: 3, lingerMs: 300 });
  const sockets = await Promise.all(Array.from({ length: 5 }, async () => (await dial(running.port)).socket));
  await until(
    () => running.refusals.some(({ reason }) => reason === "dropped: the queue is full"),
    "the refusal",
  );
  expect(running.tap.counters().droppedObservations).toBe(2);
  expect(running.sessions("open")).toHaveLength(3);
  for (const socket of sockets) socket.destroy();
});

test("a broken side closes the other; a pool that is away ends the miner", async () => {
  await using sink = await startSink();
  await using running = await startTap(sink.port);
  const { socket } = await dial(running.port);
  await until(() => sink.sockets.length === 1, "the pool's connection");
  socket.resetAndDestroy();
  await until(() => sink.sockets[0]!.readableEnded, "the pool's side to end");
  sink.sockets[0]!.end();
  await until(() => running.sessions("close").length === 1, "the close");
  expect(running.sessions("close")[0]!.reason).toBe("miner: ECONNRESET");

  await using away = await startTap(1);
  const other = await dial(away.port);
  other.socket.end();
  await once(other.socket, "close");
  await until(() => away.sessions("close").length === 1, "the close");
  expect(away.sessions("close")[0]!.reason).toBe("pool: ECONNREFUSED");
});

test("limits turn connections away, and silence ends them", async () => {
  await using sink = await startSink();
  await using running = await startTap(sink.port, {
    maxConnections: 2,
    maxConnectionsPerAddress: 1,
    idleMs: 40,
  });
  const first = await dial(running.port);
  await until(() => running.tap.counters().connections === 1, "the first connection");
  const second = await dial(running.port);
  await until(() => ended(second.socket), "the second connection to be turned away");
  expect(first.socket.destroyed).toBe(false);
  expect(running.tap.counters()).toMatchObject({ accepted: 1, refusedConnections: 1 });
  await until(() => ended(first.socket), "the silent connection to end");
  expect(running.tap.counters().idleClosed).toBe(1);
  expect(running.refusals.map(({ reason }) => reason)).toEqual([
    "connection beyond maxConnectionsPerAddress",
  ]);
});

test("an abort sends what was read and closes every connection", async () => {
  await using sink = await startSink();
  const running = await startTap(sink.port);
  const { socket } = await dial(running.port);
  socket.write("last words");
  await until(() => running.tap.counters().bytesUp === 10, "the bytes");
  await running.stop();
  await until(() => sink.received(0).toString() === "last words", "the bytes at the pool");
  await until(() => socket.readableEnded, "the miner's end");
  socket.destroy();
});

test("a tap that was ended can be started again, as a supervisor does", async () => {
  await using sink = await startSink();
  const ports: number[] = [];
  const first = await startTap(sink.port, { onListening: ({ port }) => ports.push(port) });
  await first.stop();
  await using _again = running(async (signal) => {
    for await (const _ of first.tap.collect(signal));
  });
  await until(() => ports.length === 2, "the second start");
  const { socket } = await dial(ports[1]!);
  socket.write("hello");
  await until(() => sink.received(0).toString() === "hello", "the bytes");
  socket.destroy();
});

test("a port in use is said with the tap's name", async () => {
  await using sink = await startSink();
  await expect(startTap(1, { listen: { host: "127.0.0.1", port: sink.port } })).rejects.toThrow(
    /^tap: cannot listen on/,
  );
});

describe("PROXY protocol", () => {
  const proxyProtocol = { accept: true, from: ["127.0.0.0/8"], emit: "off" as const };
  const ends = {
    source: { address: "198.51.100.9", port: 5555 },
    destination: { address: "127.0.0.1", port: 3333 },
  };

  test.each(["v1", "v2"] as const)(
    "%s from a trusted peer names the miner, in whatever pieces it comes",
    async (version) => {
      await using sink = await startSink();
      await using running = await startTap(sink.port, { proxyProtocol });
      const { socket } = await dial(running.port);
      for (const byte of writeProxyHeader(version, ends)) {
        socket.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      socket.write("hello");
      await until(() => sink.received(0).toString() === "hello", "the bytes behind the header");
      await until(() => running.sessions("open").length === 1, "the session");
      expect(running.sessions("open")[0]).toMatchObject({ ip: "198.51.100.9", port: 5555 });
      socket.destroy();
    },
  );

  test("a trusted peer without a header is turned away; an untrusted one is who it is", async () => {
    await using sink = await startSink();
    await using running = await startTap(sink.port, { proxyProtocol });
    const { socket } = await dial(running.port);
    socket.write('{"id":1}\n');
    await until(() => ended(socket), "the connection to be turned away");
    expect(running.tap.counters().refusedConnections).toBe(1);

    await using strict = await startTap(sink.port, {
      proxyProtocol: { ...proxyProtocol, from: ["192.0.2.1"] },
    });
    const forger = await dial(strict.port);
    const header = writeProxyHeader("v1", ends);
    forger.socket.write(header);
    await until(() => sink.received(0).equals(header), "the forwarded bytes");
    await until(() => strict.sessions("open").length === 1, "the session");
    expect(strict.sessions("open")[0]!.ip).toBe("127.0.0.1");
    forger.socket.destroy();
  });

  test.each(["v1", "v2"] as const)("%s is sent to the pool before the miner's first byte", async (emit) => {
    await using sink = await startSink();
    await using running = await startTap(sink.port, { proxyProtocol: { ...proxyProtocol, emit } });
    const { socket } = await dial(running.port);
    socket.write(Buffer.concat([writeProxyHeader("v2", ends), Buffer.from("hello")]));
    await until(() => sink.received(0).toString("latin1").endsWith("hello"), "the bytes");
    const expected = writeProxyHeader(emit, {
      source: ends.source,
      destination: { address: "127.0.0.1", port: running.port },
    });
    expect(sink.received(0).equals(Buffer.concat([expected, Buffer.from("hello")]))).toBe(true);
    socket.destroy();
  });
});

test("the kernel's round trip is told for a direct miner", async () => {
  await using sink = await startSink();
  let peer = "";
  await using running = await startTap(sink.port, {
    roundTripEveryMs: 10,
    roundTrips: () => async (take) => {
      take(peer, 12.5);
      return true;
    },
  });
  const { socket } = await dial(running.port);
  peer = `127.0.0.1 ${socket.localPort}`;
  socket.write('{"id":1,"method":"mining.authorize","params":["farm.rig"]}\n');
  await until(() => sink.received(0).length > 0, "the login");
  sink.sockets[0]!.write('{"id":1,"result":true,"error":null}\n');
  await until(() => running.sessions("authorize").some(({ rttMs }) => rttMs === 12.5), "the round trip");
  socket.destroy();
});
