import { isIP, isIPv6 } from "node:net";

/** The two ends of a connection as a PROXY header names them. */
export interface Endpoints {
  source: Endpoint;
  destination: Endpoint;
}
/** An address in its usual text form, and a TCP port. */
export interface Endpoint {
  address: string;
  port: number;
}

/**
 * What the first bytes of a connection say: a whole header of `bytes` bytes (`endpoints` is absent for LOCAL and
 * UNKNOWN, a balancer's own health checks), `more` bytes needed, or a reason why it is none.
 */
export type ProxyHeader = { bytes: number; endpoints?: Endpoints } | { more: true } | { reason: string };

const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V1_SIGNATURE = Buffer.from("PROXY ", "latin1");
/** Longest v1 header with its CRLF; section 2.1 of the specification. */
const V1_LONGEST = 107;
/** TLVs of a v2 header beyond this are taken for hostile; the specification asks for 216 at least. */
const V2_LONGEST = 4096;

/**
 * Reads a PROXY protocol header, version 1 or 2, from the start of `bytes`, following "The PROXY protocol", HAProxy
 * Technologies, 2020-03-05 revision. Never throws.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_SIGNATURE)) return readV2(bytes);
  if (startsLike(bytes, V1_SIGNATURE)) return readV1(bytes);
  return { reason: "no PROXY header" };
}

/** True when `bytes` begins with the signature, or with as much of it as has come. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_LONGEST).indexOf("\r\n");
  if (end < 0) return bytes.length >= V1_LONGEST ? { reason: "PROXY v1 header too long" } : { more: true };
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  if (family === "UNKNOWN") return { bytes: end + 2 };
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : 0;
  const known = version !== 0 && isIP(source ?? "") === version && isIP(destination ?? "") === version;
  const ports = [sourcePort, destinationPort].map((port) =>
    /^\d{1,5}$/.test(port ?? "") ? Number(port) : -1,
  );
  if (!known || rest.length > 0 || ports.some((port) => port < 0 || port > 65_535)) {
    return { reason: "malformed PROXY v1 header" };
  }
  return {
    bytes: end + 2,
    endpoints: {
      source: { address: plainAddress(source!), port: ports[0]! },
      destination: { address: plainAddress(destination!), port: ports[1]! },
    },
  };
}

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return { more: true };
  const command = bytes[12]!;
  const length = bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1) return { reason: "malformed PROXY v2 header" };
  if (length > V2_LONGEST) return { reason: "PROXY v2 header too long" };
  if (bytes.length < 16 + length) return { more: true };
  const header = { bytes: 16 + length };
  const family = bytes[13]! >> 4;
  if ((command & 15) === 0 || (family !== 1 && family !== 2)) return header;
  const size = family === 1 ? 4 : 16;
  if (length < 2 * size + 4) return { reason: "malformed PROXY v2 header" };
  const address = (from: number) => formatAddress(bytes.subarray(from, from + size));
  const portsAt = 16 + 2 * size;
  return {
    ...header,
    endpoints: {
      source: { address: address(16), port: bytes.readUInt16BE(portsAt) },
      destination: { address: address(16 + size), port: bytes.readUInt16BE(portsAt + 2) },
    },
  };
}

/** Writes the header a pool expects before a miner's first byte. Addresses of mixed families are both written as IPv6. */
export function writeProxyHeader(version: "v1" | "v2", { source, destination }: Endpoints): Buffer {
  const wide = isIPv6(source.address) || isIPv6(destination.address);
  if (version === "v1") {
    const text = (address: string) => (wide && !isIPv6(address) ? `::ffff:${address}` : address);
    const addresses = `${text(source.address)} ${text(destination.address)}`;
    return Buffer.from(
      `PROXY TCP${wide ? 6 : 4} ${addresses} ${source.port} ${destination.port}\r\n`,
      "latin1",
    );
  }
  const size = wide ? 16 : 4;
  const header = Buffer.alloc(16 + 2 * size + 4);
  V2_SIGNATURE.copy(header);
  header[12] = 0x21;
  header[13] = wide ? 0x21 : 0x11;
  header.writeUInt16BE(2 * size + 4, 14);
  header.set(parseAddress(source.address, wide), 16);
  header.set(parseAddress(destination.address, wide), 16 + size);
  header.writeUInt16BE(source.port, 16 + 2 * size);
  header.writeUInt16BE(destination.port, 18 + 2 * size);
  return header;
}

/** An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) in its plain form; everything else unchanged but the zone. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}

/** The text form of 4 or 16 address bytes; IPv6 as RFC 5952 asks, without the dotted form but for mapped addresses. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[2 * index]! << 8) | bytes[2 * index + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return bytes.slice(12).join(".");
  let start = -1;
  let length = 1;
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (to < 8 && groups[to] === 0) to += 1;
    if (to - from > length) {
      start = from;
      length = to - from;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function parseAddress(address: string, wide: boolean): Uint8Array {
  const bytes = new Uint8Array(wide ? 16 : 4);
  if (!address.includes(":")) {
    bytes.set(address.split(".").map(Number), wide ? 12 : 0);
    if (wide) bytes.fill(0xff, 10, 12);
    return bytes;
  }
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address;
  const [head = "", tail] = plain.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  all.forEach((group, index) => {
    bytes[2 * index] = group >> 8;
    bytes[2 * index + 1] = group & 255;
  });
  return bytes;
}
