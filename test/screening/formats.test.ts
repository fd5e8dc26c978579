import fc from "fast-check";
import { expect, test } from "vitest";
import { type Format, readList } from "../../src/screening/formats.ts";
import { ListError } from "../../src/screening/list-error.ts";

const values = (format: Format, text: string) => readList(format, text).entries.map(({ value }) => value);

test("text: one value a line, comments kept as notes, nothing dropped for its looks", () => {
  const list = readList("text", "\ufeff\n# head\r\n 1abc # found by us\r\nnot an address\n\n");
  expect(list.entries).toEqual([
    { subject: "address", value: "1abc", note: "found by us" },
    { subject: "address", value: "not an address", note: "" },
  ]);
});

test("csv: columns by name, quotes, subjects", () => {
  const text = 'Coin,Address,Remarks,Subject\r\nXBT,"1a,b","said ""x""\nthen y",\r\n,KP,,region\n';
  expect(readList("csv", text).entries).toEqual([
    { subject: "address", value: "1a,b", note: 'XBT; said "x"\nthen y' },
    { subject: "region", value: "KP", note: "" },
  ]);
  expect(() => readList("csv", "a,b\n1,2")).toThrow(ListError);
  expect(() => readList("csv", 'address\n"1a')).toThrow("row 2: a quote is never closed");
});

test("csv: what is written is what is read", () => {
  const field = fc.string({ unit: fc.constantFrom(..."a1 ,\"'\n") }).map((text) => `x${text}x`);
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), fc.constantFrom("\n", "\r\n"), (fields, end) => {
      const rows = fields.map((value) => `"${value.replaceAll('"', '""')}",n`);
      expect(values("csv", ["value,note", ...rows].join(end))).toEqual(fields);
    }),
  );
});

test("json: texts, objects, or an object with entries", () => {
  expect(values("json", '["1a", {"address":"1b","coin":"XBT"}]')).toEqual(["1a", "1b"]);
  const dated = readList("json", '{"publishedAt":"2024-09-27","entries":[{"name":"X","subject":"name"}]}');
  expect(dated).toEqual({ publishedAt: "2024-09-27", entries: [{ subject: "name", value: "X", note: "" }] });
  for (const text of ['["1a"', "{}", '[{"note":"x"}]', "3"])
    expect(() => readList("json", text), text).toThrow(ListError);
});

test("hostile bytes give entries or a ListError, never another error", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Format>("text", "csv", "json"),
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.json(),
        fc.string({ unit: fc.constantFrom(..."\"',\n[{:}]a") }),
      ),
      (format, text) => {
        try {
          for (const { value } of readList(format, text).entries) expect(value.trim()).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(ListError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
