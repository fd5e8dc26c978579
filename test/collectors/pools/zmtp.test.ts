import fc from "fast-check";
import { expect, test } from "vitest";
import { Subscriber } from "../../../collectors/pools/zmtp.ts";
import { readFrame, writeFrame, writeGreeting, writeReady } from "../../../collectors/pools/zmtp-frame.ts";

const opening = (socketType = "PUB") =>
  Buffer.concat([writeGreeting(), writeFrame(writeReady(socketType), true)]);
/** A message as a publisher sends it: all frames but the last say that more follow. */
const message = (parts: readonly Uint8Array[]) =>
  Buffer.concat(
    parts.map((part, index) => {
      const frame = writeFrame(part);
      if (index < parts.length - 1) frame[0]! |= 1;
      return frame;
    }),
  );
const plain = (messages: readonly (readonly Uint8Array[])[]) =>
  messages.map((parts) => parts.map((part) => Buffer.from(part).toString("hex")));

test("it answers as the specification says, and subscribes once the publisher is ready", () => {
  const subscriber = new Subscriber("xmr1");
  const bytes = opening();
  expect(subscriber.take(bytes.subarray(0, 63)).reply.length).toBe(0);
  const ready = subscriber.take(bytes.subarray(63, 64)).reply.toString("latin1");
  expect(ready).toBe("\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB");
  expect(subscriber.isOpen).toBe(false);
  expect(subscriber.take(bytes.subarray(64)).reply.toString("latin1")).toBe("\0\x05\x01xmr1");
  expect(subscriber.isOpen).toBe(true);
});

test("messages are the same wherever their bytes are cut, short and long, commands between them", () => {
  const part = fc.oneof(fc.uint8Array({ maxLength: 10 }), fc.uint8Array({ minLength: 250, maxLength: 300 }));
  const parts = fc.array(part, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 4 }), fc.array(fc.nat(2000)), (sent, cuts) => {
      const ping = writeFrame(Buffer.from("\x04PING\0\0"), true);
      const bytes = Buffer.concat([opening(), ...sent.flatMap((each) => [message(each), ping])]);
      const subscriber = new Subscriber("");
      const taken = [];
      const ends = [...cuts, bytes.length].map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b);
      let from = 0;
      for (const end of ends) {
        taken.push(...plain(subscriber.take(bytes.subarray(from, end)).messages));
        from = end;
      }
      expect(taken).toEqual(plain(sent));
    }),
  );
});

test("hostile bytes end in messages or a RangeError, from the start and once open", () => {
  const bytes = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 });
  const start = fc.constantFrom(Buffer.alloc(0), writeGreeting(), opening());
  // A length that fits makes the rest be looked at as a command.
  const command = fc.uint8Array({ maxLength: 40 }).map((body) => writeFrame(body, true));
  fc.assert(
    fc.property(start, fc.oneof(bytes, fc.array(command)), (first, pieces) => {
      const subscriber = new Subscriber("x");
      try {
        for (const piece of [first, ...pieces]) {
          for (const parts of subscriber.take(Buffer.from(piece)).messages) {
            expect(parts.length).toBeLessThanOrEqual(8);
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 3000 },
  );
});

const changed = (at: number, value: number) => {
  const greeting = writeGreeting();
  greeting[at] = value;
  return greeting;
};
const curve = Buffer.concat([writeGreeting().subarray(0, 12), Buffer.from("CURVE"), Buffer.alloc(47)]);
const refusal = Buffer.from("\x05ERROR\x07go away", "latin1");

test.each([
  ["an HTTP server", Buffer.from("HTTP/1.1 400"), "no ZeroMQ greeting"],
  ["a signature without end", changed(9, 0), "no ZeroMQ greeting"],
  ["an old version, before the rest comes", changed(10, 1).subarray(0, 11), "ZMTP older than 3.0"],
  ["encryption", curve, 'asks for mechanism "CURVE"; only "NULL", without encryption, is spoken'],
  ["a socket that publishes nothing", opening("REP"), 'socket type "REP", not "PUB"'],
  ["a message too early", Buffer.concat([writeGreeting(), message([refusal])]), "a message before READY"],
  ["a refusal", Buffer.concat([writeGreeting(), writeFrame(refusal, true)]), 'refused with "go away"'],
  [
    "another command",
    Buffer.concat([writeGreeting(), writeFrame(Buffer.from("\x04PING"), true)]),
    "no READY after the greeting",
  ],
  ["reserved flags", Buffer.concat([opening(), Buffer.of(8, 0)]), "frame flags 8"],
  ["a command with more to follow", Buffer.concat([opening(), Buffer.of(5, 0)]), "frame flags 5"],
  ["a message without end", Buffer.concat([opening(), Buffer.alloc(18, "\x01\0")]), "more than 8 frames"],
  [
    "a frame that would fill the memory, before it comes",
    Buffer.concat([opening(), Buffer.from("02ffffffffffffffff", "hex")]),
    "a frame of 18446744073709552000 bytes",
  ],
])("%s is a RangeError", (_, bytes, reason) => {
  expect(() => new Subscriber("").take(bytes)).toThrow(reason);
  expect(() => new Subscriber("").take(bytes)).toThrow(RangeError);
});

test("the bound of a frame is exact", () => {
  expect(readFrame(writeFrame(Buffer.alloc(1000)), 0, 1000)?.frame.body.length).toBe(1000);
  expect(() => readFrame(writeFrame(Buffer.alloc(1001)), 0, 1000)).toThrow(RangeError);
});
