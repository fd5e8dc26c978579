import { expect, test } from "vitest";
import { readPoolTable } from "../../../collectors/stratum/pool-identity.ts";

const outputs = [{ address: "bc1qpays", value: 312_500_000 }];

test.each([
  [
    [
      { name: "Short", addresses: [], tags: ["/P/"] },
      { name: "Long", addresses: [], tags: ["/P/long/"] },
      { name: "Paid", addresses: ["bc1qpays"], tags: [] },
    ],
  ],
  [
    {
      coinbase_tags: { "/P/": { name: "Short" }, "/P/long/": { name: "Long" } },
      payout_addresses: { bc1qpays: { name: "Paid" } },
    },
  ],
])("either form of table: an address tells before a tag, a longer tag before a shorter", (table) => {
  const identify = readPoolTable(table);
  expect(identify({ coinbaseTag: "x /P/ y" })).toBe("Short");
  expect(identify({ coinbaseTag: "/P/long/" })).toBe("Long");
  expect(identify({ coinbaseTag: "/P/", outputs })).toBe("Paid");
  expect(identify({ outputs: [{ address: "bc1qpays", value: 0 }] })).toBeNull();
  expect(identify({})).toBeNull();
});

test.each([[{}], ["text"], [[{ tags: [] }]], [null]])("%j is no table", (table) => {
  expect(() => readPoolTable(table)).toThrow();
});
