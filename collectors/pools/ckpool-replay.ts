import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Batch } from "#core/collector.ts";
import { LineSplitter } from "#core/lines.ts";
import { CHUNK_BYTES, decodeChunk, type FileProgress, MAX_LINE_BYTES } from "./ckpool-decode.ts";

/**
 * Reads share logs once, in event time: a file, or a directory with all `.sharelog` files below it in order of their
 * ids. Refusals are placed by "file:line". Throws when something cannot be read; closes what it opened.
 */
export async function* readCkpoolFile(
  path: string,
  names: { pool: string; algorithm: string },
): AsyncGenerator<Batch> {
  const context = { ...names, nowMs: Number.POSITIVE_INFINITY };
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (const file of await filesOf(path)) {
    const progress: FileProgress = { file, lines: new LineSplitter(MAX_LINE_BYTES), lastMs: 0 };
    await using handle = await open(file);
    for (let last = false; !last; ) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length);
      last = bytesRead === 0;
      yield decodeChunk(progress, chunk.subarray(0, bytesRead), context, last);
    }
  }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  const files = names.filter((name) => name.endsWith(".sharelog")).map((name) => join(path, name));
  const keyed = files.map((file) => ({ file, id: basename(file, ".sharelog").padStart(16, "0") }));
  return keyed
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.file < b.file ? -1 : 1))
    .map(({ file }) => file);
}
