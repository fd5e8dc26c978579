import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { LineSplitter } from "#core/lines.ts";
import { decodeChunk, MAX_LINE_BYTES } from "./ckpool-decode.ts";
import { createTree } from "./ckpool-tree.ts";

/** Read of the newest file. */
const BYTES = 65_536;

/** Looks at the share logs. Resolves to what was found, rejects with what is wrong. */
export async function checkCkpool({ directory }: { directory: string }): Promise<string> {
  const { files } = await createTree(directory, Date.now).list("");
  const newest = files.at(-1);
  if (newest === undefined)
    throw new Error(`${directory} holds no <height>/<workinfoid>.sharelog; does ckpool run with -L?`);
  const path = join(directory, `${newest}.sharelog`);
  await using handle = await open(path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(BYTES), 0, BYTES, 0);
  const progress = { file: newest, lines: new LineSplitter(MAX_LINE_BYTES), lastMs: 0 };
  const context = { pool: "check", algorithm: "sha256d", nowMs: Number.POSITIVE_INFINITY };
  const { observations, refusals } = decodeChunk(progress, buffer.subarray(0, bytesRead), context);
  const refused = refusals?.[0];
  if (observations.length === 0 && refused !== undefined) {
    throw new Error(`${path} holds no shares: ${refused.place} ${refused.reason}`);
  }
  const { mtime } = await stat(path);
  return `${files.length} share logs, the newest (${newest}) written at ${mtime.toISOString()}`;
}
