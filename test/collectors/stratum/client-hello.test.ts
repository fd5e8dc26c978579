import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientHelloReader, readClientHello } from "../../../collectors/stratum/client-hello.ts";

const bytesOf = (value: number, size: number) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const sized = (size: number, ...parts: Buffer[]) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([bytesOf(content.length, size), content]);
};
const words = (values: readonly number[]) => Buffer.concat(values.map((value) => bytesOf(value, 2)));

interface Hello {
  version?: number;
  ciphers?: number[];
  /** Absent: a hello without extensions, as TLS 1.2 allows. */
  extensions?: [type: number, content?: Buffer][];
  /** Bytes a record. */
  record?: number;
}

/** A hello after RFC 8446, 4.1.2, cut into records. */
function writeHello({ version = 0x0303, ciphers = [0x1301], extensions, record = 16_384 }: Hello): Buffer {
  const listed = extensions?.map(([type, content = Buffer.alloc(0)]) =>
    Buffer.concat([bytesOf(type, 2), sized(2, content)]),
  );
  const body = Buffer.concat([
    bytesOf(version, 2),
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(32, 9)),
    sized(2, words(ciphers)),
    sized(1, Buffer.of(0)),
    ...(listed ? [sized(2, ...listed)] : []),
  ]);
  const message = Buffer.concat([Buffer.of(1), sized(3, body)]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += record) {
    records.push(Buffer.of(22, 3, 1), sized(2, message.subarray(at, at + record)));
  }
  return Buffer.concat(records);
}

const versions = (...values: number[]): [number, Buffer] => [43, sized(1, words(values))];
const alpn = (...names: string[]): [number, Buffer] => [
  16,
  sized(2, ...names.map((name) => sized(1, Buffer.from(name, "latin1")))),
];
const algorithms = (...values: number[]): [number, Buffer] => [13, sized(2, words(values))];

