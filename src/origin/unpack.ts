import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** Larger than any database there is. */
const CONTENT_BYTES = 1024 * 1024 * 1024;
const BLOCK = 512;

/**
 * The MMDB inside what a vendor delivers: as it is, compressed (DB-IP: `.mmdb.gz`) or in a compressed archive
 * (MaxMind: `.tar.gz` with the database and its licence in a folder). Throws an Error that says what is wrong with it.
 */
export async function unpackDatabase(delivered: Buffer): Promise<Buffer> {
  let bytes = delivered;
  while (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: CONTENT_BYTES });
    } catch (cause) {
      throw new Error(`cannot be decompressed (${(cause as NodeJS.ErrnoException).code}); is it cut short?`, {
        cause,
      });
    }
  }
  if (bytes.toString("latin1", 257, 262) === "ustar") return fromArchive(bytes);
  const start = bytes.toString("latin1", 0, 64).trimStart();
  if (start.startsWith("<") || start.startsWith("{")) throw new Error("is text, not a database");
  return bytes;
}

/** The first member of a tar archive (POSIX.1-1988 ustar) whose name ends in .mmdb. */
function fromArchive(archive: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    const name = text(header, 0, 100);
    if (name === "") break;
    const size = Number.parseInt(text(header, 124, 12), 8);
    if (!Number.isSafeInteger(size) || checksum(header) !== Number.parseInt(text(header, 148, 8), 8))
      throw new Error("the archive is damaged");
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (name.endsWith(".mmdb")) {
      if (content.length < size) throw new Error("the archive is cut short");
      return content;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error("the archive has no .mmdb in it");
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.toString("latin1", at, at + length);
  return (field.split("\u0000", 1)[0] ?? "").trim();
}

/** The sum of a header's bytes, its own field taken for spaces. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}
