import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCoinbase, readPrevHash } from "../../../collectors/stratum/coinbase.ts";

// Written down by hand from the layout: version, one input without previous output, script of 3+height, 12 bytes of
// extranonce and "/ckpool/", one output of 50 coins to OP_TRUE.
const HEAD = `01000000${"01"}${"00".repeat(32)}ffffffff${"18"}${"03a0bb0d"}`;
const TAIL = `${Buffer.from("/ckpool/").toString("hex")}ffffffff01${"00f2052a01000000"}0151${"00000000"}`;

test("height, tag and outputs of a whole coinbase", () => {
  expect(decodeCoinbase(HEAD, TAIL, 12)).toEqual({
    height: 900_000,
    tag: "/ckpool/",
    outputs: [{ script: "51", value: 5_000_000_000 }],
  });
});

test("without the extranonce's size only the first part is read", () => {
  expect(decodeCoinbase(HEAD, TAIL, null)).toEqual({ height: 900_000 });
});

test("the first blocks of a test chain carry their height as an opcode", () => {
  const head = `01000000${"01"}${"00".repeat(32)}ffffffff${"0a"}${"51"}`;
  expect(decodeCoinbase(head, "", null)?.height).toBe(1);
});

test("an ordinary transaction is no coinbase", () => {
  expect(decodeCoinbase(HEAD.replace("00".repeat(32), "11".repeat(32)), TAIL, 12)).toBeNull();
});

test("the previous hash is turned into what explorers show", () => {
  const words = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(8));
  expect(readPrevHash(words.join(""))).toBe(words.toReversed().join(""));
  expect(readPrevHash(`${"A1b2c3d4".repeat(6)}${"0".repeat(16)}`)).toBe(
    `${"0".repeat(16)}${"a1b2c3d4".repeat(6)}`,
  );
  expect(readPrevHash("00")).toBeNull();
});

test("hostile bytes never throw and never give more than a few outputs", () => {
  const hex = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes).toString("hex"));
  fc.assert(
    fc.property(
      fc.oneof(
        hex,
        hex.map((rest) => HEAD + rest),
      ),
      fc.oneof(hex, fc.anything()),
      fc.integer(),
      (first, second, size) => {
        expect(decodeCoinbase(first, second, size)?.outputs?.length ?? 0).toBeLessThanOrEqual(256);
      },
    ),
  );
});
