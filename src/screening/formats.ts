import type { Subject } from "#core/screening.ts";
import { ListError } from "./list-error.ts";
import { readCsv } from "./read-csv.ts";
import { readJson } from "./read-json.ts";
import type { Entry, Parsed } from "./watch-list.ts";

/** Formats of an operator's own lists. */
export type Format = "text" | "csv" | "json";

/** Reads a list's text. `subject` is what its entries are where the list does not say. Throws a ListError. */
export function readList(format: Format, text: string, subject: Subject = "address"): Parsed {
  // A file cut off in the middle of a character, or one that is no text, must not pass for a list.
  if (text.includes("\u0000")) throw new ListError("is not a text file");
  switch (format) {
    case "text":
      return readText(text, subject);
    case "csv":
      return readCsv(text, subject);
    case "json":
      return readJson(text, subject);
  }
}

/** One value a line; `#` starts a comment, which is kept as the note. */
function readText(text: string, subject: Subject): Parsed {
  const entries: Entry[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [value = "", ...note] = line.split("#");
    if (value.trim() !== "") entries.push({ subject, value: value.trim(), note: note.join("#").trim() });
  }
  return { entries, publishedAt: "" };
}
