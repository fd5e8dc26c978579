import type { Figure, Finding, Table } from "./figure.ts";
import { formatNumber } from "./format-number.ts";
import { escapeText, plotSvg } from "./plot-svg.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --good: #00734f; --bad: #b3380a; }
@media (prefers-color-scheme: dark) { :root { --good: #4fc79b; --bad: #ff8a5c; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: left; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
.note { opacity: .8; }
svg { width: 100%; max-width: 720px; background: #fff; border: 1px solid var(--line); }
svg text { font: 12px system-ui, sans-serif; fill: #222; }
svg .grid { stroke: #ddd; }`;

function cell(value: string | number): string {
  return typeof value === "number"
    ? `<td class="number">${formatNumber(value)}</td>`
    : `<td>${escapeText(value)}</td>`;
}

function note(text: string | undefined): string {
  return text ? `<p class="note">${escapeText(text)}</p>` : "";
}

function figureRow({ figure, value, unit, low, high, target, met, note: said }: Figure): string {
  const interval =
    low === undefined || high === undefined ? "" : `${formatNumber(low)} to ${formatNumber(high)}`;
  const verdict =
    target === undefined
      ? "<td></td>"
      : `<td class="${met ? "met" : "missed"}">${escapeText(target)} ${met ? "met" : "missed"}</td>`;
  return `<tr><td><code>${escapeText(figure)}</code></td>${cell(value)}<td>${escapeText(unit)}</td><td>${interval}</td>${verdict}<td>${escapeText(said ?? "")}</td></tr>`;
}

function tableHtml(table: Table): string {
  const head = table.columns.map((column) => `<th>${escapeText(column)}</th>`).join("");
  const rows = table.rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `<h3>${escapeText(table.table)}</h3><table><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table>${note(table.note)}`;
}

function section(part: string, findings: readonly Finding[]): string {
  const figures = findings.filter((finding) => "figure" in finding);
  const rest = findings.map((finding) => {
    if ("table" in finding) return tableHtml(finding);
    if ("plot" in finding)
      return `<h3>${escapeText(finding.plot)}</h3>${plotSvg(finding)}${note(finding.note)}`;
    return "";
  });
  return `<section><h2>${escapeText(part)}</h2>
<table><thead><tr><th>figure</th><th>value</th><th>unit</th><th>95 % interval</th><th>target</th><th></th></tr></thead><tbody>
${figures.map(figureRow).join("\n")}
</tbody></table>
${rest.join("\n")}</section>`;
}

/**
 * One page that stands alone: figures, tables and plots of every part, no script and nothing loaded from elsewhere.
 * `subtitle` says what was evaluated and when.
 */
export function htmlReport(subtitle: string, parts: ReadonlyMap<string, readonly Finding[]>): string {
  const sections = [...parts].map(([part, findings]) => section(part, findings));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Assay: evaluation</title><style>${STYLE}</style></head><body>
<h1>Assay: evaluation</h1><p class="note">${escapeText(subtitle)}</p>
${sections.join("\n")}
</body></html>
`;
}
