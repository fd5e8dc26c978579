import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where a pool listens. */
interface UpstreamAddress {
  host: string;
  port: number;
}

/** How a pool is reached. */
export interface Upstream extends UpstreamAddress {
  /** Speak TLS to the pool, checking its certificate against `ca` (PEM), or against the system's authorities. */
  tls?: boolean;
  ca?: string;
  /** Tried in this order when the one before cannot be reached. */
  fallback?: readonly UpstreamAddress[];
}

/**
 * Connects to the pool, sends `header` (a PROXY header, before TLS as its specification asks) and gives the connection,
 * which allows half-open and is not read yet. Rejects with the last failure when none of the addresses can be reached, or with the
 * signal's reason on abort.
 */
export async function dial(upstream: Upstream, header: Buffer | null, signal: AbortSignal): Promise<Socket> {
  const addresses = [upstream, ...(upstream.fallback ?? [])];
  let failure: unknown;
  for (const { host, port } of addresses) {
    try {
      return await dialOne(upstream, { host, port }, header, signal);
    } catch (error) {
      failure = error;
      if (signal.aborted) break;
    }
  }
  throw failure;
}

async function dialOne(
  { tls, ca }: Upstream,
  { host, port }: UpstreamAddress,
  header: Buffer | null,
  signal: AbortSignal,
): Promise<Socket> {
  const plain = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const abort = () => plain.destroy(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await settled(plain, "connect");
    if (header) plain.write(header);
    if (!tls) return plain;
    // The TLS socket says what breaks; the one below must only not be fatal.
    plain.on("error", () => {});
    const secured = connectTls({ socket: plain, servername: host, ...(ca === undefined ? {} : { ca }) });
    await settled(secured, "secureConnect");
    return secured;
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for `event`; rejects when the connection fails first. Leaves no listener but one that keeps a late error from being fatal. */
function settled(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("closed before it was ready"));
    socket.once("error", reject);
    socket.once("close", closed);
    socket.once(event, () => {
      socket.off("close", closed);
      resolve();
    });
  });
}
