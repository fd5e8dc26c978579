import { connect } from "node:net";
import {
  acceptGreeting,
  GREETING_BYTES,
  readFrame,
  readReady,
  writeFrame,
  writeGreeting,
  writeReady,
} from "./zmtp-frame.ts";

/** A whole message: its frames in order. They are views; whoever keeps one copies it. */
export type ZmtpMessage = readonly Buffer[];

/** Largest frame and most frames of a message taken: what Miningcore publishes is three frames, below 2 kB together. */
const MAX_FRAME_BYTES = 65_536;
const MAX_FRAMES = 8;
/** Longest silence before the other end is ready. */
const HANDSHAKE_MS = 15_000;
/** After so much silence the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 30_000;

/** A subscriber's side of one connection, without the socket: what comes in, what is to be sent. Bounded by one message. */
export class Subscriber {
  readonly #topic: string;
  #state: "greeting" | "ready" | "open" = "greeting";
  #rest: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];

  constructor(topic: string) {
    this.#topic = topic;
  }

  /** True once both ends agreed and the subscription is on its way. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Takes bytes as they come, cut anywhere. Throws a RangeError when they are not those of a publisher. */
  take(bytes: Buffer): { messages: ZmtpMessage[]; reply: Buffer } {
    const buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: ZmtpMessage[] = [];
    const replies: Buffer[] = [];
    let at = 0;
    if (this.#state === "greeting" && acceptGreeting(buffer)) {
      at = GREETING_BYTES;
      this.#state = "ready";
      replies.push(writeFrame(writeReady("SUB"), true));
    }
    while (this.#state !== "greeting") {
      const found = readFrame(buffer, at, MAX_FRAME_BYTES);
      if (found === undefined) break;
      at = found.end;
      const { command, more, body } = found.frame;
      if (this.#state === "ready") {
        if (!command) throw new RangeError("a message before READY");
        replies.push(this.#subscribe(readReady(body)));
      } else if (!command) {
        this.#parts.push(body);
        if (this.#parts.length > MAX_FRAMES)
          throw new RangeError(`a message of more than ${MAX_FRAMES} frames`);
        if (more) continue;
        messages.push(this.#parts);
        this.#parts = [];
      }
    }
    this.#rest = buffer.subarray(at);
    return { messages, reply: Buffer.concat(replies) };
  }

  #subscribe(socketType: string): Buffer {
    if (socketType !== "PUB" && socketType !== "XPUB") {
      throw new RangeError(`socket type ${JSON.stringify(socketType)}, not "PUB"`);
    }
    this.#state = "open";
    return writeFrame(Buffer.from(`\x01${this.#topic}`));
  }
}

/** Where a publisher listens, and the beginning of the topics wanted. */
export interface Subscription {
  /** tcp://host:port */
  url: string;
  topic: string;
  handshakeMs?: number;
}

/**
 * Connects to a ZeroMQ publisher (ZMTP 3.0, mechanism NULL) and yields the messages of each read, at most 64 KiB of bytes
 * at once; first none, when both ends agreed. Not pulling lets TCP fill, and then the publisher drops at its own bound.
 * Throws when the publisher cannot be reached, closes, or is none. The socket is closed in every case.
 */
export async function* subscribe(
  { url, topic, handshakeMs = HANDSHAKE_MS }: Subscription,
  signal: AbortSignal,
): AsyncGenerator<ZmtpMessage[]> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port),
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    signal,
  });
  socket.setTimeout(handshakeMs, () => socket.destroy(new Error("no ZeroMQ handshake in time")));
  try {
    const subscriber = new Subscriber(topic);
    socket.write(writeGreeting());
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      const wasOpen = subscriber.isOpen;
      const { messages, reply } = subscriber.take(bytes);
      if (reply.length > 0) socket.write(reply);
      if (!wasOpen && subscriber.isOpen) {
        socket.setTimeout(0);
        yield [];
      }
      if (messages.length > 0) yield messages;
    }
    // libzmq closes on another mechanism than its own before it has named its own.
    const because = subscriber.isOpen ? "" : " before it was ready: encryption (CURVE) is not spoken";
    throw new Error(`the publisher closed the connection${because}`);
  } finally {
    socket.destroy();
  }
}
