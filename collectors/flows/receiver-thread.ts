import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { createAllowList } from "./allow-list.ts";
import type { ReceiverMessage, ReceiverSettings } from "./receiver.ts";
import { RingWriter } from "./ring.ts";

/**
 * The receiving thread: it empties the socket into the ring and does nothing else, so that no garbage collection,
 * scoring or checkpoint of the service makes the kernel drop datagrams. Ends when told to by any message.
 */
const { host, port, exporters, receiveBufferBytes, ring } = workerData as ReceiverSettings;
const tell = (message: ReceiverMessage) => parentPort?.postMessage(message);
const allowed = createAllowList(exporters);
const writer = new RingWriter(ring);
const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
let refused = 0;

socket.on("message", (payload, from) => {
  if (allowed(from.address)) {
    writer.write(payload, from.address, from.port);
    return;
  }
  writer.refuse();
  refused += 1;
  if (refused === 1) tell({ type: "refused", exporter: from.address });
});
socket.on("error", ({ message, code }: NodeJS.ErrnoException) => tell({ type: "broken", message, code }));
socket.on("listening", () => {
  socket.setRecvBufferSize(receiveBufferBytes);
  tell({ type: "listening", ...socket.address() });
});
parentPort?.once("message", () => {
  socket.close();
  parentPort?.close();
});
socket.bind({ address: host, port });
