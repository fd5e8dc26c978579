import { readAddress6, textOf4 } from "./address.ts";
import { capturedPackets } from "./capture.ts";

/** A UDP datagram out of a capture. `payload` stands in the file's own bytes. */
export interface CapturedDatagram {
  atMs: number;
  src: string;
  srcPort: number;
  dst: string;
  dstPort: number;
  payload: Uint8Array;
}

/** Why a captured packet gave no datagram. */
export type Skipped = "other" | "fragment" | "cut short" | "of an unknown link type";

const UDP = 17;

/** Bytes of link-layer header before the network header, by the capture's link type (tcpdump.org/linktypes.html). */
const LINK_HEADER_BYTES = new Map([
  [0, 4],
  [1, 14],
  [12, 0],
  [14, 0],
  [101, 0],
  [108, 4],
  [113, 16],
  [228, 0],
  [229, 0],
  [276, 20],
]);
const ETHERNET = 1;
const VLAN_TAGS = new Set([0x8100, 0x88a8]);

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The UDP datagrams of a capture in the order they were taken. Fragments are not put together, and like packets cut
 * short and other protocols they are told to `skipped`.
 */
export function* readDatagrams(
  file: Uint8Array,
  skipped: (why: Skipped, packet: number) => void,
): Generator<CapturedDatagram> {
  const packets = capturedPackets(file);
  for (let packet = 1; ; packet += 1) {
    const next = packets.next();
    if (next.done) {
      if (!next.value) skipped("cut short", packet);
      return;
    }
    const { atMs, linkType, bytes } = next.value;
    const linkBytes = LINK_HEADER_BYTES.get(linkType);
    const datagram =
      linkBytes === undefined ? "of an unknown link type" : readUdp(bytes, linkType, linkBytes);
    if (typeof datagram === "string") skipped(datagram, packet);
    else yield { atMs, ...datagram };
  }
}

function readUdp(
  packet: Uint8Array,
  linkType: number,
  linkBytes: number,
): Omit<CapturedDatagram, "atMs"> | Skipped {
  let offset = linkBytes;
  if (linkType === ETHERNET) {
    const view = viewOf(packet);
    for (let tags = 0; tags < 2 && offset + 4 <= packet.length; tags += 1) {
      if (!VLAN_TAGS.has(view.getUint16(offset - 2))) break;
      offset += 4;
    }
  }
  if (offset + 20 > packet.length) return "cut short";
  const ip = viewOf(packet.subarray(offset));
  const version = ip.getUint8(0) >>> 4;
  if (version === 4) return readIp4(packet.subarray(offset), ip);
  return version === 6 ? readIp6(packet.subarray(offset), ip) : "other";
}

function readIp4(packet: Uint8Array, view: DataView): Omit<CapturedDatagram, "atMs"> | Skipped {
  if (view.getUint8(9) !== UDP) return "other";
  // More fragments to come, or not the first one.
  if ((view.getUint16(6) & 0x3fff) !== 0) return "fragment";
  const headerBytes = (view.getUint8(0) & 15) * 4;
  return readPorts(packet, headerBytes, textOf4(view.getUint32(12)), textOf4(view.getUint32(16)));
}

function readIp6(packet: Uint8Array, view: DataView): Omit<CapturedDatagram, "atMs"> | Skipped {
  if (packet.length < 40) return "cut short";
  const next = view.getUint8(6);
  if (next === 44) return "fragment";
  if (next !== UDP) return "other";
  return readPorts(packet, 40, readAddress6(view, 8), readAddress6(view, 24));
}

function readPorts(
  packet: Uint8Array,
  at: number,
  src: string,
  dst: string,
): Omit<CapturedDatagram, "atMs"> | Skipped {
  if (at < 20 || at + 8 > packet.length) return "cut short";
  const view = viewOf(packet);
  const length = view.getUint16(at + 4);
  if (length < 8 || at + length > packet.length) return "cut short";
  const payload = packet.subarray(at + 8, at + length);
  return { src, srcPort: view.getUint16(at), dst, dstPort: view.getUint16(at + 2), payload };
}
