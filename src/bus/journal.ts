import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import type { Collector } from "#core/collector.ts";
import { createJournalReader, readCursor } from "./journal-reader.ts";
import { createSegment, recover } from "./recover.ts";
import { frame, MAX_PAYLOAD_BYTES, segmentPath } from "./segment.ts";
import type { Sequences } from "./sequences.ts";

/** Where the journal stands and how much it may hold. */
export interface JournalOptions {
  directory: string;
  /** Bytes on disk at most; what comes beyond is refused. */
  maxBytes: number;
  /** A segment is left for a new one at this size. Unless said, a sixteenth of `maxBytes`, 64 MiB at most. */
  segmentBytes?: number;
  /** Numbers the first segment of an empty journal, so that an old cursor never points into a new journal. */
  now: () => number;
}

/** One hand-over: all of it becomes durable, or none. */
export interface JournalEntry {
  source: string;
  /** Whole and not negative. With it a repeated append is recognised, so a hand-over may be tried again. */
  sequence?: number;
  /** Observations in their wire form (`writeObservation`), without newlines. */
  lines: readonly string[];
}

/** `full`: the disk bound is reached, try later. `too-large`: never fits. `too-old`: whether it was appended is forgotten. */
export class JournalRefusal extends Error {
  override name = "JournalRefusal";
  readonly code: "full" | "too-large" | "too-old";
  constructor(code: "full" | "too-large" | "too-old", message: string) {
    super(message);
    this.code = code;
  }
}

/** Counters since the journal was opened, and what it holds. */
interface JournalStatus {
  bytes: number;
  segments: number;
  appended: number;
  duplicates: number;
  refused: number;
  /** Appends that shared a write and its fsync: `appended / commits` is the gain of the group commit. */
  commits: number;
  /** Cut from an unfinished write when the journal was opened. */
  tornBytes: number;
}

/** A durable queue of observations that cannot be read again from where they came. One process at a time. */
export interface Journal {
  /**
   * Resolves once the entry is on disk, or when it was already. Rejects with a JournalRefusal when it may not be
   * taken, with the file system's error when it could not be; nothing of it is kept then.
   */
  append(entry: JournalEntry): Promise<"appended" | "duplicate">;
  reader(name: string): Collector;
  /** Deletes the segments wholly before a committed cursor of the reader. */
  release(cursor: string): Promise<void>;
  status(): JournalStatus;
  /** Waits for what is being written, and closes. */
  close(): Promise<void>;
}

interface Pending {
  bytes: Buffer;
  entry: JournalEntry;
  done: PromiseWithResolvers<"appended">;
}

