import fc from "fast-check";
import { expect, test } from "vitest";
import { LineFramer } from "../../../collectors/stratum/line-framer.ts";

/** Cuts a buffer at the given places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}

const line = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => text.replaceAll("\n", " "));

test("lines come out whole whatever way they were cut", () => {
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
      const framer = new LineFramer(1024);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      expect(cut(bytes, places).flatMap((chunk) => framer.push(chunk))).toEqual(
        lines.map((text) => Buffer.from(text).toString()),
      );
      expect(framer.held).toBe(0);
    }),
  );
});

test("a line over the limit is skipped and counted once, its neighbours are read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 17, max: 400 }), fc.array(fc.nat()), (length, places) => {
      const framer = new LineFramer(16);
      const bytes = Buffer.from(`before\n${"x".repeat(length)}\nafter\n`);
      expect(cut(bytes, places).flatMap((chunk) => framer.push(chunk))).toEqual(["before", "after"]);
      expect(framer.oversized).toBe(1);
    }),
  );
});

test("hostile bytes never throw and hold at most the limit", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
      const framer = new LineFramer(64);
      for (const chunk of chunks) {
        framer.push(Buffer.from(chunk));
        expect(framer.held).toBeLessThanOrEqual(64);
      }
    }),
  );
});

test("after a gap decoding goes on at the next line", () => {
  const framer = new LineFramer(64);
  framer.push(Buffer.from("half"));
  framer.gap();
  expect(framer.push(Buffer.from(" of another\nwhole\n"))).toEqual(["whole"]);
  expect(framer.oversized).toBe(0);
});
