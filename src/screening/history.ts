import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const kept = z.object({
  version: z.string(),
  hash: z.string(),
  publishedAt: z.string(),
  /** When Assay took it into use, RFC 3339. */
  takenAt: z.string(),
  source: z.string(),
  /** What its kind counts: entries of a list, nodes of a database. */
  entries: z.number(),
  added: z.number(),
  removed: z.number(),
  /** The entries that went, so that a withdrawn flag can say so; at most 1,000, `removed` has the number. */
  removedValues: z.array(z.string()),
});
/** One version of a list that was in use. */
export type Kept = z.infer<typeof kept>;

const book = z.object({
  /** Oldest first. */
  versions: z.array(kept),
  /** What the server said of the last content, to ask only for changes. */
  etag: z.string(),
  lastModified: z.string(),
  /** The last check that reached the source, whether anything had changed or not; RFC 3339, "" for never. */
  checkedAt: z.string(),
  /** Why the last check came to nothing, "" when it did not. */
  lastError: z.string(),
});
/** What is known of one list over time. */
export type Book = z.infer<typeof book>;

const BLANK: Book = { versions: [], etag: "", lastModified: "", checkedAt: "", lastError: "" };

/** Reads a list's book; a blank one when there is none yet. Throws when it is there and damaged. */
export async function readBook(directory: string): Promise<Book> {
  const file = join(directory, "history.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return BLANK;
    throw error;
  }
  try {
    return book.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file}: is damaged; move it away to start anew`, { cause });
  }
}

/** Writes a list's book; a crash leaves the old one or the new one. */
export async function writeBook(directory: string, content: Book): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, "history.json");
  await writeFile(`${file}.new`, `${JSON.stringify(content, null, 1)}\n`, { flush: true });
  await rename(`${file}.new`, file);
}
