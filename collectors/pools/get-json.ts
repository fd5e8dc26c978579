/** How a pool's HTTP interface is asked. */
export interface JsonRequest {
  signal: AbortSignal;
  /** Sent as `Authorization: Bearer …`. */
  token?: string | undefined;
}

/** Longest answer taken, in bytes, and the longest wait for it. */
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 15_000;

/** The interface answers, but has nothing under this address (status 404). */
export class NotThere extends Error {
  override name = "NotThere";
}

/** Asks for JSON. Throws with the address when there is no answer, another status than 200, too much, or no JSON. */
export async function getJson(url: URL, { signal, token }: JsonRequest): Promise<unknown> {
  // A token or password in the address has no place in a message.
  const shown = `${url.origin}${url.pathname}`;
  try {
    const response = await fetch(url, {
      headers: { Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.status === 404) throw new NotThere(`${shown}: status 404`);
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
      pieces.push(piece);
    }
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch (cause) {
    if (cause instanceof NotThere) throw cause;
    const { message, cause: inner } = cause as Error;
    throw new Error(`${shown}: ${inner instanceof Error ? inner.message : message}`, { cause });
  }
}

/** The address of `path` under a base address, which may have a path of its own. */
export function under(base: string, path: string): URL {
  return new URL(base.replace(/\/*$/, path));
}
