import { type FileHandle, open } from "node:fs/promises";
import type { Batch, Collector } from "#core/collector.ts";
import { type Observation, type Refusal, readObservation } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { FRAME_BYTES, readFrame, readPayload, segmentPath } from "./segment.ts";

/** Observations in a batch at most. */
const BATCH = 4096;

/** A place in a journal: segment, offset of a frame in it, and how many of that frame's lines come before. */
export interface JournalPlace {
  segment: number;
  offset: number;
  skip: number;
}

/** Reads a journal's cursor; throws when it is none. */
export function readCursor(cursor: string): JournalPlace {
  const match = /^(\d+):(\d+):(\d+)$/.exec(cursor);
  if (match === null) throw new Error(`journal: not a cursor: ${cursor.slice(0, 60)}`);
  return { segment: Number(match[1]), offset: Number(match[2]), skip: Number(match[3]) };
}

function writeCursor({ segment, offset, skip }: JournalPlace): string {
  return `${segment}:${offset}:${skip}`;
}

/** What the reader asks of the journal: what is durable, and when there is more. */
export interface JournalSource {
  directory: string;
  /** Segment number → durable bytes, ascending. */
  segments: ReadonlyMap<number, number>;
  /** Resolves at the next commit or rotation. */
  changed(): Promise<void>;
}

/**
 * Follows a journal as a collector: everything durable behind the cursor, in the order it was appended, then what
 * comes. A cursor in a segment that is gone (released, or wiped by hand) goes on with the next one. A damaged frame
 * is reported and the rest of its segment, which cannot be framed any more, is left out. Throws with its name when a
 * segment cannot be read.
 */
export function createJournalReader(name: string, source: JournalSource): Collector {
  async function* collect(signal: AbortSignal, cursor?: string): AsyncGenerator<Batch> {
    const place = cursor === undefined ? { segment: 0, offset: 0, skip: 0 } : readCursor(cursor);
    let handle: FileHandle | undefined;
    let opened = 0;
    let observations: Observation[] = [];
    let refusals: Refusal[] = [];
    const take = (): Batch => {
      const batch = { observations, refusals, cursor: writeCursor(place) };
      observations = [];
      refusals = [];
      return batch;
    };
    try {
      while (!signal.aborted) {
        const changed = source.changed();
        const size = source.segments.get(place.segment);
        if (size === undefined || place.offset >= size) {
          const next = nextSegment(source.segments, place.segment);
          if (next !== undefined) {
            Object.assign(place, { segment: next, offset: 0, skip: 0 });
            continue;
          }
          if (observations.length > 0 || refusals.length > 0) yield take();
          else await untilChanged(changed, signal);
          continue;
        }
        if (opened !== place.segment) {
          await handle?.close();
          handle = undefined;
          handle = await open(segmentPath(source.directory, place.segment));
          opened = place.segment;
        }
        const payload = await readFrame(handle!, place.offset, size);
        if (payload === null) {
          refuse(
            refusals,
            "damaged; the rest of the segment is lost",
            `journal ${place.segment}:${place.offset}`,
          );
          Object.assign(place, { offset: size, skip: 0 });
          continue;
        }
        const { head, text } = readPayload(payload);
        const lines = isAppend(head) && text !== "" ? text.split("\n") : [];
        while (place.skip < lines.length) {
          const line = lines[place.skip]!;
          const reading = read(line);
          if ("reason" in reading) refuse(refusals, reading.reason, `journal ${writeCursor(place)}`);
          else observations.push(reading.observation);
          place.skip += 1;
          if (observations.length >= BATCH) {
            if (signal.aborted) return;
            yield take();
          }
        }
        Object.assign(place, { offset: place.offset + FRAME_BYTES + payload.length, skip: 0 });
      }
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    } finally {
      await handle?.close();
    }
  }
  return { name, collect };
}

/** A line that does not hold is reported, not thrown: it would come back at every restart. */
function read(line: string): ReturnType<typeof readObservation> {
  try {
    return readObservation(JSON.parse(line), Number.POSITIVE_INFINITY);
  } catch {
    return { reason: "not JSON" };
  }
}

function isAppend(head: unknown): boolean {
  return typeof head === "object" && head !== null && "source" in head;
}

function nextSegment(segments: ReadonlyMap<number, number>, after: number): number | undefined {
  for (const segment of segments.keys()) if (segment > after) return segment;
  return undefined;
}

async function untilChanged(changed: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort);
  try {
    if (!signal.aborted) await Promise.race([changed, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
