import fc from "fast-check";
import { expect, test } from "vitest";
import { numberOf, readProtobuf, textOf } from "../../../collectors/pools/protobuf.ts";

test("the examples of the encoding's own documentation", () => {
  // developers.google.com/protocol-buffers/docs/encoding: a = 150; b = "testing"; c { a = 150 }.
  expect(readProtobuf(Buffer.from("089601", "hex")).get(1)).toBe(150n);
  expect(textOf(readProtobuf(Buffer.from("120774657374696e67", "hex")).get(2))).toBe("testing");
  const inner = readProtobuf(Buffer.from("1a03089601", "hex")).get(3) as Uint8Array;
  expect(numberOf(readProtobuf(inner).get(1))).toBe(150);
  // int32 of -2 is sign-extended to ten bytes.
  expect(readProtobuf(Buffer.from("08feffffffffffffffff01", "hex")).get(1)).toBe(-2n);
  expect(readProtobuf(Buffer.from("0d0000803f", "hex")).get(1)).toBe(1);
  expect(readProtobuf(Buffer.from("09000000000000f03f", "hex")).get(1)).toBe(1);
});

test.each([
  ["a length beyond the end", "1a7f01"],
  ["a huge length", "1affffffffffffffff7f01"],
  ["a negative length", "1affffffffffffffffff01"],
  ["a varint without end", "08ffffffffffffffffffffff"],
  ["a cut varint", "0896"],
  ["a group", "0b"],
  ["field 0", "0001"],
])("%s is a RangeError", (_, hex) => {
  expect(() => readProtobuf(Buffer.from(hex, "hex"))).toThrow(RangeError);
});

test("hostile bytes end in fields or a RangeError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readProtobuf(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 2000 },
  );
});
