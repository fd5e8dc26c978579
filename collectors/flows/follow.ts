import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Batch, Collector } from "#core/collector.ts";
import { LineSplitter } from "#core/lines.ts";
import type { Flow, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import type { ParseLine } from "./log-lines.ts";

/** Read at once, and so the size of a batch: some 500 lines. */
const CHUNK_BYTES = 256 * 1024;
/** Longest line read. Suricata's longest, alerts with their payload, are configured to less. */
const MAX_LINE_BYTES = 256 * 1024;

const GONE = "the file read last is no longer in its folder; what it still held was not read";

/** How a sensor's log is followed. */
export interface FollowOptions {
  name: string;
  /** The file the sensor writes to; it may be renamed, truncated and made anew, or not be there yet. */
  file: string;
  /** A fresh parser for each file. */
  parser: () => ParseLine;
  /** How often a file that has ended is looked at again. */
  pollMs: number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Which file, by its inode because its name changes, and how far: after the last whole line. */
const place = z.object({ inode: z.number(), offset: z.number().min(0), lines: z.number().min(0) });
type Place = z.infer<typeof place>;

/**
 * Follows a log over renames and truncation. The cursor names the file by inode: after a restart the rest of a file
 * renamed meanwhile is found in its folder and read first. Throws with its name when a file cannot be read.
 */
export function createFollower({ name, file, parser, pollMs, sleep }: FollowOptions): Collector {
  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    let from = cursor === undefined ? undefined : place.parse(JSON.parse(cursor));
    try {
      if (from && (await inodeOf(file)) !== from.inode) {
        const renamed = await findInode(dirname(file), from.inode);
        if (renamed) yield* readFile(renamed, from, signal, true);
        else yield { observations: [], refusals: [{ reason: GONE, place: `${file}:${from.lines}` }] };
        from = undefined;
      }
      while (!signal.aborted) {
        if ((await inodeOf(file)) === undefined) await sleep(pollMs, signal);
        else yield* readFile(file, from, signal, false);
        from = undefined;
      }
    } catch (cause) {
      throw new Error(`${name}: ${file} cannot be read`, { cause });
    }
  }

  /** Reads one file to its end; that is when it has been renamed, deleted or truncated, or at once when `finished`. */
  async function* readFile(
    path: string,
    from: Place | undefined,
    signal: AbortSignal,
    finished: boolean,
  ): AsyncGenerator<Batch> {
    await using handle = await open(path);
    const { ino: inode, size } = await handle.stat();
    // The file of this cursor may have been truncated and written anew.
    const resumed = from && from.inode === inode && size >= from.offset ? from : undefined;
    const parse = parser();
    if (resumed) await readHeader(handle, parse);
    const reader = createReader(path, parse, resumed?.lines ?? 0);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let offset = resumed?.offset ?? 0;
    while (!signal.aborted) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
      if (signal.aborted) return;
      if (bytesRead > 0) {
        offset += bytesRead;
        yield reader.push(chunk.subarray(0, bytesRead), { inode, offset });
        continue;
      }
      if (finished || (await inodeOf(path)) !== inode) {
        // It is the writer's last word, whether or not a newline ends it.
        const more = await handle.read(chunk, 0, chunk.length, offset);
        if (more.bytesRead > 0) {
          offset += more.bytesRead;
          yield reader.push(chunk.subarray(0, more.bytesRead), { inode, offset });
          continue;
        }
        yield reader.end({ inode, offset });
        return;
      }
      if ((await handle.stat()).size < offset) return;
      await sleep(pollMs, signal);
    }
  }
  return { name, collect };
}

/** Cuts and parses chunks of one file into batches. */
function createReader(path: string, parse: ParseLine, linesBefore: number) {
  const lines = new LineSplitter(MAX_LINE_BYTES, linesBefore);
  let observations: Flow[] = [];
  let refusals: Refusal[] = [];
  const onBad = (reason: string, line: number) => refuse(refusals, reason, `${path}:${line}`);
  const onLine = (text: string, line: number) => {
    const parsed = parse(text);
    if (typeof parsed === "string") onBad(parsed, line);
    else observations.push(...parsed);
  };
  const batch = (inode: number, offset: number): Batch => {
    const cursor = JSON.stringify({ inode, offset, lines: lines.lines } satisfies Place);
    const taken = { observations, refusals, cursor };
    observations = [];
    refusals = [];
    return taken;
  };
  return {
    push(chunk: Uint8Array, { inode, offset }: { inode: number; offset: number }): Batch {
      lines.push(chunk, onLine, onBad);
      return batch(inode, offset - lines.pendingBytes);
    },
    end({ inode, offset }: { inode: number; offset: number }): Batch {
      lines.end(onLine, onBad);
      return batch(inode, offset);
    },
  };
}

/** Gives the parser the comment lines a tab-separated file begins with, for reading goes on behind them. */
async function readHeader(handle: FileHandle, parse: ParseLine): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
  for (const line of buffer.toString("utf8", 0, bytesRead).split("\n")) {
    if (!line.startsWith("#")) return;
    parse(line);
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function findInode(folder: string, inode: number): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    if ((await inodeOf(join(folder, name))) === inode) return join(folder, name);
  }
  return undefined;
}

/** Reads a sensor's log once, in event time. Refusals are placed by "file:line". Throws when it cannot be read. */
export async function* readLogFile(path: string, parse: ParseLine): AsyncGenerator<Batch> {
  await using handle = await open(path);
  const reader = createReader(path, parse, 0);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const inode = 0;
  for (let offset = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
    offset += bytesRead;
    const { cursor: _, ...batch } =
      bytesRead > 0
        ? reader.push(chunk.subarray(0, bytesRead), { inode, offset })
        : reader.end({ inode, offset });
    yield batch;
    if (bytesRead === 0) return;
  }
}
