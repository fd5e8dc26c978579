/** A datagram as it came in. */
export interface Arrived {
  bytes: Uint8Array;
  address: string;
  port: number;
  atMs: number;
}

/** Where datagrams wait to be decoded: bounded, and what finds it full is dropped and counted. */
export interface DatagramQueue {
  /** False: there was no room. */
  push(datagram: Arrived): boolean;
  /** Up to `most` datagrams, oldest first; waits for the first. Empty once the queue's signal aborts. */
  take(most: number): Promise<Arrived[]>;
  /** Makes the next `take` reject: the source broke. */
  fail(error: Error): void;
  readonly dropped: number;
}

/** What a queue holds at most, datagrams and bytes. */
export interface QueueBounds {
  maxDatagrams: number;
  maxBytes: number;
}

export function createDatagramQueue(
  { maxDatagrams, maxBytes }: QueueBounds,
  signal: AbortSignal,
): DatagramQueue {
  // Two arrays, one filling and one being emptied, need no shifting.
  let waiting: Arrived[] = [];
  let leaving: Arrived[] = [];
  let next = 0;
  let bytes = 0;
  let dropped = 0;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  signal.addEventListener("abort", () => wake?.(), { once: true });
  return {
    push(datagram) {
      const count = waiting.length + leaving.length - next;
      if (count >= maxDatagrams || bytes + datagram.bytes.length > maxBytes) {
        dropped += 1;
        return false;
      }
      waiting.push(datagram);
      bytes += datagram.bytes.length;
      wake?.();
      return true;
    },
    async take(most) {
      while (next >= leaving.length && waiting.length === 0 && !failure && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      if (failure) throw failure;
      if (signal.aborted) return [];
      if (next >= leaving.length) {
        leaving = waiting;
        waiting = [];
        next = 0;
      }
      const taken = leaving.slice(next, next + most);
      next += taken.length;
      for (const datagram of taken) bytes -= datagram.bytes.length;
      return taken;
    },
    fail(error) {
      failure ??= error;
      wake?.();
    },
    get dropped() {
      return dropped;
    },
  };
}
