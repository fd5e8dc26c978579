import type { Subject } from "#core/screening.ts";
import { ListError } from "./list-error.ts";
import type { Entry, Parsed } from "./watch-list.ts";

/** By preference; what stands under `name` is the value only where nothing else is. */
const VALUE_COLUMNS = ["value", "address", "wallet", "entry"];
/** As official tables head their wallets: "Virtual currency address / User ID", "wallet_address", "account_id". */
const WALLET_COLUMN = /\b(?:wallet|currency|crypto|account)\b.*\b(?:address|id)\b/;
const NAME_COLUMNS = ["name", "full name"];
const NOTE_COLUMNS = [
  ...["note", "remark", "remarks", "programme", "program", "coin", "currency", "comment", "platform"],
  ...NAME_COLUMNS,
];
/** Stands once for all rows of an order, in the first of them. */
const ORDER_COLUMN = "order id";
const SUBJECTS: readonly Subject[] = ["address", "network", "region", "name"];

/**
 * RFC 4180 with a header; a column named `value` or `address` (or headed as a wallet) is needed, `subject` and a note
 * are taken when there. A name beside an address is its note and an entry of its own, as in Israel's seizure orders.
 */
export function readCsv(text: string, subject: Subject): Parsed {
  const [header = [], ...rows] = csvRows(text);
  const columns = header.map((column) =>
    column
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, " ")
      .trim(),
  );
  const at = (wanted: (column: string) => boolean) =>
    columns.flatMap((column, index) => (wanted(column) ? [index] : []));
  const first = VALUE_COLUMNS.flatMap((name) => at((column) => column === name)).slice(0, 1);
  const wallets = first.length > 0 ? first : at((column) => WALLET_COLUMN.test(column));
  const namesAt = at((column) => NAME_COLUMNS.includes(column));
  const valuesAt = wallets.length > 0 ? wallets : namesAt;
  if (valuesAt.length === 0)
    throw new ListError(`has none of the columns ${[...VALUE_COLUMNS, "name"].join(", ")}`);
  const subjectAt = columns.indexOf("subject");
  const orderAt = columns.indexOf(ORDER_COLUMN);
  const notesAt = at((column) => NOTE_COLUMNS.includes(column)).filter((index) => !valuesAt.includes(index));
  const entries: Entry[] = [];
  let order = "";
  for (const row of rows) {
    const cell = (index: number) => (row[index] ?? "").trim();
    order = cell(orderAt) || order;
    const own = SUBJECTS.find((known) => known === cell(subjectAt).toLowerCase()) ?? subject;
    const note = [order, ...notesAt.map(cell)].filter(Boolean).join("; ");
    const values = new Set(valuesAt.map(cell).filter(Boolean));
    for (const value of values) entries.push({ subject: own, value, note });
    if (own !== "address" || wallets.length === 0) continue;
    for (const name of new Set(namesAt.map(cell)))
      if (/\p{L}/u.test(name))
        entries.push({ subject: "name", value: name, note: [order, ...values].join("; ") });
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
