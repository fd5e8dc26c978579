import { open, unlink } from "node:fs/promises";
import {
  FRAME_BYTES,
  frame,
  listSegments,
  readFrame,
  readPayload,
  segmentPath,
  syncDirectory,
} from "./segment.ts";
import { Sequences, type SequencesSnapshot } from "./sequences.ts";

/** First line of a segment: which pairs of source and sequence were appended before it. */
interface SegmentHead {
  journal: 1;
  sequences: SequencesSnapshot;
}

/** First line of an append. Its observations follow, one a line. */
interface AppendHead {
  source: string;
  sequence?: number;
}

/** What a directory holds after its torn tail, if any, was cut. */
export interface Recovered {
  /** Segment number → bytes, ascending. */
  segments: Map<number, number>;
  sequences: Sequences;
  tornBytes: number;
}

/** Reads what a journal left behind, and cuts what its last write did not finish. Only the last segment can be torn. */
export async function recover(directory: string): Promise<Recovered> {
  const segments = new Map<number, number>();
  const numbers = await listSegments(directory);
  let tornBytes = 0;
  let sequences = new Sequences();
  for (let last = numbers.pop(); last !== undefined; last = numbers.pop()) {
    const found = await recoverLast(segmentPath(directory, last));
    tornBytes += found.tornBytes;
    if (found.sequences === null) {
      // It died while the segment was being made, so nothing was appended to it.
      await unlink(segmentPath(directory, last));
      await syncDirectory(directory);
      continue;
    }
    sequences = found.sequences;
    for (const segment of numbers) segments.set(segment, await sizeOf(segmentPath(directory, segment)));
    segments.set(last, found.bytes);
    break;
  }
  return { segments, sequences, tornBytes };
}

async function sizeOf(path: string): Promise<number> {
  await using handle = await open(path);
  return (await handle.stat()).size;
}

async function recoverLast(path: string) {
  await using handle = await open(path, "r+");
  const { size } = await handle.stat();
  let sequences: Sequences | null = null;
  let offset = 0;
  for (;;) {
    const payload = await readFrame(handle, offset, size);
    if (payload === null) break;
    offset += FRAME_BYTES + payload.length;
    const { head } = readPayload(payload);
    if (sequences === null) {
      sequences = new Sequences((head as SegmentHead).sequences);
    } else {
      const { source, sequence } = head as AppendHead;
      if (sequence !== undefined) sequences.add(source, sequence);
    }
  }
  if (offset < size) {
    await handle.truncate(offset);
    await handle.sync();
  }
  return { sequences, bytes: offset, tornBytes: size - offset };
}

/** Makes a segment with its head, durable in its directory, and leaves it open for appending. */
export async function createSegment(directory: string, segment: number, sequences: Sequences) {
  const head: SegmentHead = { journal: 1, sequences: sequences.snapshot() };
  const bytes = frame(Buffer.from(JSON.stringify(head)));
  const handle = await open(segmentPath(directory, segment), "wx+");
  await handle.write(bytes, 0, bytes.length, 0);
  await handle.sync();
  await syncDirectory(directory);
  return { handle, bytes: bytes.length };
}
