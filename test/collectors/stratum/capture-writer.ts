import { isIPv4 } from "node:net";

/** What a packet to write holds. */
export interface Written {
  atMs: number;
  from: [address: string, port: number];
  to: [address: string, port: number];
  sequence: number;
  acknowledged?: number;
  flags?: string;
  text?: string;
}

const ADDRESS_BYTES: Record<string, Buffer> = {
  "2001:db8::1": Buffer.from("20010db8000000000000000000000001", "hex"),
  "2001:db8::2": Buffer.from("20010db8000000000000000000000002", "hex"),
};

function address(text: string): Buffer {
  return isIPv4(text) ? Buffer.from(text.split(".").map(Number)) : ADDRESS_BYTES[text]!;
}

/** An IP packet with one TCP segment; checksums are left zero, as network cards that compute them leave them. */
export function ipPacket({ from, to, sequence, acknowledged = 0, flags = "A", text = "" }: Written): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from[1], 0);
  tcp.writeUInt16BE(to[1], 2);
  tcp.writeUInt32BE(sequence >>> 0, 4);
  tcp.writeUInt32BE(acknowledged >>> 0, 8);
  tcp[12] = 5 << 4;
  tcp[13] = [..."FSRPAU"].reduce((bits, flag, bit) => (flags.includes(flag) ? bits | (1 << bit) : bits), 0);
  const segment = Buffer.concat([tcp, Buffer.from(text)]);
  if (isIPv4(from[0])) {
    const ip = Buffer.alloc(20);
    ip[0] = 0x45;
    ip.writeUInt16BE(20 + segment.length, 2);
    ip[9] = 6;
    ip.set(address(from[0]), 12);
    ip.set(address(to[0]), 16);
    return Buffer.concat([ip, segment]);
  }
  // A hop-by-hop header stands between, to be walked over.
  const ip = Buffer.alloc(48);
  ip[0] = 0x60;
  ip.writeUInt16BE(8 + segment.length, 4);
  ip[6] = 0;
  ip.set(address(from[0]), 8);
  ip.set(address(to[0]), 24);
  ip[40] = 6;
  return Buffer.concat([ip, segment]);
}

/** Puts a link layer before an IP packet. */
export function linkPacket(linkType: number, ip: Buffer): Buffer {
  const type = ip[0]! >> 4 === 4 ? "0800" : "86dd";
  const headers: Record<number, string> = {
    0: "02000000",
    1: `${"00".repeat(12)}8100000a${type}`,
    101: "",
    113: `${"00".repeat(14)}${type}`,
    276: `${type}${"00".repeat(18)}`,
  };
  return Buffer.concat([Buffer.from(headers[linkType]!, "hex"), ip]);
}

/** A whole file. `pcap` is little-endian with microseconds, `pcap-ns` big-endian with nanoseconds, `pcapng` has nanoseconds. */
export function captureFile(
  format: "pcap" | "pcap-ns" | "pcapng",
  linkType: number,
  packets: [atMs: number, data: Buffer][],
): Buffer {
  if (format === "pcapng") return ngFile(linkType, packets);
  const little = format === "pcap";
  const numbers = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, index) => {
      if (little) bytes.writeUInt32LE(value, 4 * index);
      else bytes.writeUInt32BE(value, 4 * index);
    });
    return bytes;
  };
  const version = Buffer.from(little ? "02000400" : "00020004", "hex");
  const head = [numbers(little ? 0xa1b2c3d4 : 0xa1b23c4d), version, numbers(0, 0, 65_535, linkType)];
  const records = packets.flatMap(([atMs, data]) => [
    numbers(
      Math.floor(atMs / 1000),
      Math.round((atMs % 1000) * (little ? 1e3 : 1e6)),
      data.length,
      data.length,
    ),
    data,
  ]);
  return Buffer.concat([...head, ...records]);
}

function ngFile(linkType: number, packets: [atMs: number, data: Buffer][]): Buffer {
  const block = (type: number, body: Buffer) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(type, 0);
    frame.writeUInt32LE(padded.length + 12, 4);
    return Buffer.concat([frame, padded, frame.subarray(4)]);
  };
  const section = Buffer.from("4d3c2b1a01000000ffffffffffffffff", "hex");
  // Link type, snap length 0, if_tsresol 9, end of options.
  const interfaceBody = Buffer.from(
    `${linkType.toString(16).padStart(4, "0")}000000000000090001000900000000000000`,
    "hex",
  );
  interfaceBody.writeUInt16LE(linkType, 0);
  const blocks = packets.map(([atMs, data]) => {
    const head = Buffer.alloc(20);
    const units = BigInt(Math.round(atMs * 1000)) * 1000n;
    head.writeUInt32LE(Number(units >> 32n), 4);
    head.writeUInt32LE(Number(units & 0xffffffffn), 8);
    head.writeUInt32LE(data.length, 12);
    head.writeUInt32LE(data.length, 16);
    return block(6, Buffer.concat([head, data]));
  });
  // A block of names (4) is none of ours and is left out.
  return Buffer.concat([
    block(0x0a0d0d0a, section),
    block(1, interfaceBody),
    block(4, Buffer.alloc(8)),
    ...blocks,
  ]);
}
