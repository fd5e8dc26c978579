import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/**
 * A segment is a file of frames: [u32 length][u32 CRC-32 of the payload][payload], little-endian. The first payload is
 * the segment's head, the others are appends; both begin with one line of JSON. Segments are numbered upwards.
 */

export const FRAME_BYTES = 8;
/** Largest payload of one frame. A length above it can only be damage. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
const NAME = /^(\d{16})\.journal$/;

export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(16, "0")}.journal`);
}

/** Numbers of the segments in a directory, ascending. */
export async function listSegments(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  const numbers = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b);
}

/** A payload with its frame before it. */
export function frame(payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(FRAME_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/** Reads the frame at `offset`; null where no whole, undamaged frame stands before `end`. */
export async function readFrame(handle: FileHandle, offset: number, end: number): Promise<Buffer | null> {
  if (offset + FRAME_BYTES > end) return null;
  const head = Buffer.allocUnsafe(FRAME_BYTES);
  if ((await handle.read(head, 0, FRAME_BYTES, offset)).bytesRead < FRAME_BYTES) return null;
  const length = head.readUInt32LE(0);
  if (length === 0 || length > MAX_PAYLOAD_BYTES || offset + FRAME_BYTES + length > end) return null;
  const payload = Buffer.allocUnsafe(length);
  if ((await handle.read(payload, 0, length, offset + FRAME_BYTES)).bytesRead < length) return null;
  return crc32(payload) === head.readUInt32LE(4) ? payload : null;
}

/** Splits a payload into its line of JSON and the text behind it. */
export function readPayload(payload: Buffer): { head: unknown; text: string } {
  const end = payload.indexOf(10);
  const head: unknown = JSON.parse(payload.toString("utf8", 0, end < 0 ? payload.length : end));
  return { head, text: end < 0 ? "" : payload.toString("utf8", end + 1) };
}

/** Makes a directory's entries durable: a file newly created in it survives the loss of power. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory);
  await handle.sync();
}
