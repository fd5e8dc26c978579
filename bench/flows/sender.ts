import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { makeReplay } from "./datagrams.ts";

/**
 * Sends a replay at a steady rate and tells its parent what it sent: `sender.ts VERSION PORT DATAGRAMS_PER_SECOND
 * DATAGRAMS`. Half a second at a low rate goes ahead, for a service that runs for months is not measured while it starts.
 */
const [version, port, rate, total] = process.argv.slice(2);
const WARM_UP_RATE = 2000;
const replay = makeReplay(version === "v5" ? "v5" : "v9");
const count = replay.datagrams.length;
const socket = createSocket("udp4");
socket.connect(Number(port), "127.0.0.1");
await once(socket, "connect");
let sent = 0;

/** Sends for so long and returns how long it took, in milliseconds. */
async function sendFor(perSecond: number, datagrams: number): Promise<number> {
  const startMs = performance.now();
  for (const end = sent + datagrams, start = sent; sent < end; ) {
    const due = Math.min(end, start + Math.ceil(((performance.now() - startMs) / 1000) * perSecond));
    for (; sent < due; sent += 1) {
      const index = sent % count;
      replay.number(index, Math.floor(sent / count));
      // The copy is what the kernel is given: the same buffer is numbered anew while a send waits.
      socket.send(Uint8Array.from(replay.datagrams[index]!));
    }
    // In bursts of a millisecond: a sender that spins would take the processor from the receivers it measures.
    await setTimeout(1);
  }
  return performance.now() - startMs;
}

const warmUp = Math.min(WARM_UP_RATE, Number(rate));
await sendFor(warmUp, warmUp / 2);
const before = sent;
const elapsedMs = await sendFor(Number(rate), Number(total));
const datagrams = sent - before;
process.send?.({ datagrams, flows: sent * (replay.flows / count), elapsedMs });
socket.close();
process.disconnect?.();
