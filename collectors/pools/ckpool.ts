import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Batch, Collector } from "#core/collector.ts";
import { LineSplitter } from "#core/lines.ts";
import type { Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { CHUNK_BYTES, decodeChunk, type FileProgress, MAX_LINE_BYTES } from "./ckpool-decode.ts";
import { type FilePlace, idOf, readPlace, writePlace } from "./ckpool-place.ts";
import { createTree } from "./ckpool-tree.ts";
import { poll, type Sleep } from "./poll.ts";

/** How a share-log tree is followed. Times in milliseconds. */
export interface CkpoolOptions {
  name: string;
  /** The directory that holds <height>/<workinfoid>.sharelog. */
  directory: string;
  pool: string;
  algorithm: string;
  /** Wait between two looks when nothing came. */
  pollMs: number;
  now: () => number;
  /** A file unchanged for so long, with a newer one beside it, is finished. ckpool keeps a job, and so writes to its file, for ten minutes. */
  settleMs?: number;
  /** Files kept open at most; the oldest beyond them count as finished. */
  maxOpenFiles?: number;
  sleep?: Sleep;
}

const HOUR_MS = 3_600_000;
const NOTHING = new Uint8Array(0);

/** An open file on its way: what stands before `position` was taken, the start of a record that is not whole yet included. */
interface Reading extends FileProgress {
  position: number;
}

/**
 * Follows a ckpool share-log tree (`ckpool -L`), oldest file first: new heights and files, appends, truncation, restart
 * from the cursor. A half record waits for its rest until its file is finished. A file is never read again once
 * finished (see `settleMs`), so the cursor stays bounded. Throws when the directory cannot be read.
 */
export function createCkpool(options: CkpoolOptions): Collector {
  const { name, directory, pool, algorithm, pollMs, now } = options;
  const { settleMs = HOUR_MS, maxOpenFiles = 2048, sleep } = options;

  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    const place = readPlace(cursor);
    const tree = createTree(directory, now);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const reading = new Map<string, Reading>();
    const withCursor = (batch: Batch): Batch => ({ ...batch, cursor: writePlace(place) });

    function start(file: string, from: FilePlace): Reading {
      const lines = new LineSplitter(MAX_LINE_BYTES, from.lines);
      const fresh = { file: `${file}.sharelog`, lines, lastMs: 0, position: from.offset };
      reading.set(file, fresh);
      return fresh;
    }

    /** Hands over what a file gained. Returns whether the file is finished: `settled`, and read to its end. */
    async function* follow(
      file: string,
      isNewest: boolean,
      isCrowded: boolean,
    ): AsyncGenerator<Batch, boolean> {
      const path = join(directory, `${file}.sharelog`);
      const found = await statIfThere(path);
      if (found === null) return true;
      let progress = reading.get(file) ?? start(file, place.open.get(file) ?? { offset: 0, lines: 0 });
      if (progress.position > found.size) {
        progress = start(file, { offset: 0, lines: 0 });
        place.open.delete(file);
        yield withCursor(refusal("truncated; read again from its start", progress.file));
      }
      const settled = !isNewest && (isCrowded || now() - found.mtimeMs > settleMs);
      if (progress.position < found.size) yield* readOn(path, found.size, progress, file);
      if (!settled || progress.position < found.size) return false;
      const rest = decodeChunk(progress, NOTHING, { pool, algorithm, nowMs: now() }, true);
      if (holdsAnything(rest)) yield withCursor(rest);
      return true;
    }

    async function* readOn(
      path: string,
      size: number,
      progress: Reading,
      file: string,
    ): AsyncGenerator<Batch> {
      await using handle = await open(path);
      while (progress.position < size && !signal.aborted) {
        const length = Math.min(chunk.length, size - progress.position);
        const { bytesRead } = await handle.read(chunk, 0, length, progress.position);
        if (bytesRead === 0) return;
        progress.position += bytesRead;
        const batch = decodeChunk(progress, chunk.subarray(0, bytesRead), { pool, algorithm, nowMs: now() });
        const { pendingBytes, lines } = progress.lines;
        place.open.set(file, { offset: progress.position - pendingBytes, lines });
        if (holdsAnything(batch) && !signal.aborted) yield withCursor(batch);
      }
    }

    yield* poll({ name, pollMs, signal, sleep }, async function* round() {
      const { files, late } = await tree.list(place.done);
      for (const file of late) yield withCursor(refusal("appeared behind finished files; not read", file));
      let unbroken = true;
      for (const [index, file] of files.entries()) {
        const behind = files.length - 1 - index;
        const finished = yield* follow(file, behind === 0, behind >= maxOpenFiles);
        if (signal.aborted) return;
        unbroken &&= finished;
        if (!unbroken) continue;
        place.done = idOf(file);
        place.open.delete(file);
        reading.delete(file);
      }
    });
  }

  return { name, collect };
}

function refusal(reason: string, where: string): Batch {
  const refusals: Refusal[] = [];
  refuse(refusals, reason, where);
  return { observations: [], refusals };
}

function holdsAnything(batch: Batch): boolean {
  return batch.observations.length > 0 || (batch.refusals?.length ?? 0) > 0;
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}
