import { createHash } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { Subject } from "#core/screening.ts";
import { type Format, readList } from "./formats.ts";
import { ListError } from "./list-error.ts";
import { readSanctionsXml } from "./sanctions-xml.ts";
import { type WatchList, watchList } from "./watch-list.ts";

/** A list in a file. */
export interface ListFile {
  name: string;
  /** Absolute path; a name that ends in `.gz` is decompressed. */
  file: string;
  /** `xml`: an official sanction list, told by its root element. */
  format: Format | "xml";
  /** What its entries are where the file does not say. Wallet addresses unless said. */
  subject?: Subject | undefined;
  /** Where the file came from, if not from the operator. */
  source?: string | undefined;
}

/** Larger than any list of the kinds that are read whole; the stream of XML may be longer. */
const WHOLE_BYTES = 256 * 1024 * 1024;

/** Reads a list. Throws a ListError with the list's name, the file and what is wrong with it. */
export async function readListFile(list: ListFile): Promise<WatchList> {
  const { name, file, format, subject, source = file } = list;
  const hash = createHash("sha256");
  const content = createReadStream(file);
  const chunks = hashing(file.endsWith(".gz") ? decompressed(content) : content, hash);
  try {
    const parsed =
      format === "xml" ? await readSanctionsXml(chunks) : readList(format, await whole(chunks), subject);
    if (parsed.entries.length === 0) throw new ListError("has no entries");
    return watchList(name, source, hash.digest("hex"), parsed);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new ListError(`list ${name}: ${file}: ${reason}`, { cause });
  }
}

/** Passes an error of the file on to whoever reads, as `pipe` alone would not. */
function decompressed(content: ReadStream): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  content.on("error", (error) => gunzip.destroy(error));
  return content.pipe(gunzip);
}

async function* hashing(
  chunks: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncIterable<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function whole(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > WHOLE_BYTES) throw new ListError(`is larger than ${WHOLE_BYTES} bytes`);
    parts.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new ListError("is not UTF-8");
  }
}
