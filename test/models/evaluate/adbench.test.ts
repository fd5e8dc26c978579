import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averagePrecision } from "../../../models/evaluate/average-precision.ts";
import { readNpz } from "../../../models/evaluate/npz.ts";

/** A .npy member as NumPy writes it. */
function npy(descr: string, shape: string, body: Buffer, fortran = "False"): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`.padEnd(117);
  const head = Buffer.alloc(10);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(text.length + 1, 8);
  return Buffer.concat([head, Buffer.from(`${text}\n`), body]);
}

/** A zip archive of one member, deflated or stored. */
function zip(name: string, content: Buffer, stored = false): Buffer {
  const packed = stored ? content : deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(stored ? 0 : 8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(content.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
}

const doubles = (values: readonly number[]) => Buffer.from(Float64Array.from(values).buffer);

describe("an .npz file", () => {
  test.each([true, false])("gives its numbers row by row (stored: %s)", (stored) => {
    const content = npy("<f8", "2, 3", doubles([1, 2, 3, 4, 5, -0.5]));
    expect(readNpz(zip("X.npy", content, stored)).get("X")).toEqual({
      shape: [2, 3],
      data: Float64Array.from([1, 2, 3, 4, 5, -0.5]),
    });
  });

  test("in column order is turned, and small integers are numbers", () => {
    const turned = readNpz(zip("X.npy", npy("<f8", "2, 3", doubles([1, 4, 2, 5, 3, 6]), "True"))).get("X");
    expect([...(turned?.data ?? [])]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([
      ...(readNpz(zip("y.npy", npy("|u1", "3,", Buffer.from([0, 1, 255])))).get("y")?.data ?? []),
    ]).toEqual([0, 1, 255]);
    const long = Buffer.from(BigInt64Array.from([-7n, 9n]).buffer);
    expect([...(readNpz(zip("y.npy", npy("<i8", "2,", long))).get("y")?.data ?? [])]).toEqual([-7, 9]);
  });

  test("that is none, is cut off or holds something else is refused by name", () => {
    expect(() => readNpz(Buffer.from("no zip"))).toThrow("npz");
    expect(() => readNpz(zip("X.npy", Buffer.from("text, not an array")))).toThrow("X.npy is no .npy");
    expect(() => readNpz(zip("X.npy", npy("<f8", "4,", doubles([1, 2, 3]))))).toThrow("X.npy is cut off");
    expect(() => readNpz(zip("X.npy", npy("|O", "1,", doubles([1]))))).toThrow("X.npy holds |O");
  });

  test("of any damaged bytes gives arrays or an error, and never hangs", () => {
    const whole = zip("X.npy", npy("<f8", "2, 3", doubles([1, 2, 3, 4, 5, 6])));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        try {
          expect(readNpz(damaged)).toBeInstanceOf(Map);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe("average precision", () => {
  test("is the mean precision at the rows to find", () => {
    expect(averagePrecision([4, 3, 2, 1], [1, 0, 1, 0])).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(averagePrecision([1, 2, 3, 4], [0, 0, 0, 1])).toBe(1);
  });

  test("takes rows of one score together, in whatever order they come", () => {
    expect(averagePrecision([1, 1, 1, 1], [0, 1, 0, 0])).toBe(0.25);
    expect(averagePrecision([1, 1, 1, 1], [0, 0, 0, 1])).toBe(0.25);
  });

  test("with weights is that of as many rows repeated", () => {
    const row = fc.record({
      score: fc.nat(5),
      positive: fc.boolean(),
      weight: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        fc.pre(rows.some(({ positive }) => positive));
        const repeated = rows.flatMap((one) => Array.from({ length: one.weight }, () => one));
        const of = (some: typeof rows) =>
          [some.map(({ score }) => score), some.map(({ positive }) => (positive ? 1 : 0))] as const;
        const weighted = averagePrecision(
          ...of(rows),
          rows.map(({ weight }) => weight),
        );
        expect(weighted).toBeCloseTo(averagePrecision(...of(repeated)), 9);
      }),
    );
  });

  test("has no answer for a missing score or nothing to find", () => {
    expect(() => averagePrecision([Number.NaN, 1], [0, 1])).toThrow("row 0 has no score");
    expect(() => averagePrecision([1, 2], [0, 0])).toThrow("nothing to find");
  });
});
