import { formatAddress } from "./proxy-protocol.ts";

/** One TCP segment as a capture holds it. */
export interface Segment {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledged: number;
  syn: boolean;
  ack: boolean;
  fin: boolean;
  rst: boolean;
  /** What was recorded of the payload. */
  payload: Buffer;
  /** Length of the payload on the wire; longer than what was recorded where the capture cuts packets. */
  length: number;
}

/** A packet without a TCP segment, or one that cannot be read, with the reason where it is worth counting. */
export type SegmentReading = Segment | { reason: string } | null;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TCP = 6;

/**
 * Finds the TCP segment in a packet of a link type: null/loop (0, 108), Ethernet with VLAN tags (1), raw (12, 14,
 * 101, 228, 229), Linux cooked (113, 276). IPv6 extension headers are walked; fragments are left out: TCP avoids them.
 */
export function readSegment(linkType: number, data: Buffer): SegmentReading {
  const network = networkLayer(linkType, data);
  if (network === undefined) return { reason: "link layer that is not known" };
  if (network === null || network.length < 20) return null;
  const version = network[0]! >> 4;
  if (version === 4) return readIpv4(network);
  return version === 6 ? readIpv6(network) : null;
}

function networkLayer(linkType: number, data: Buffer): Buffer | null | undefined {
  switch (linkType) {
    case 0:
    case 108:
      return data.subarray(4);
    case 1:
      return afterEtherType(data, 12);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return data;
    case 113:
      return afterEtherType(data, 14);
    case 276: {
      if (data.length < 20) return null;
      const type = data.readUInt16BE(0);
      return type === IPV4 || type === IPV6 ? data.subarray(20) : null;
    }
    default:
      return undefined;
  }
}

/** What follows the EtherType at `at`, past VLAN tags (802.1Q, 802.1ad and the older 0x9100). */
function afterEtherType(data: Buffer, at: number): Buffer | null {
  for (let place = at; place + 2 <= data.length; place += 4) {
    const type = data.readUInt16BE(place);
    if (type === IPV4 || type === IPV6) return data.subarray(place + 2);
    if (type !== 0x8100 && type !== 0x88a8 && type !== 0x9100) return null;
  }
  return null;
}

function readIpv4(packet: Buffer): SegmentReading {
  if (packet[9] !== TCP) return null;
  // More fragments, or an offset.
  if (packet.readUInt16BE(6) & 0x3fff) return { reason: "IP fragment" };
  const header = (packet[0]! & 15) * 4;
  // Zero where the sender's network card cuts the packet itself.
  const total = packet.readUInt16BE(2) || packet.length;
  if (header < 20 || total < header) return { reason: "malformed IP packet" };
  return readTcp(
    packet.subarray(header, total),
    total - header,
    packet.subarray(12, 16),
    packet.subarray(16, 20),
  );
}

function readIpv6(packet: Buffer): SegmentReading {
  if (packet.length < 40) return null;
  const length = packet.readUInt16BE(4) || packet.length - 40;
  let next = packet[6]!;
  let at = 40;
  // Hop-by-hop, routing and destination options.
  while (next === 0 || next === 43 || next === 60) {
    if (at + 8 > packet.length) return null;
    next = packet[at]!;
    at += 8 + packet[at + 1]! * 8;
  }
  if (next === 44) return { reason: "IP fragment" };
  if (next !== TCP) return null;
  if (at > 40 + length) return { reason: "malformed IP packet" };
  const end = 40 + length;
  return readTcp(packet.subarray(at, end), end - at, packet.subarray(8, 24), packet.subarray(24, 40));
}

function readTcp(tcp: Buffer, onWire: number, source: Buffer, destination: Buffer): SegmentReading {
  if (tcp.length < 20) return { reason: "packet cut within its TCP header" };
  const header = (tcp[12]! >> 4) * 4;
  if (header < 20 || header > onWire) return { reason: "malformed TCP header" };
  const flags = tcp[13]!;
  return {
    source: formatAddress(source),
    destination: formatAddress(destination),
    sourcePort: tcp.readUInt16BE(0),
    destinationPort: tcp.readUInt16BE(2),
    sequence: tcp.readUInt32BE(4),
    acknowledged: tcp.readUInt32BE(8),
    fin: (flags & 1) !== 0,
    syn: (flags & 2) !== 0,
    rst: (flags & 4) !== 0,
    ack: (flags & 16) !== 0,
    payload: tcp.subarray(header),
    length: onWire - header,
  };
}
