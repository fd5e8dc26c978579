import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCkpoolLine } from "../../../collectors/pools/ckpool-line.ts";
import { shareLine } from "./share-log.ts";

const NOW = 1_795_386_700_000;
const context = { pool: "p", algorithm: "sha256d", nowMs: NOW };
const parse = (line: string) => parseCkpoolLine(line.trimEnd(), context);

test("an accepted share, from the miner's address and its assigned difficulty", () => {
  expect(parse(shareLine())).toEqual({
    type: "share",
    atMs: 1_795_386_642_569,
    pool: "p",
    algorithm: "sha256d",
    account: "farm",
    worker: "farm.rig1",
    session: "6b036d0e-1",
    ip: "127.0.0.1",
    agent: "cpuminer/2.5.1",
    difficulty: 0.001,
    outcome: "accepted",
  });
});

test.each([
  [{ result: false, errn: 1, "reject-reason": "Invalid JobID" }, "stale"],
  [{ result: false, errn: 2, "reject-reason": "Stale" }, "stale"],
  [{ result: false, errn: 3, "reject-reason": "Ntime out of range" }, "invalid"],
  [{ result: false, errn: 4, "reject-reason": "Duplicate" }, "duplicate"],
  [{ result: false, errn: 5, "reject-reason": "Above target" }, "low-difficulty"],
  [{ result: false, errn: -9, error: "Invalid nonce2 length" }, "invalid"],
  [{ result: false, error: [21, "Invalid JobID", null], sdiff: -1, hash: "" }, "stale"],
  [{ result: false, error: [22, "Duplicate", null] }, "duplicate"],
  [{ result: false, error: [23, "Above target", null] }, "low-difficulty"],
  [{ result: false, error: [20, "Stale", null] }, "stale"],
  [{ result: false, error: "Duplicate" }, "duplicate"],
  [{ result: false }, "invalid"],
])("%j is %s", (fields, outcome) => {
  expect(parse(shareLine(fields))).toMatchObject({ outcome, difficulty: 0.001 });
});

describe("refused, with the reason", () => {
  test.each([
    ["not JSON", "{"],
    ["not a share record", "[]"],
    ["not a share record", "null"],
    ["difficulty: not above 0", shareLine({ diff: 0 })],
    ["difficulty: not above 0", shareLine({ diff: -1 })],
    ["difficulty: too large", shareLine({ diff: 1e300 })],
    ["difficulty: too large", shareLine().replace("0.001", "1e999")],
    ["not JSON", shareLine().replace("0.001", "NaN")],
    ["diff: not a number", shareLine({ diff: "1" })],
    ["result: neither true nor false", shareLine({ result: 1 })],
    ["at: in the future", shareLine({ createdate: "1795400000,0" })],
    ["createdate: not seconds,nanoseconds", shareLine({ createdate: "now" })],
    ["account: not a text", shareLine({ username: "a".repeat(10_000) })],
    ["account: not a text", shareLine({ username: "a\nb" })],
    ["account: not a text", shareLine({ username: "" })],
    ["account: not a text", shareLine({ username: undefined })],
    ["worker: not a text", shareLine({ workername: "w".repeat(257) })],
    ["not JSON", shareLine().slice(0, 200) + shareLine()],
  ])("%s", (reason, line) => {
    expect(parse(line)).toMatch(new RegExp(`^${reason}`));
  });
});

test("a replay believes any date", () => {
  const late = shareLine({ createdate: "9999999999,0" });
  expect(parseCkpoolLine(late.trimEnd(), { ...context, nowMs: Number.POSITIVE_INFINITY })).toMatchObject({
    atMs: 9_999_999_999_000,
  });
});

test("an agent cannot hide its shares", () => {
  expect(parse(shareLine({ agent: "x".repeat(300) }))).toMatchObject({ account: "farm", agent: undefined });
  expect(parse(shareLine({ agent: "a\u0000b" }))).toMatchObject({ account: "farm", agent: undefined });
});

test("the fast path and JSON.parse read the same", () => {
  const text = fc.string({ unit: "binary", maxLength: 12 });
  const fields = fc.record({
    clientid: fc.nat(),
    diff: fc.double({ noNaN: true }),
    createdate: fc.tuple(fc.nat(2_000_000_000), fc.nat(999_999_999)).map(([s, ns]) => `${s},${ns}`),
    workername: text,
    username: text,
    address: text,
    agent: text,
    workinfoid: fc.bigInt({ min: 0n, max: 1n << 62n }).map(Number),
  });
  fc.assert(
    fc.property(fields, (record) => {
      const line = shareLine(record);
      // A key ckpool does not write sends the line down the slow path.
      const slow = line.replace("{", '{"x": 1, ');
      expect(parse(line)).toEqual(parse(slow));
    }),
    { numRuns: 300 },
  );
});

test("hostile text never throws", () => {
  const cut = fc.tuple(fc.nat(560), fc.string({ unit: "binary" })).map(([at, junk]) => {
    const line = shareLine();
    return line.slice(0, at) + junk + line.slice(at);
  });
  fc.assert(
    fc.property(fc.oneof(cut, fc.json(), fc.string()), (line) => void parse(line)),
    { numRuns: 500 },
  );
});
