import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** More bytes came, or came out of decompression, than are taken. */
export class TooManyBytes extends Error {
  override name = "TooManyBytes";
}

/** Passes bytes on and throws TooManyBytes once they are more than `maxBytes`. */
export async function* limit(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new TooManyBytes(`more than ${maxBytes} bytes`);
    yield chunk;
  }
}

/**
 * Decompresses gzip piece by piece, so a bomb is met by the limit and never held. Throws TooManyBytes beyond `maxBytes`
 * of output, and zlib's error (its `code` begins with Z_) where the input is not gzip or ends too soon.
 */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  // The error reaches the reader below through the destroyed stream, so the callback has nothing to add.
  const plain = pipeline(Readable.from(source), createGunzip(), () => undefined);
  yield* limit(plain, maxBytes);
}
