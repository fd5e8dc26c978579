/** One captured packet, in the file's own bytes. */
export interface CapturedPacket {
  /** NaN where the capture has no times. */
  atMs: number;
  /** tcpdump.org/linktypes.html */
  linkType: number;
  bytes: Uint8Array;
}

const PCAP_HEADER_BYTES = 24;
const PCAP_PACKET_BYTES = 16;
/** Largest packet libpcap itself writes. */
const MAX_PACKET_BYTES = 262_144;

const SECTION = 0x0a0d_0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b_3c4d;
/** Type and both lengths. */
const BLOCK_BYTES = 12;
const RESOLUTION_OPTION = 9;

interface Interface {
  linkType: number;
  /** Ticks of its clock in a millisecond. */
  perMs: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function pcapOrder(view: DataView): { little: boolean; perMs: number } | undefined {
  for (const little of [true, false]) {
    const magic = view.getUint32(0, little);
    if (magic === 0xa1b2c3d4) return { little, perMs: 1000 };
    if (magic === 0xa1b23c4d) return { little, perMs: 1_000_000 };
  }
  return undefined;
}

const isPcapng = (view: DataView) => view.getUint32(0) === SECTION;

/** Does this file begin as a capture does: pcap, in either byte order, or pcapng? */
export function isCapture(file: Uint8Array): boolean {
  if (file.length < PCAP_HEADER_BYTES) return false;
  return isPcapng(viewOf(file)) || pcapOrder(viewOf(file)) !== undefined;
}

/** The packets of a pcap or pcapng file in their order. Returns false when the file is cut or broken on the way. */
export function* capturedPackets(file: Uint8Array): Generator<CapturedPacket, boolean> {
  const view = viewOf(file);
  return isPcapng(view) ? yield* readPcapng(file, view) : yield* readPcap(file, view);
}

function* readPcap(file: Uint8Array, view: DataView): Generator<CapturedPacket, boolean> {
  const order = pcapOrder(view);
  if (!order) return false;
  const { little, perMs } = order;
  // The upper bits may say how long each packet's checksum is.
  const linkType = view.getUint32(20, little) & 0xffff;
  let offset = PCAP_HEADER_BYTES;
  while (offset + PCAP_PACKET_BYTES <= file.length) {
    const seconds = view.getUint32(offset, little);
    const fraction = view.getUint32(offset + 4, little);
    const length = view.getUint32(offset + 8, little);
    offset += PCAP_PACKET_BYTES;
    if (length > MAX_PACKET_BYTES || offset + length > file.length) return false;
    const atMs = seconds * 1000 + Math.floor(fraction / perMs);
    yield { atMs, linkType, bytes: file.subarray(offset, offset + length) };
    offset += length;
  }
  return offset === file.length;
}

/** pcapng (draft-ietf-opsawg-pcapng): blocks, of which sections, interfaces and enhanced packets are read. */
function* readPcapng(file: Uint8Array, view: DataView): Generator<CapturedPacket, boolean> {
  let little = false;
  let interfaces: Interface[] = [];
  let offset = 0;
  while (offset + BLOCK_BYTES <= file.length) {
    if (view.getUint32(offset) === SECTION) {
      little = view.getUint32(offset + 8, true) === BYTE_ORDER;
      interfaces = [];
    }
    const type = view.getUint32(offset, little);
    const length = view.getUint32(offset + 4, little);
    if (length < BLOCK_BYTES || length % 4 !== 0 || offset + length > file.length) return false;
    const end = offset + length - 4;
    if (type === INTERFACE) interfaces.push(readInterface(view, offset + 8, end, little));
    else if (type === ENHANCED_PACKET && end - offset >= 28) {
      const from = interfaces[view.getUint32(offset + 8, little)];
      const ticks = view.getUint32(offset + 12, little) * 4_294_967_296 + view.getUint32(offset + 16, little);
      const size = view.getUint32(offset + 20, little);
      const start = offset + 28;
      if (!from || start + size > end) return false;
      yield {
        // Nanoseconds since 1970 exceed 2^53; what a double loses is well below the microsecond added here.
        atMs: Math.floor(ticks / from.perMs + 0.001),
        linkType: from.linkType,
        bytes: file.subarray(start, start + size),
      };
    }
    offset += length;
  }
  return offset === file.length;
}

function readInterface(view: DataView, from: number, end: number, little: boolean): Interface {
  let perMs = 1000;
  if (end - from < 8) return { linkType: -1, perMs };
  for (let at = from + 8; at + 4 <= end; ) {
    const code = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (code === RESOLUTION_OPTION && length === 1 && at + 5 <= end) {
      const resolution = view.getUint8(at + 4);
      // A power of ten, or of two where the highest bit is set.
      perMs = (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution) / 1000;
    }
    at += 4 + ((length + 3) & ~3);
  }
  return { linkType: view.getUint16(from, little), perMs };
}
