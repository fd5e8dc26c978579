import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, parseAddress, parseIpv4, parsePrefix } from "../../src/core/address.ts";

test("reads every IPv4 address and writes it back", () => {
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      const address = parseAddress(ip);
      expect(address && formatAddress(address)).toBe(ip);
    }),
  );
});

test("reads every IPv6 address and writes the spelling a URL has", () => {
  fc.assert(
    fc.property(fc.ipV6(), (ip) => {
      const address = parseAddress(ip);
      expect(address && `[${formatAddress(address)}]`).toBe(new URL(`http://[${ip}]/`).hostname);
    }),
  );
});

test("agrees with the runtime on what is an address", () => {
  const almost = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."0123456789.:af%") }),
    fc.ipV4().map((ip) => ip.replace(/\d/, "")),
    fc.ipV6().map((ip) => `${ip}:`),
  );
  fc.assert(
    fc.property(almost, (text) => {
      expect(parseAddress(text) !== null).toBe(isIP(text) !== 0 && text.length <= 64);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.256",
  "1..3.4",
  ".1.2.3",
  "1.2.3.",
  " 1.2.3.4",
  "-1.2.3.4",
])("refuses %j", (text) => expect(parseIpv4(text)).toBe(-1));

test("refuses a prefix with bits behind it, of a wrong length, or of no address", () => {
  expect(parsePrefix("175.45.176.0/22")).toMatchObject({ bits: 32, length: 22 });
  expect(parsePrefix("2001:db8::/32")).toMatchObject({ bits: 128, length: 32 });
  expect(parsePrefix("192.0.2.7")).toMatchObject({ length: 32 });
  for (const text of ["175.45.177.1/22", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::/129", "x/8"])
    expect(parsePrefix(text), text).toBeNull();
});
