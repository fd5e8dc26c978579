import { readAddress6, textOf4 } from "./address.ts";

/** The ends of a packet out of the headers that were sampled. */
export interface Packet {
  src: string;
  dst: string;
  protocol: number;
  srcPort: number;
  dstPort: number;
  tcpFlags: number | undefined;
  /** Length of the IP packet as its header says, also where the sample is cut. */
  bytes: number;
}

const TCP = 6;
const UDP = 17;
const ETHERNET_BYTES = 14;
const VLAN_TAGS = new Set([0x8100, 0x88a8]);
const MAX_TAGS = 4;
/** IPv6 headers that stand before the transport's, and are walked over: hop-by-hop, routing, destination options. */
const EXTENSIONS = new Set([0, 43, 60]);
const MAX_EXTENSIONS = 8;

/** Reads an Ethernet frame's headers from `offset`; nothing when it holds no IP packet, or too little of one. */
export function readEthernet(view: DataView, offset: number, end: number): Packet | undefined {
  let at = offset + ETHERNET_BYTES;
  for (let tags = 0; tags < MAX_TAGS && at + 4 <= end; tags += 1) {
    if (!VLAN_TAGS.has(view.getUint16(at - 2))) break;
    at += 4;
  }
  return readIp(view, at, end);
}

/** Reads an IP packet's headers. Of a later fragment, and of what was cut before the ports, both ports are 0. */
export function readIp(view: DataView, offset: number, end: number): Packet | undefined {
  if (offset + 1 > end) return undefined;
  const version = view.getUint8(offset) >>> 4;
  if (version === 4 && offset + 20 <= end) return readIp4(view, offset, end);
  return version === 6 && offset + 40 <= end ? readIp6(view, offset, end) : undefined;
}

function readIp4(view: DataView, offset: number, end: number): Packet | undefined {
  const headerBytes = (view.getUint8(offset) & 15) * 4;
  if (headerBytes < 20) return undefined;
  const laterFragment = (view.getUint16(offset + 6) & 0x1fff) !== 0;
  const protocol = view.getUint8(offset + 9);
  return {
    src: textOf4(view.getUint32(offset + 12)),
    dst: textOf4(view.getUint32(offset + 16)),
    protocol,
    bytes: view.getUint16(offset + 2),
    ...readPorts(view, laterFragment ? end : offset + headerBytes, end, protocol),
  };
}

function readIp6(view: DataView, offset: number, end: number): Packet {
  let protocol = view.getUint8(offset + 6);
  let at = offset + 40;
  for (let count = 0; count < MAX_EXTENSIONS && EXTENSIONS.has(protocol) && at + 8 <= end; count += 1) {
    protocol = view.getUint8(at);
    at += (view.getUint8(at + 1) + 1) * 8;
  }
  return {
    src: readAddress6(view, offset + 8),
    dst: readAddress6(view, offset + 24),
    protocol,
    bytes: 40 + view.getUint16(offset + 4),
    ...readPorts(view, at, end, protocol),
  };
}

function readPorts(view: DataView, at: number, end: number, protocol: number) {
  const known = (protocol === TCP || protocol === UDP) && at + 4 <= end;
  return {
    srcPort: known ? view.getUint16(at) : 0,
    dstPort: known ? view.getUint16(at + 2) : 0,
    tcpFlags: protocol === TCP && at + 14 <= end ? view.getUint8(at + 13) : undefined,
  };
}
