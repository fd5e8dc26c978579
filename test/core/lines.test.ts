import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "#core/lines.ts";
import type { Refusal } from "#core/observation.ts";
import { MAX_REFUSALS, refuse } from "#core/refusals.ts";

/** Feeds the bytes in the given pieces and returns what came out, by line number. */
function split(bytes: Uint8Array, cuts: number[], maxLineBytes: number): Map<number, string> {
  const splitter = new LineSplitter(maxLineBytes);
  const out = new Map<number, string>();
  const onLine = (text: string, line: number) => void out.set(line, `ok ${text}`);
  const onBad = (reason: string, line: number) => void out.set(line, `bad ${reason}`);
  let from = 0;
  const reused = Buffer.alloc(bytes.length);
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // The same buffer every time: what the splitter holds must be its own.
    const length = cut - from;
    reused.set(bytes.subarray(from, cut), 0);
    splitter.push(reused.subarray(0, length), onLine, onBad);
    from = cut;
  }
  splitter.end(onLine, onBad);
  return out;
}

test("lines come out the same however the bytes are cut", () => {
  const lines = fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", "")));
  fc.assert(
    fc.property(lines, fc.array(fc.nat()), (texts, cuts) => {
      const bytes = Buffer.from(texts.join("\n"));
      const whole = bytes.toString().split("\n");
      const expected = new Map(whole.map((text, index) => [index + 1, `ok ${text}`]));
      if (whole.at(-1) === "") expected.delete(whole.length);
      expect(split(bytes, cuts, 10_000)).toEqual(expected);
    }),
  );
});

test("hostile bytes never throw, and each line is handed over or refused once", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat()),
      fc.integer({ min: 1, max: 40 }),
      (bytes, cuts, max) => {
        const out = split(bytes, cuts, max);
        const newlines = bytes.filter((byte) => byte === 10).length;
        const tail = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0;
        expect([...out.keys()]).toEqual(Array.from({ length: newlines + tail }, (_, index) => index + 1));
        let start = 0;
        for (const [line, result] of out) {
          const end = line <= newlines ? bytes.indexOf(10, start) : bytes.length;
          if (end - start > max) expect(result).toBe(`bad line longer than ${max} bytes`);
          else expect(result.startsWith("ok") || result === "bad not UTF-8").toBe(true);
          start = end + 1;
        }
      },
    ),
  );
});

test("broken UTF-8 is refused, a true U+FFFD is not", () => {
  const out = split(
    Buffer.concat([Buffer.from("a\uFFFD\n"), Buffer.from([0x61, 0xff, 0x0a]), Buffer.from("é")]),
    [],
    100,
  );
  expect([...out.values()]).toEqual(["ok a\uFFFD", "bad not UTF-8", "ok é"]);
});

test("of an oversized line nothing is held, and the place of its start is known", () => {
  const splitter = new LineSplitter(10, 5);
  const bad: [string, number][] = [];
  const onBad = (reason: string, line: number) => void bad.push([reason, line]);
  const never = () => expect.unreachable();
  for (let round = 0; round < 1000; round += 1) splitter.push(Buffer.alloc(1000, 120), never, onBad);
  expect(splitter.pendingBytes).toBe(1_000_000);
  splitter.push(Buffer.from("\n"), never, onBad);
  expect(splitter.pendingBytes).toBe(0);
  expect(bad).toEqual([["line longer than 10 bytes", 6]]);
});

test("beyond a hundred refusals, only their number grows", () => {
  const refusals: Refusal[] = [];
  refuse(refusals, "first", "f:1");
  for (let line = 2; line <= 1001; line += 1) refuse(refusals, "second", `f:${line}`);
  refuse(refusals, "first", "f:2000");
  refuse(refusals, "third", "f:2001");
  expect(refusals).toHaveLength(MAX_REFUSALS);
  expect(refusals[0]).toEqual({ reason: "first", place: "f:1", count: 2 });
  expect(refusals.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1003);
});
