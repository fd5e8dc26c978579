import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Endpoints,
  readProxyHeader,
  writeProxyHeader,
} from "../../../collectors/stratum/proxy-protocol.ts";

const port = fc.integer({ min: 0, max: 65_535 });
const endpoints = (address: fc.Arbitrary<string>): fc.Arbitrary<Endpoints> =>
  fc.record({ source: fc.record({ address, port }), destination: fc.record({ address, port }) });

/** Both forms of one IPv6 address, as the platform compares them. */
const canonical = (address: string) =>
  address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

describe.each(["v1", "v2"] as const)("PROXY %s", (version) => {
  test.each([fc.ipV4(), fc.ipV6().filter((address) => !/^(0*:)*:?ffff:/i.test(address))])(
    "what is written is read back, and no prefix of it is a header",
    (address) => {
      fc.assert(
        fc.property(endpoints(address), fc.uint8Array({ maxLength: 40 }), (ends, rest) => {
          const header = writeProxyHeader(version, ends);
          const read = readProxyHeader(Buffer.concat([header, rest]));
          if (!("bytes" in read) || !read.endpoints) throw new Error(JSON.stringify(read));
          expect(read.bytes).toBe(header.length);
          for (const end of ["source", "destination"] as const) {
            expect(canonical(read.endpoints[end].address)).toBe(canonical(ends[end].address));
            expect(read.endpoints[end].port).toBe(ends[end].port);
          }
          for (let length = 0; length < header.length; length += 1) {
            expect(readProxyHeader(header.subarray(0, length))).toEqual({ more: true });
          }
        }),
        { numRuns: 50 },
      );
    },
  );
});

test.each([
  ["PROXY UNKNOWN\r\n", { bytes: 15 }],
  ["PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", { bytes: 35 }],
  ["PROXY TCP4 1.2.3.4 5.6.7.8 99999 1\r\n", { reason: "malformed PROXY v1 header" }],
  ["PROXY TCP4 1.2.3.4.5 5.6.7.8 9 1\r\n", { reason: "malformed PROXY v1 header" }],
  ["PROXY TCP4 ::1 ::1 9 1\r\n", { reason: "malformed PROXY v1 header" }],
  [`PROXY TCP4 ${"1".repeat(200)}`, { reason: "PROXY v1 header too long" }],
  ['{"id":1}', { reason: "no PROXY header" }],
])("%j", (text, expected) => {
  expect(readProxyHeader(Buffer.from(text, "latin1"))).toEqual(expected);
});

test("a LOCAL v2 header names nobody; a huge or short one is malformed", () => {
  const local = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", "latin1");
  expect(readProxyHeader(local)).toEqual({ bytes: 16 });
  const huge = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "latin1");
  expect(readProxyHeader(huge)).toEqual({ reason: "PROXY v2 header too long" });
  const short = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x02ab", "latin1");
  expect(readProxyHeader(short)).toEqual({ reason: "malformed PROXY v2 header" });
});

test("hostile bytes never throw", () => {
  const signature = fc.constantFrom(
    "",
    "PROXY ",
    "PROXY TCP4 ",
    "\r\n\r\n\0\r\nQUIT\n",
    "\r\n\r\n\0\r\nQUIT\n\x21\x21",
  );
  fc.assert(
    fc.property(signature, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
      readProxyHeader(Buffer.concat([Buffer.from(start, "latin1"), rest]));
    }),
  );
});
