import type { Figure, Finding, Table } from "./figure.ts";
import { formatNumber } from "./format-number.ts";

/** One line: name, value, unit, interval, target and whether it was met. A missed target says so. */
function figureLine(figure: Figure): string {
  const { value, unit, low, high, target, met, note } = figure;
  const interval =
    low === undefined || high === undefined ? "" : `[${formatNumber(low)}, ${formatNumber(high)}]`;
  const aim = target === undefined ? "" : `${target} ${met ? "met" : "MISSED"}`;
  const columns = [
    figure.figure.padEnd(36),
    formatNumber(value).padStart(12),
    unit.padEnd(22),
    interval.padEnd(20),
    aim.padEnd(16),
    note ?? "",
  ];
  return columns.join("  ").trimEnd();
}

/** Columns as wide as their widest cell, numbers to the right, under a title. */
function tableLines(table: Table): string[] {
  const cells = table.rows.map((row) =>
    row.map((cell) => (typeof cell === "number" ? formatNumber(cell) : cell)),
  );
  const widths = table.columns.map((column, index) =>
    Math.max(column.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const align = (row: readonly string[], types: readonly (string | number)[]) =>
    row
      .map((cell, index) =>
        typeof types[index] === "number"
          ? cell.padStart(widths[index] ?? 0)
          : cell.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const first = table.rows[0] ?? [];
  return [
    "",
    table.table,
    align(table.columns, first),
    widths.map((width) => "─".repeat(width)).join("  "),
    ...cells.map((row, index) => align(row, table.rows[index] ?? [])),
    ...(table.note ? [table.note] : []),
    "",
  ];
}

/** A finding as aligned text; a plot has none. */
export function findingText(finding: Finding): string {
  if ("figure" in finding) return `${figureLine(finding)}\n`;
  if ("table" in finding) return `${tableLines(finding).join("\n")}\n`;
  return "";
}

/** The figures among the findings, one JSON object a line. */
export function figureLines(part: string, findings: readonly Finding[]): string {
  return findings
    .filter((finding) => "figure" in finding)
    .map((figure) => `${JSON.stringify({ evaluate: part, ...figure })}\n`)
    .join("");
}
