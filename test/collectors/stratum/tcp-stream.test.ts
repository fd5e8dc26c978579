import fc from "fast-check";
import { expect, test } from "vitest";
import { TcpStream } from "../../../collectors/stratum/tcp-stream.ts";

interface Piece {
  from: number;
  to: number;
}

/** A stream cut into segments, some sent twice in other cuts, and shuffled within a few places. */
const scenario = fc.record({
  length: fc.integer({ min: 1, max: 400 }),
  start: fc.constantFrom(0, 5, 2 ** 31 - 50, 2 ** 32 - 50, 2 ** 32 - 1),
  cuts: fc.array(fc.nat(), { maxLength: 20 }),
  again: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 8 }),
  swaps: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 5 })), { maxLength: 20 }),
});

function segments({
  length,
  cuts,
  again,
  swaps,
}: typeof scenario extends fc.Arbitrary<infer T> ? T : never): Piece[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % length), length])].sort((a, b) => a - b);
  const pieces = places.slice(1).map((to, index) => ({ from: places[index]!, to }));
  for (const [at, size] of again) {
    const from = at % length;
    pieces.splice(at % (pieces.length + 1), 0, { from, to: Math.min(from + 1 + (size % 60), length) });
  }
  for (const [at, distance] of swaps) {
    const one = at % pieces.length;
    const other = Math.min(one + distance, pieces.length - 1);
    [pieces[one], pieces[other]] = [pieces[other]!, pieces[one]!];
  }
  return pieces;
}

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 255));

test("repeated and reordered segments come out once and in order, over the wrap of the numbers", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const bytes = bytesOf(given.length);
      const stream = new TcpStream<null>();
      stream.start(given.start);
      const out = segments(given).flatMap(({ from, to }) =>
        stream.push((given.start + 1 + from) >>> 0, bytes.subarray(from, to), to - from, null),
      );
      expect(out.every((piece) => piece.bytes !== null)).toBe(true);
      expect(Buffer.concat(out.map((piece) => piece.bytes!)).equals(bytes)).toBe(true);
    }),
  );
});

test("a segment that was never recorded leaves one gap, told when the receiver acknowledges it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.boolean(), (lost, acknowledged) => {
      const bytes = bytesOf(100);
      const stream = new TcpStream<null>();
      stream.start(9);
      const out = [];
      for (let index = 0; index < 10; index += 1) {
        const from = index * 10;
        if (index !== lost) out.push(...stream.push(10 + from, bytes.subarray(from, from + 10), 10, null));
        if (acknowledged) out.push(...stream.acknowledge(10 + from + 10));
      }
      out.push(...stream.end());
      expect(out.filter((piece) => piece.bytes === null)).toHaveLength(1);
      const gap = out.findIndex((piece) => piece.bytes === null);
      expect(Buffer.concat(out.slice(0, gap).map((piece) => piece.bytes!))).toEqual(
        bytes.subarray(0, lost * 10),
      );
      expect(Buffer.concat(out.slice(gap + 1).map((piece) => piece.bytes!))).toEqual(
        bytes.subarray(lost * 10 + 10),
      );
    }),
  );
});

test("what waits behind a hole is bounded", () => {
  const stream = new TcpStream<null>();
  stream.start(0);
  const out = [];
  for (let index = 1; index <= 65; index += 1)
    out.push(...stream.push(1 + index * 10, bytesOf(10), 10, null));
  expect(out[0]!.bytes).toBeNull();
  expect(out).toHaveLength(66);
});

test("a packet cut short by the capture leaves a gap after what was recorded", () => {
  const stream = new TcpStream<null>();
  stream.start(0);
  expect(stream.push(1, bytesOf(4), 10, null).map((piece) => piece.bytes?.length ?? null)).toEqual([4, null]);
  expect(stream.push(11, bytesOf(3), 3, null).map((piece) => piece.bytes?.length)).toEqual([3]);
});
