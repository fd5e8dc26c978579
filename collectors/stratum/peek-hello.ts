import type { Socket } from "node:net";
import { ClientHelloReader } from "./client-hello.ts";

/**
 * Looks at the hello a TLS client begins with, before TLS is ended here: Node does not tell it. Gives every byte back to the
 * socket, which is left paused, and then says the fingerprint, or null where these bytes are no hello. A client
 * that does not speak waits here as it would in TLS, until the tap's `idleMs` ends it; one that closes is closed. Then
 * nothing is said.
 */
export function peekHello(socket: Socket, done: (fingerprint: string | null) => void): void {
  const reader = new ClientHelloReader();
  const onEnd = () => socket.destroy();
  const onData = (chunk: Buffer) => {
    const before = reader.bytes;
    const read = reader.push(chunk);
    if ("needed" in read) return;
    socket.off("data", onData).off("end", onEnd).pause();
    socket.unshift(Buffer.concat([before, chunk]));
    done("fingerprint" in read ? read.fingerprint : null);
  };
  socket.on("data", onData).on("end", onEnd).resume();
}
