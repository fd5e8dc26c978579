import type { Subject } from "#core/screening.ts";
import { ListError } from "./list-error.ts";
import type { Entry, Parsed } from "./watch-list.ts";

const VALUE_COLUMNS = ["value", "address", "wallet", "name", "entry"];
const NOTE_COLUMNS = ["note", "remark", "remarks", "programme", "program", "coin", "currency", "comment"];
const SUBJECTS: readonly Subject[] = ["address", "network", "region", "name"];

/** RFC 4180 with a header; a column named `value` or `address` is needed, `subject` and a note are taken when there. */
export function readCsv(text: string, subject: Subject): Parsed {
  const [header = [], ...rows] = csvRows(text);
  const columns = header.map((column) => column.trim().toLowerCase());
  const valueAt = VALUE_COLUMNS.map((name) => columns.indexOf(name)).find((index) => index >= 0);
  if (valueAt === undefined) throw new ListError(`has none of the columns ${VALUE_COLUMNS.join(", ")}`);
  const subjectAt = columns.indexOf("subject");
  const notesAt = columns.flatMap((name, index) => (NOTE_COLUMNS.includes(name) ? [index] : []));
  const entries: Entry[] = [];
  for (const row of rows) {
    const value = (row[valueAt] ?? "").trim();
    if (value === "") continue;
    const own = SUBJECTS.find((known) => known === row[subjectAt]?.trim().toLowerCase());
    const note = notesAt.map((index) => row[index]?.trim()).filter(Boolean);
    entries.push({ subject: own ?? subject, value, note: note.join("; ") });
  }
  return { entries, publishedAt: "" };
}

/** Rows of fields; quotes may hold separators, line ends and doubled quotes. Throws when a quote is never closed. */
function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      let from = at + 1;
      for (;;) {
        const quote = text.indexOf('"', from);
        if (quote < 0) throw new ListError(`row ${rows.length + 1}: a quote is never closed`);
        field += text.slice(from, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        field += '"';
        from = at + 1;
      }
    }
    const end = nextOf(text, at);
    field += text.slice(at, end);
    row.push(field.endsWith("\r") && text[end] !== "," ? field.slice(0, -1) : field);
    if (text[end] !== ",") {
      rows.push(row);
      row = [];
    } else if (end + 1 === text.length) {
      row.push("");
    }
    at = end + 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** Where the field that goes on at `at` ends: a comma, a line end or the end of the text. */
function nextOf(text: string, at: number): number {
  for (let index = at; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 44 || code === 10) return index;
  }
  return text.length;
}
