import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readRelayMessage } from "../../../collectors/pools/miningcore-message.ts";
import { checkMiningcoreRelay, createMiningcoreRelay } from "../../../collectors/pools/miningcore-relay.ts";
import { subscribe } from "../../../collectors/pools/zmtp.ts";
import type { Batch } from "../../../src/core/collector.ts";
import { liveCollectorContract } from "../../contract/live-collector.ts";
import { hasZmq, startPublisher } from "./zmq-publisher.ts";

const AT_MS = Date.parse("2026-11-23T00:00:00.123Z");
const NOW_MS = AT_MS + 5000;
const PROTOBUF = Buffer.of(2, 0, 0, 0);
const context = { pool: "p", algorithm: "randomx", nowMs: NOW_MS };
const topic = Buffer.from("xmr1");

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.of(...bytes, Number(rest));
    bytes.push(Number(rest & 127n) | 128);
  }
}
const bytesField = (number: number, body: Uint8Array | string) => {
  const bytes = Buffer.from(body);
  return Buffer.concat([varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
};
const doubleField = (number: number, value: number) => {
  const bytes = Buffer.of(number * 8 + 1, 0, 0, 0, 0, 0, 0, 0, 0);
  bytes.writeDoubleLE(value, 1);
  return bytes;
};
/** bcl.DateTime: 1 the value zigzag, 2 its unit. */
const date = (value: bigint, unit: bigint) =>
  Buffer.concat([
    Buffer.of(8),
    varint(value < 0n ? -value * 2n - 1n : value * 2n),
    Buffer.of(16),
    varint(unit),
  ]);
/** A `Share` as protobuf-net writes it: the fields in order, unset ones left out. */
const share = (created: Buffer = date(BigInt(AT_MS) * 10_000n + 7n, 5n), difficulty = 1.5) =>
  Buffer.concat([
    bytesField(1, "xmr1"),
    bytesField(2, "48account"),
    bytesField(3, "rig1"),
    bytesField(5, "XMRig/6.26.0"),
    bytesField(6, "192.0.2.1"),
    bytesField(7, "europe"),
    doubleField(8, difficulty),
    Buffer.concat([Buffer.of(72), varint(3_000_000n)]),
    doubleField(14, 4e11),
    created.length === 0 ? created : bytesField(15, created),
  ]);
const EXPECTED = {
  type: "share",
  atMs: AT_MS,
  pool: "p",
  algorithm: "randomx",
  account: "48account",
  worker: "rig1",
  session: undefined,
  ip: "192.0.2.1",
  agent: "XMRig/6.26.0",
  difficulty: 1.5,
  outcome: "accepted",
};

describe("a message of the relay", () => {
  const read = (payload: Buffer, flags = PROTOBUF) =>
    readRelayMessage([topic, flags, payload], "xmr1", context);

  test("is a share, whatever byte order its flags have", () => {
    expect(read(share())).toEqual(EXPECTED);
    expect(read(share(), Buffer.of(0, 0, 0, 2))).toEqual(EXPECTED);
  });

  test("is dated in any unit, and by the receiver's clock when it has no date", () => {
    const atMs = (created: Buffer) => (read(share(created)) as { atMs: number }).atMs;
    expect(atMs(date(20_000n, 0n))).toBe(20_000 * 86_400_000);
    expect(atMs(date(400_000n, 1n))).toBe(400_000 * 3_600_000);
    expect(atMs(date(1_795_392_000n, 3n))).toBe(1_795_392_000_000);
    expect(atMs(Buffer.alloc(0))).toBe(NOW_MS);
    // DateTime.MinValue, what a date that was never set is.
    expect(atMs(date(-1n, 15n))).toBe(NOW_MS);
    expect(read(share(date(-1n, 3n)))).toBe("at: not an instant since 1970");
  });

  test("may be JSON", () => {
    const json = {
      poolId: "xmr1",
      miner: "48account",
      worker: "rig1",
      userAgent: "XMRig/6.26.0",
      ipAddress: "192.0.2.1",
      difficulty: 1.5,
      created: "2026-11-23T00:00:00.1230007Z",
    };
    const written = (value: unknown) => Buffer.from(JSON.stringify(value));
    expect(read(written(json), Buffer.of(1, 0, 0, 0))).toEqual(EXPECTED);
    expect(read(written({ ...json, created: "soon" }), Buffer.of(1, 0, 0, 0))).toMatchObject({
      atMs: NOW_MS,
    });
    expect(read(written([null]), Buffer.of(1, 0, 0, 0))).toMatch(/^difficulty/);
    expect(read(written(null), Buffer.of(1, 0, 0, 0))).toBe("payload: no object");
    expect(read(Buffer.from("{"), Buffer.of(1, 0, 0, 0))).toBe("payload: no JSON");
    expect(read(Buffer.of(0x22, 0xff, 0x22), Buffer.of(1, 0, 0, 0))).toBe("payload: not UTF-8");
  });

  test("is refused with the reason, and passed over when another pool's", () => {
    expect(readRelayMessage([Buffer.from("xmr10"), PROTOBUF, share()], "xmr1", context)).toBeUndefined();
    expect(readRelayMessage([topic, PROTOBUF], "xmr1", context)).toBe("message: 2 frames, not 3");
    expect(read(share(), Buffer.of(2))).toBe("flags: 1 bytes, not 4");
    expect(read(share(), Buffer.of(4, 0, 0, 0))).toMatch(/^flags: format 4 is neither/);
    expect(read(share().subarray(0, -1))).toBe("payload: field beyond the end");
    expect(read(Buffer.alloc(0))).toBe("difficulty: not above 0");
    expect(read(share(undefined, Number.NaN))).toBe("difficulty: not above 0");
  });

  test("of hostile bytes is a share or a reason", () => {
    const flags = fc.constantFrom(PROTOBUF, Buffer.of(1, 0, 0, 0));
    const cut = fc.tuple(fc.nat(120), fc.nat(255)).map(([at, value]) => {
      const bytes = share();
      bytes[at] = value;
      return bytes;
    });
    fc.assert(
      fc.property(flags, fc.oneof(fc.uint8Array(), cut, fc.json().map(Buffer.from)), (format, payload) => {
        const made = read(Buffer.from(payload), format);
        if (typeof made !== "string") expect(made).toMatchObject({ type: "share", pool: "p" });
      }),
      { numRuns: 2000 },
    );
  });
});

const relay = (url: string) =>
  createMiningcoreRelay({
    name: "relay",
    url,
    poolId: "xmr1",
    pool: "p",
    algorithm: "randomx",
    now: () => NOW_MS,
  });

async function collectAll(url: string): Promise<void> {
  for await (const _ of relay(url).collect(new AbortController().signal));
}

test("what is no publisher is a broken source, with the collector's name", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).write("HTTP/1.1 400 Bad Request\r\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await expect(collectAll(`tcp://127.0.0.1:${port}`)).rejects.toThrow("relay: no ZeroMQ greeting");
  server.close();
});

test("who says nothing is given up", async () => {
  const server = createServer((socket) => socket.on("error", () => {}));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const url = `tcp://127.0.0.1:${port}`;
  const waiting = subscribe({ url, topic: "", handshakeMs: 20 }, new AbortController().signal).next();
  await expect(waiting).rejects.toThrow("no ZeroMQ handshake in time");
  server.close();
});

if (!hasZmq && process.env.ASSAY_REQUIRE_SERVICES === "1") throw new Error("python3-zmq is not installed");
describe.skipIf(!hasZmq)("with a publisher of libzmq (python3-zmq)", () => {
  test("shares of the one pool arrive in order, bad ones are counted, and its end is thrown", async () => {
    const publisher = await startPublisher("XPUB");
    const batches: Batch[] = [];
    const collecting = (async () => {
      for await (const batch of relay(publisher.url).collect(new AbortController().signal)) {
        batches.push(batch);
        if (batches.flatMap(({ observations }) => observations).length === 301) await publisher.stop();
      }
    })();
    // Awaited below; a failure until then must not be fatal.
    collecting.catch(() => {});
    expect(await publisher.subscription()).toBe("\x01xmr1");
    publisher.publish(Buffer.from("xmr10"), PROTOBUF, share());
    publisher.publish(topic, PROTOBUF, Buffer.from("bad"));
    publisher.publish(topic, PROTOBUF, share());
    for (let difficulty = 1; difficulty <= 300; difficulty += 1) {
      // Long frames too: field 13 is what a coin needs to confirm a block.
      const confirmation = bytesField(13, "f".repeat(difficulty));
      publisher.publish(topic, PROTOBUF, Buffer.concat([share(undefined, difficulty), confirmation]));
    }
    await expect(collecting).rejects.toThrow("relay: the publisher closed the connection");
    const [first, ...others] = batches.flatMap(({ observations }) => observations);
    expect(first).toEqual(EXPECTED);
    expect(others.map((observation) => (observation as typeof EXPECTED).difficulty)).toEqual(
      Array.from({ length: 300 }, (_, index) => index + 1),
    );
    const refusals = batches.flatMap((batch) => batch.refusals ?? []);
    expect(refusals).toEqual([{ reason: expect.stringMatching(/^payload: /), place: "message 2" }]);
  });

  test("the check says that it is there", async () => {
    const publisher = await startPublisher("PUB");
    try {
      const found = checkMiningcoreRelay(
        { url: publisher.url, poolId: "xmr1" },
        new AbortController().signal,
      );
      expect(await found).toMatch(/^a ZeroMQ publisher/);
    } finally {
      await publisher.stop();
    }
  });

  test("an encrypted relay is refused with the reason, by the check and by the collector", async () => {
    const publisher = await startPublisher("CURVE");
    try {
      const { signal } = new AbortController();
      const refusal = /closed the connection before it was ready: encryption \(CURVE\) is not spoken/;
      const relay = { url: publisher.url, poolId: "xmr1" };
      await expect(checkMiningcoreRelay(relay, signal)).rejects.toThrow(refusal);
      const collector = createMiningcoreRelay({
        ...relay,
        name: "relay",
        pool: "p",
        algorithm: "randomx",
        now: () => NOW_MS,
      });
      await expect(collector.collect(signal)[Symbol.asyncIterator]().next()).rejects.toThrow(refusal);
    } finally {
      await publisher.stop();
    }
  });

  liveCollectorContract(
    "Miningcore's relay",
    async () => {
      const publisher = await startPublisher("PUB");
      let speaking: NodeJS.Timeout | undefined;
      return {
        collector: relay(publisher.url),
        speak() {
          speaking = setInterval(() => publisher.publish(topic, PROTOBUF, share()), 5);
        },
        async [Symbol.asyncDispose]() {
          clearInterval(speaking);
          await publisher.stop();
        },
      };
    },
    // Port 1 of loopback: nobody listens there.
    () => relay("tcp://127.0.0.1:1"),
  );
});
