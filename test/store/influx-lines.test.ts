import fc from "fast-check";
import { expect, test } from "vitest";
import type { MetricRow } from "../../src/core/metrics.ts";
import { decodeName, encodeName, formatFlag, formatRow, formatRows } from "../../src/store/influx-lines.ts";
import { HOSTILE_NAMES } from "../contract/store.ts";
import { aFlag } from "./flags.ts";

const row = (pool: string, values = [1, 2, 3, 4]) => ({
  measurement: "hashrate" as const,
  tags: [pool, "sha256d"],
  level: "1m" as const,
  bucketMs: 60_000,
  values,
});

function format(rows: MetricRow[]) {
  let unfit = 0;
  const count = () => {
    unfit += 1;
  };
  return { batches: [...formatRows(rows, count)], unfit };
}

test("an ordinary name is written as it is", () => {
  expect(formatRow(row("ckpool.org (eu)"))).toBe(
    "hashrate,algorithm=sha256d,pool=ckpool.org\\ (eu) shares=1,work=2,stale=3,rejected=4 60000\n",
  );
});

test("every name comes back, and no line has a control character or an odd backslash", () => {
  const check = (name: string) => {
    const encoded = encodeName(name);
    expect(decodeName(encoded)).toBe(name);
    expect(encoded).not.toMatch(/[\p{Cc}\p{Cs}\\]/u);
    expect(encoded).not.toBe("");
  };
  for (const name of HOSTILE_NAMES) check(name);
  const units = fc.array(fc.nat(0xffff), { maxLength: 50 }).map((all) => String.fromCharCode(...all));
  fc.assert(fc.property(units, check), { numRuns: 500 });
  const tricky = fc.string({
    unit: fc.constantFrom("%", "0", "a", "\\", "\n", ",", " ", "\ud83d", "\ude00"),
  });
  fc.assert(fc.property(tricky, check), { numRuns: 500 });
});

test("what is no number is left out, and a row without one or too long for InfluxDB is counted", () => {
  expect(formatRow(row("p", [1, Number.NaN, Number.POSITIVE_INFINITY, 1e300]))).toBe(
    "hashrate,algorithm=sha256d,pool=p shares=1,rejected=1e+300 60000\n",
  );
  const { batches, unfit } = format([row("p", [Number.NaN]), row("⛏".repeat(30_000)), row("p")]);
  expect([batches.length, batches[0]?.points, unfit]).toEqual([1, 1, 2]);
});

test("batches are bounded by points and by size, and keep their levels apart", () => {
  const many = Array.from({ length: 12_000 }, (_, index) => row(`p${index}`));
  const hours = many.slice(0, 10).map((minute) => ({ ...minute, level: "1h" as const }));
  expect(format([...hours, ...many]).batches.map(({ level, points }) => [level, points])).toEqual([
    ["1m", 5000],
    ["1m", 5000],
    ["1m", 2000],
    ["1h", 10],
  ]);
  const long = Array.from({ length: 500 }, (_, index) => row(`${index}${"x".repeat(10_000)}`));
  for (const { text } of format(long).batches) expect(text.length).toBeLessThanOrEqual(4 * 1024 * 1024);
});

test("an annotation escapes what would end its text or its link", () => {
  const flag = aFlag({
    id: 'a"b/c',
    account: '<script>alert("x")</script>\n\\',
    reasons: [{ code: "r", family: "fleet", text: "<b>1</b>\n2", weight: 1, evidence: [] }],
  });
  const { text, precision } = formatFlag(flag, "http://127.0.0.1:7070/");
  expect(precision).toBe("u");
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(text).toContain('id="a\\"b/c"');
  expect(text).toContain('&#60;b&#62;1&#60;/b&#62; 2 <a href=\\"http://127.0.0.1:7070/flags/a%22b%2Fc\\">');
  expect(formatFlag(flag, "http://127.0.0.1:7070/").text).toBe(text);
});
