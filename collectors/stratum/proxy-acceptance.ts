import type { Socket } from "node:net";
import { type Endpoint, readProxyHeader } from "./proxy-protocol.ts";

/** The miner's address by the header (absent for a balancer's health check), or why the connection is not taken. */
export type Acceptance = { source?: Endpoint } | { reason: string };

/**
 * Takes the PROXY header off a connection from a trusted balancer and gives back every byte behind it to the socket,
 * which is left paused. Waits at most `timeoutMs` for a whole header. Guessing is forbidden by the specification: a
 * trusted peer that sends none is refused.
 */
export function acceptProxyHeader(
  socket: Socket,
  timeoutMs: number,
  done: (acceptance: Acceptance) => void,
): void {
  let received: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => finish({ reason: "PROXY header did not come in time" }), timeoutMs);
  const onClose = () => finish({ reason: "closed before its PROXY header" });
  // The socket closes after an error; the reason is the same.
  const onError = () => {};
  const onData = (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const header = readProxyHeader(received);
    if ("more" in header) return;
    if ("reason" in header) return finish(header);
    socket.pause();
    const rest = received.subarray(header.bytes);
    if (rest.length > 0) socket.unshift(rest);
    finish({ source: header.endpoints?.source });
  };
  function finish(acceptance: Acceptance): void {
    clearTimeout(timer);
    socket.off("data", onData).off("end", onClose).off("close", onClose);
    done(acceptance);
    socket.off("error", onError);
  }
  socket.on("data", onData).on("end", onClose).on("close", onClose).on("error", onError);
}