/** The example of JA4's technical details: a browser with GREASE, its cipher suites and extensions in another order there. */
const EXAMPLE: Hello = {
  ciphers: [
    0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
  ],
  extensions: [
    [0xeaea],
    [0x001b],
    [0x0000, Buffer.from("000e00000b6578616d706c652e6f7267", "hex")],
    [0x0033],
    alpn("h2", "http/1.1"),
    [0x4469],
    [0x0017],
    [0x002d],
    algorithms(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
    [0x0005],
    [0x0023],
    [0x0012],
    versions(0x9a9a, 0x0304, 0x0303),
    [0xff01],
    [0x000b],
    [0x000a],
    [0x0015],
  ],
};

describe("JA4", () => {
  test.each<[string, Hello]>([
    ["t13d1516h2_8daaf6152771_e5627efa2ab1", EXAMPLE],
    // Whatever order, and whatever is drawn for GREASE.
    [
      "t13d1516h2_8daaf6152771_e5627efa2ab1",
      {
        ciphers: [0xfafa, ...EXAMPLE.ciphers!.slice(1).reverse()],
        extensions: EXAMPLE.extensions!.toReversed(),
      },
    ],
    ["t13d1516h2_8daaf6152771_e5627efa2ab1", { ...EXAMPLE, record: 40 }],
    ["t12i010000_0f2cb44170f4_000000000000", { ciphers: [0x1301] }],
    ["ts3i000000_000000000000_000000000000", { version: 0x0300, ciphers: [0x0a0a], extensions: [] }],
    ["t00i000000_000000000000_000000000000", { version: 0x0399, ciphers: [] }],
  ])("%s", (expected, hello) => {
    expect(readClientHello(writeHello(hello))).toEqual({ fingerprint: expected });
  });

  test.each([
    ["h2", "h2"],
    ["stratum+tls", "ss"],
    ["x", "xx"],
    ["\xab", "ab"],
    ["\xab\x01", "a1"],
    ["h\xcd", "6d"],
    ["", "00"],
  ])("the protocol %j is marked %s", (name, mark) => {
    const read = readClientHello(writeHello({ extensions: [alpn(name)] }));
    expect(read).toMatchObject({ fingerprint: expect.stringMatching(new RegExp(`^t12i0101${mark}_`)) });
  });

  test("more than 99 of anything is 99", () => {
    const many = Array.from({ length: 150 }, (_, index) => 0x2000 + index);
    const read = readClientHello(
      writeHello({ ciphers: many, extensions: many.map((type): [number] => [type]) }),
    );
    expect(read).toMatchObject({ fingerprint: expect.stringMatching(/^t12i9999/) });
  });
});

describe("what is no hello, or not yet one", () => {
  const whole = writeHello(EXAMPLE);

  test("every beginning of a hello asks for more than it has, and however it is cut it is the same hello", () => {
    for (let length = 0; length < whole.length; length += 1) {
      const read = readClientHello(whole.subarray(0, length));
      expect("needed" in read && read.needed).toBeGreaterThan(length);
      expect("needed" in read && read.needed).toBeLessThanOrEqual(whole.length);
    }
    const cuts = fc.array(fc.nat({ max: whole.length }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 40, max: 600 }), (places, record) => {
        const bytes = writeHello({ ...EXAMPLE, record });
        const reader = new ClientHelloReader();
        const ends = [...places, bytes.length].sort((one, other) => one - other);
        const answers = ends.map((end, index) =>
          index > 0 && ends[index - 1] === end && end === bytes.length
            ? null
            : reader.push(bytes.subarray(ends[index - 1] ?? 0, end)),
        );
        const last = answers.findLast((answer) => answer !== null && "fingerprint" in answer);
        expect(last).toEqual({ fingerprint: "t13d1516h2_8daaf6152771_e5627efa2ab1" });
      }),
    );
  });

  test.each([
    ["no TLS", Buffer.from('{"id":1}')],
    ["another message", Buffer.from("160301000402000000", "hex")],
    ["an alert", Buffer.from("15030100020228", "hex")],
    ["an empty record", Buffer.from("1603010000", "hex")],
    ["a record too large", Buffer.from("160301ffff", "hex")],
    ["a hello too large", Buffer.from("16030100040100ffff", "hex")],
    ["more records than any client sends", Buffer.concat(Array(17).fill(Buffer.from("160301000101", "hex")))],
    [
      "records that hold more than the largest hello",
      Buffer.concat([
        Buffer.from("160301000401003ffc", "hex"),
        ...Array(13).fill(Buffer.from("16030100017f", "hex")),
        Buffer.from("1603014000", "hex"),
      ]),
    ],
    [
      "bytes behind the extensions",
      Buffer.concat([Buffer.from("160301002d01000029", "hex"), Buffer.alloc(41, 0)]),
    ],
  ])("%s is refused", (_, bytes) => {
    expect(readClientHello(bytes)).toEqual({ reason: "malformed TLS hello" });
  });

  test("any bytes, and a hello damaged anywhere: nothing throws, and what is told is a fingerprint", () => {
    const damaged = fc
      .array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat(255)), { maxLength: 5 })
      .map((damages) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of damages) bytes[at] = value;
        return bytes;
      });
    const random = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => Buffer.concat([Buffer.from("160301", "hex"), bytes]));
    fc.assert(
      fc.property(fc.oneof(damaged, random), fc.integer({ min: 1, max: 700 }), (bytes, step) => {
        const reader = new ClientHelloReader();
        for (let at = 0; at < bytes.length; at += step) {
          const read = reader.push(bytes.subarray(at, at + step));
          if ("needed" in read) continue;
          if ("fingerprint" in read)
            expect(read.fingerprint).toMatch(
              /^t(?:1[0-3]|s[23]|00)[di]\d{4}[0-9A-Za-z]{2}(?:_[0-9a-f]{12}){2}$/,
            );
          return;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("a sender that never finishes is held to the largest hello", () => {
    const reader = new ClientHelloReader();
    let read = reader.push(Buffer.from("160301400001003ff0", "hex"));
    let pushed = 9;
    while ("needed" in read) {
      expect(read.needed).toBeLessThanOrEqual(16_384 + 16 * 5);
      read = reader.push(Buffer.alloc(1000));
      pushed += 1000;
    }
    expect(pushed).toBeLessThan(18_000);
    expect(read).toEqual({ reason: "malformed TLS hello" });
  });
});
