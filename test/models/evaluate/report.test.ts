import fc from "fast-check";
import { expect, test } from "vitest";
import { type Finding, judged, meanInterval } from "../../../models/evaluate/figure.ts";
import { formatNumber } from "../../../models/evaluate/format-number.ts";
import { htmlReport } from "../../../models/evaluate/html-report.ts";
import { figureLines, findingText } from "../../../models/evaluate/text-report.ts";

const FINDINGS: Finding[] = [
  judged(
    { figure: "change.delay_over_bound", value: 1.131, unit: "× bound", low: 1.1, high: 1.2 },
    { atMost: 1.15 },
  ),
  judged({ figure: "adbench.autoencoder", value: 0.38, unit: "AUCPR" }, { above: 0.394 }),
  {
    table: "Delays",
    columns: ["detector", "ρ = 0"],
    rows: [
      ["FOCuS", 13.04],
      ["<window>", 37],
    ],
    note: "Seeded.",
  },
  {
    plot: "Delay & bound",
    x: { label: "ρ" },
    y: { label: "delay", log: true },
    lines: [
      {
        name: "FOCuS",
        points: [
          [0, 13],
          [0.5, 71],
          [1, 0],
          [2, 28],
        ],
      },
    ],
  },
];

test("a figure is one line with interval, target and whether it was met", () => {
  const [met, missed] = FINDINGS.map(findingText);
  expect(met).toMatch(/^change\.delay_over_bound +1\.13 +× bound +\[1\.10, 1\.20\] +≤ 1\.15 met\n$/);
  expect(missed).toMatch(/0\.380 +AUCPR +> 0\.394 MISSED\n$/);
});

test("a table has columns as wide as their widest cell, numbers to the right", () => {
  const lines = findingText(FINDINGS[2] as Finding).split("\n");
  expect(lines).toContain("detector  ρ = 0");
  expect(lines).toContain("FOCuS      13.0");
  expect(lines).toContain("<window>     37");
  expect(lines).toContain("Seeded.");
});

test("figures are JSON lines; tables and plots are not", () => {
  const lines = figureLines("change", FINDINGS)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEqual({
    evaluate: "change",
    figure: "change.delay_over_bound",
    value: 1.131,
    unit: "× bound",
    low: 1.1,
    high: 1.2,
    target: "≤ 1.15",
    met: true,
  });
});

test("the page stands alone, escapes what it prints and leaves out what a logarithmic axis cannot show", () => {
  const page = htmlReport("seed <1>", new Map([["change", FINDINGS]]));
  expect(page).toContain("seed &#60;1&#62;");
  expect(page).toContain("<td>&#60;window&#62;</td>");
  expect(page).not.toMatch(/(src|href)=|<script|url\(|NaN|Infinity/);
  expect(page.match(/<polyline[^>]*points="([^"]*)"/)?.[1]?.split(" ")).toHaveLength(3);
  expect(page).toContain('class="missed"');
});

test("plots of any points are drawn with finite coordinates", () => {
  const points = fc.array(
    fc.tuple(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    ),
  );
  fc.assert(
    fc.property(points, fc.boolean(), (drawn, log) => {
      const plot: Finding = {
        plot: "any",
        x: { label: "x" },
        y: { label: "y", log },
        lines: [{ name: "line", points: drawn }],
      };
      expect(htmlReport("", new Map([["part", [plot]]]))).not.toMatch(/NaN|Infinity/);
    }),
  );
});

test("numbers keep three digits, and an interval holds its mean", () => {
  expect([1234567, 0.00012, 13.04, 2, 0].map(formatNumber)).toEqual([
    "1,234,567",
    "1.2e-4",
    "13.0",
    "2",
    "0",
  ]);
  const { value, low, high } = meanInterval([1, 2, 3, 4]);
  expect(value).toBe(2.5);
  expect(high - value).toBeCloseTo(1.96 * Math.sqrt(5 / 3 / 4), 9);
  expect(value - low).toBeCloseTo(high - value, 9);
});
