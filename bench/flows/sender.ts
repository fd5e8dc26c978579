import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { makeReplay } from "./datagrams.ts";

/** Sends a replay at a steady rate and tells its parent what it sent: `sender.ts VERSION PORT DATAGRAMS_PER_SECOND SECONDS`. */
const [version, port, rate, seconds] = process.argv.slice(2);
const perSecond = Number(rate);
const total = Math.round(perSecond * Number(seconds));
const replay = makeReplay(version === "v5" ? "v5" : "v9");
const socket = createSocket("udp4");
socket.connect(Number(port), "127.0.0.1");
await once(socket, "connect");
const count = replay.datagrams.length;
// The template goes ahead and settles: a rate is not measured by what waits for its template.
socket.send(replay.datagrams[0]!);
await setTimeout(50);
const startMs = performance.now();
for (let sent = 1; sent <= total; ) {
  const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond)) + 1;
  for (; sent < due && sent <= total; sent += 1) {
    const index = sent % count;
    replay.number(index, Math.floor(sent / count));
    // The copy is what the kernel is given: the same buffer is numbered anew while a send waits.
    socket.send(Uint8Array.from(replay.datagrams[index]!));
  }
  // In bursts of a millisecond: a sender that spins would take the processor from the receivers it measures.
  await setTimeout(1);
}
const elapsedMs = performance.now() - startMs;
process.send?.({ datagrams: total + 1, flows: (total + 1) * (replay.flows / count), elapsedMs });
socket.close();
process.disconnect?.();
