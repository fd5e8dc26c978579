import fc from "fast-check";
import { expect, test } from "vitest";
import { addressKey, looksLikeAddress, nameKey } from "../../src/screening/keys.ts";

const LEGACY = "149w62rY42aZBox8fGcmqNsXUzSStKeq8C";
const SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const ETHER = "0x098b716b8aaf21512996dc57eb0615e2383e2f96";
const CASH = "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a";

test.each([
  [` ${LEGACY}\n`, LEGACY],
  ["149w62rY42aZBox8\u200bfGcmqNsXUz SStKeq8C", LEGACY],
  [`bitcoin:${LEGACY}?amount=0.1&label=x`, LEGACY],
  [`BITCOIN:${SEGWIT.toUpperCase()}`, SEGWIT],
  ["BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", SEGWIT],
  ["0x098B716B8Aaf21512996dC57EB0615e2383E2f96", ETHER],
  ["0X098B716B8AAF21512996DC57EB0615E2383E2F96", ETHER],
  [`ethereum:${ETHER}@1`, ETHER],
  // The specification's own examples: key hashes and script hashes in both spellings.
  [`bitcoincash:${CASH}`, "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"],
  [`BITCOINCASH:${CASH.toUpperCase()}`, "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"],
  ["qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy", "1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR"],
  ["qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r", "16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb"],
  ["ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq", "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC"],
  // One character changed: the checksum is wrong, so it is nothing but itself.
  ["qqm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq", "qqm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"],
])("%j is looked up as %j", (text, key) => expect(addressKey(text)).toBe(key));

test("case tells Base58 addresses apart", () => {
  expect(addressKey(LEGACY.toLowerCase())).not.toBe(addressKey(LEGACY));
  expect(addressKey("TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq")).toBe("TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq");
});

test("a key is its own key, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const once = nameKey(text);
      expect(nameKey(once)).toBe(once);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]{26,62}$/), (text) => {
      expect(addressKey(addressKey(text))).toBe(addressKey(text));
    }),
  );
});

test("what looks like no address is told, not judged", () => {
  for (const text of [LEGACY, SEGWIT, ETHER, CASH, "TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq"])
    expect(looksLikeAddress(text), text).toBe(true);
  for (const text of ["", "see annex", "149w62", "0xabc"]) expect(looksLikeAddress(text), text).toBe(false);
});

test("names are folded over case, marks and punctuation", () => {
  expect(nameKey("  O.O.O.  Bitriver—RUS ")).toBe("ooo bitriver rus");
  expect(nameKey("Société Générale")).toBe("societe generale");
});
