import { Worker } from "node:worker_threads";
import { type Arrived, createSharedRing, RingReader, type SharedRing } from "./ring.ts";

/** What the receiving thread is told. */
export interface ReceiverSettings {
  host: string;
  port: number;
  exporters: readonly string[] | undefined;
  receiveBufferBytes: number;
  ring: SharedRing;
}

/** What the receiving thread tells. */
export type ReceiverMessage =
  | { type: "listening"; address: string; port: number }
  | { type: "refused"; exporter: string }
  | { type: "broken"; message: string; code: string | undefined };

export interface ReceiverOptions extends Omit<ReceiverSettings, "ring"> {
  /** Bound of what waits to be decoded; what finds it full is dropped and counted. */
  queueBytes: number;
  onListening: (at: { address: string; port: number }) => void;
  onRefused: (exporter: string) => void;
}

/** A UDP socket in a thread of its own, and the ring it is emptied into. */
export interface Receiver {
  /** The oldest datagram that waits, valid until the next call; nothing when there is none. */
  read(): Arrived | undefined;
  /** Resolves when something can be read or `signal` aborted. Rejects when the socket broke, with its error. */
  readable(): Promise<void>;
  counts(): { datagrams: number; dropped: number; refused: number };
  close(): Promise<void>;
}

/** Opens the socket. Whoever opens closes; a socket that cannot be bound is told by `readable`. */
export function openReceiver(options: ReceiverOptions, signal: AbortSignal): Receiver {
  const { queueBytes, onListening, onRefused, ...settings } = options;
  const ring = createSharedRing(queueBytes);
  const reader = new RingReader(ring);
  const workerData: ReceiverSettings = { ...settings, ring };
  const worker = new Worker(new URL("./receiver-thread.ts", import.meta.url), { workerData });
  // Not once(): that would reject when the thread fails, before anybody waits for its end.
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    reader.wake();
  };
  const wake = () => reader.wake();
  signal.addEventListener("abort", wake, { once: true });
  worker.on("error", fail);
  worker.on("message", (message: ReceiverMessage) => {
    if (message.type === "listening") onListening({ address: message.address, port: message.port });
    else if (message.type === "refused") onRefused(message.exporter);
    else fail(Object.assign(new Error(message.message), { code: message.code }));
  });
  return {
    read: () => reader.read(),
    async readable() {
      if (!failure && !signal.aborted) await reader.readable();
      if (failure) throw failure;
    },
    counts: () => reader.counts(),
    async close() {
      signal.removeEventListener("abort", wake);
      worker.postMessage("close");
      await ended;
    },
  };
}
