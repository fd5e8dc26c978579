import { BlockList } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Address, formatAddress, parseAddress, parsePrefix } from "../../src/core/address.ts";
import { PrefixTable } from "../../src/core/prefix-table.ts";

const addressOf = (bits: 32 | 128, value: bigint): Address =>
  bits === 32 ? { bits, value: Number(value) } : { bits, value };

/** Blocks crowded into a corner, so that they nest and touch. */
const crowded = (bits: 32 | 128) =>
  fc.array(
    fc.record({ value: fc.bigInt({ min: 0n, max: 255n }), length: fc.integer({ min: bits - 8, max: bits }) }),
    { maxLength: 12 },
  );

test.each([32, 128] as const)("finds what BlockList finds, the narrowest first (%i bits)", (bits) => {
  fc.assert(
    fc.property(crowded(bits), fc.bigInt({ min: 0n, max: 300n }), (blocks, offset) => {
      const base = bits === 32 ? 0xc000_0200n : 0x2001_0db8n << 96n;
      const entries = blocks.map(({ value, length }, order) => {
        const first = base + ((value >> BigInt(bits - length)) << BigInt(bits - length));
        const text = `${formatAddress(addressOf(bits, first))}/${length}`;
        const block = parsePrefix(text);
        if (block === null) throw new Error(text);
        return { block, item: { order, length, text } };
      });
      const address = addressOf(bits, base + offset);
      const found = new PrefixTable(entries).find(address);
      const expected = entries
        .map(({ item }) => item)
        .filter(({ text }) => {
          const list = new BlockList();
          const [network = "", length = ""] = text.split("/");
          list.addSubnet(network, Number(length), bits === 32 ? "ipv4" : "ipv6");
          return list.check(formatAddress(address), bits === 32 ? "ipv4" : "ipv6");
        })
        .sort((a, b) => b.length - a.length || a.order - b.order);
      expect(found).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("holds the first and the last address there is", () => {
  const whole = ["0.0.0.0/0", "::/0"].map((text) => {
    const block = parsePrefix(text);
    if (block === null) throw new Error(text);
    return { block, item: text };
  });
  const table = new PrefixTable(whole);
  for (const [ip, item] of [
    ["0.0.0.0", "0.0.0.0/0"],
    ["255.255.255.255", "0.0.0.0/0"],
    ["::", "::/0"],
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"],
  ] as const) {
    const address = parseAddress(ip);
    expect(address && table.find(address)).toEqual([item]);
  }
  expect(new PrefixTable([]).find({ bits: 32, value: 1 })).toEqual([]);
});
