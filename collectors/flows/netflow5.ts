import type { Flow } from "#core/observation.ts";
import { textOf4 } from "./address.ts";
import { type Message, makeFlow } from "./record.ts";

/** Cisco NetFlow export datagram, version 5: a header of 24 bytes and up to 30 records of 48. */
export const HEADER5_BYTES = 24;
const RECORD_BYTES = 48;

/**
 * Reads the records of a version 5 datagram. The header's count is not believed beyond the bytes that came.
 * Returns how many records there were.
 */
export function readNetflow5(view: DataView, message: Message, flows: Flow[]): number {
  const count = Math.min(view.getUint16(2), Math.floor((view.byteLength - HEADER5_BYTES) / RECORD_BYTES));
  // The upper two bits say how packets were chosen, the rest how many were passed over.
  const rate = Math.max(1, view.getUint16(22) & 0x3fff);
  const atMs = message.exportMs + message.shiftMs;
  const bootMs = atMs - message.uptimeMs;
  for (let index = 0, base = HEADER5_BYTES; index < count; index += 1, base += RECORD_BYTES) {
    const first = ((view.getUint32(base + 24) - message.uptimeMs) | 0) + message.uptimeMs;
    const last = ((view.getUint32(base + 28) - message.uptimeMs) | 0) + message.uptimeMs;
    flows.push(
      makeFlow(
        message.exporter,
        atMs,
        textOf4(view.getUint32(base)),
        textOf4(view.getUint32(base + 4)),
        view.getUint16(base + 32),
        view.getUint16(base + 34),
        view.getUint8(base + 38),
        view.getUint32(base + 20),
        view.getUint32(base + 16),
        rate,
        bootMs + first,
        bootMs + last,
        view.getUint8(base + 37),
        undefined,
      ),
    );
  }
  return count;
}
