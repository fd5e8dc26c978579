import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSharedRing, RingReader, RingWriter } from "../../../collectors/flows/ring.ts";

describe("the ring between the threads", () => {
  it("property: gives back what was put in, in order, over its end, and drops only what has no room", () => {
    const step = fc.record({
      write: fc.boolean(),
      length: fc.oneof(fc.nat(200), fc.nat(65_507)),
      address: fc.constantFrom("192.0.2.1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
      port: fc.nat(65_535),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ring = createSharedRing(1);
        const writer = new RingWriter(ring);
        const reader = new RingReader(ring);
        const expected: { length: number; fill: number; address: string; port: number }[] = [];
        let written = 0;
        for (const { write, length, address, port } of steps) {
          if (write) {
            const before = reader.counts().dropped;
            writer.write(new Uint8Array(length).fill(written & 255), address, port);
            if (reader.counts().dropped === before)
              expected.push({ length, fill: written & 255, address, port });
            written += 1;
          } else {
            const arrived = reader.read();
            const due = expected.shift();
            expect(arrived?.address).toBe(due?.address);
            expect(arrived?.port).toBe(due?.port);
            expect(arrived?.bytes.length).toBe(due?.length);
            if (due) expect(arrived?.bytes.every((byte) => byte === due.fill)).toBe(true);
          }
        }
        const held = expected.reduce((sum, { length }) => sum + length, 0);
        expect(held).toBeLessThan(ring.bytes.byteLength);
      }),
      { numRuns: 60 },
    );
  });

  it("goes on after its positions have passed 2^32", () => {
    const ring = createSharedRing(1);
    const start = 2 ** 32 - 2 ** 18;
    new Int32Array(ring.control).set([start | 0, start | 0]);
    const writer = new RingWriter(ring);
    const reader = new RingReader(ring);
    for (let index = 0; index < 1000; index += 1) {
      writer.write(new Uint8Array(1400).fill(index & 255), "192.0.2.1", 1);
      expect(reader.read()?.bytes[1399]).toBe(index & 255);
    }
    expect(reader.read()).toBeUndefined();
  });

  it("wakes a reader that waits, by a datagram or when asked to", async () => {
    const ring = createSharedRing(1);
    const reader = new RingReader(ring);
    const waiting = reader.readable();
    new RingWriter(ring).write(Uint8Array.of(7), "192.0.2.1", 1);
    await waiting;
    expect(reader.read()?.bytes).toEqual(Uint8Array.of(7));
    const again = reader.readable();
    reader.wake();
    await again;
  });
});