/** Opens the journal in `directory`, making it where there is none, and cuts a torn tail. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, maxBytes, now } = options;
  const segmentBytes = options.segmentBytes ?? Math.min(64 * 1024 * 1024, Math.floor(maxBytes / 16));
  if (segmentBytes > maxBytes / 2) throw new Error("journal: segmentBytes must be at most half of maxBytes");
  await mkdir(directory, { recursive: true });
  const { segments, sequences, tornBytes } = await recover(directory);
  let current = await openLast(directory, segments, sequences, now());
  const counts = { appended: 0, duplicates: 0, refused: 0, commits: 0, tornBytes };
  const inFlight = new Map<string, Promise<"appended">>();
  let pending: Pending[] = [];
  let pendingBytes = 0;
  let writing: Promise<void> | undefined;
  let broken: unknown;
  let released: string | undefined;
  let changed = Promise.withResolvers<void>();

  const held = () => segments.values().reduce((sum, bytes) => sum + bytes, 0);
  function wake(): void {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  async function rotate(): Promise<void> {
    const segment = current.segment + 1;
    const { handle, bytes } = await createSegment(directory, segment, sequences);
    await current.handle.close();
    current = { handle, segment };
    segments.set(segment, bytes);
    await deleteReleased();
  }

  async function deleteReleased(): Promise<void> {
    if (released === undefined) return;
    const { segment: reached, offset } = readCursor(released);
    for (const [segment, bytes] of segments) {
      if (segment === current.segment || segment > reached) break;
      if (segment === reached && offset < bytes) break;
      segments.delete(segment);
      await unlink(segmentPath(directory, segment));
    }
  }

  /** Writes a group with one fsync. What cannot be written whole is taken back off the file. */
  async function commit(group: readonly Pending[]): Promise<void> {
    const offset = segments.get(current.segment)!;
    const bytes = Buffer.concat(group.map((item) => item.bytes));
    try {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await current.handle.write(
          bytes,
          written,
          bytes.length - written,
          offset + written,
        );
        written += bytesWritten;
      }
    } catch (cause) {
      await current.handle.truncate(offset).catch((failure: unknown) => {
        broken = failure;
      });
      throw cause;
    }
    try {
      await current.handle.datasync();
    } catch (cause) {
      // After a failed fsync nobody knows what is on disk: only opening the journal anew can tell.
      broken = cause;
      throw cause;
    }
    segments.set(current.segment, offset + bytes.length);
    counts.commits += 1;
    for (const { entry } of group) {
      if (entry.sequence !== undefined) sequences.add(entry.source, entry.sequence);
    }
  }

  async function writeAll(): Promise<void> {
    // Appends of the same tick share the first write.
    await Promise.resolve();
    while (pending.length > 0) {
      const group = pending;
      pending = [];
      try {
        if (broken !== undefined) throw broken;
        await commit(group);
        counts.appended += group.length;
        for (const { done } of group) done.resolve("appended");
      } catch (cause) {
        for (const { done } of group) done.reject(new Error("journal: cannot write", { cause }));
      }
      pendingBytes -= group.reduce((sum, { bytes }) => sum + bytes.length, 0);
      try {
        if (broken === undefined && segments.get(current.segment)! >= segmentBytes) await rotate();
      } catch (cause) {
        broken = cause;
      }
      wake();
    }
    // In the same step as the last look at `pending`, so that no append falls between.
    writing = undefined;
  }

  function refused(code: JournalRefusal["code"], message: string): JournalRefusal {
    counts.refused += 1;
    return new JournalRefusal(code, `journal: ${message}`);
  }

  function write(entry: JournalEntry): Promise<"appended"> {
    const head = JSON.stringify({ source: entry.source, sequence: entry.sequence });
    const payload = Buffer.from(`${head}\n${entry.lines.join("\n")}`);
    if (payload.length > Math.min(MAX_PAYLOAD_BYTES, maxBytes / 2)) {
      throw refused("too-large", `${payload.length} bytes in one append`);
    }
    const bytes = frame(payload);
    if (held() + pendingBytes + bytes.length > maxBytes)
      throw refused("full", `holds ${maxBytes} bytes already`);
    const done = Promise.withResolvers<"appended">();
    pending.push({ bytes, entry, done });
    pendingBytes += bytes.length;
    writing ??= writeAll();
    return done.promise;
  }

  return {
    async append(entry) {
      if (broken !== undefined) throw new Error("journal: broken, open it anew", { cause: broken });
      const { source, sequence } = entry;
      if (sequence === undefined) return write(entry);
      const key = `${sequence} ${source}`;
      const before = sequences.look(source, sequence);
      if (before === "too old") throw refused("too-old", `sequence ${sequence} of ${source} is too long ago`);
      if (before === "known" || inFlight.has(key)) {
        await inFlight.get(key);
        counts.duplicates += 1;
        return "duplicate";
      }
      const appended = write(entry);
      inFlight.set(key, appended);
      return appended.finally(() => inFlight.delete(key));
    },
    reader: (name) => createJournalReader(name, { directory, segments, changed: () => changed.promise }),
    async release(cursor) {
      released = cursor;
      await deleteReleased();
    },
    status: () => ({ bytes: held(), segments: segments.size, ...counts }),
    async close() {
      await writing;
      await current.handle.close();
    },
  };
}

async function openLast(
  directory: string,
  segments: Map<number, number>,
  sequences: Sequences,
  nowMs: number,
): Promise<{ handle: FileHandle; segment: number }> {
  const last = [...segments.keys()].at(-1);
  if (last !== undefined) return { handle: await open(segmentPath(directory, last), "r+"), segment: last };
  const segment = Math.floor(nowMs);
  const { handle, bytes } = await createSegment(directory, segment, sequences);
  segments.set(segment, bytes);
  return { handle, segment };
}
