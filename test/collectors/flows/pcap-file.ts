import { bytes, ip4, u8, u16, u32 } from "./encode.ts";

/** Builds packets and captures from their specifications, for tests. */
export const udp = (payload: Uint8Array, port = 2055, from = 50_000) =>
  bytes(u16(from), u16(port), u16(payload.length + 8), u16(0), payload);
export const tcp = (from: number, to: number, flags: number, payload = new Uint8Array(0)) =>
  bytes(u16(from), u16(to), u32(1), u32(0), u8(0x50), u8(flags), u16(65_535), u32(0), payload);

export const ip = (
  payload: Uint8Array,
  { fragment = 0, protocol = 17, src = "203.0.113.1", dst = "127.0.0.1" } = {},
) =>
  bytes(
    u8(0x45),
    u8(0),
    u16(payload.length + 20),
    u16(0),
    u16(fragment),
    u8(64),
    u8(protocol),
    u16(0),
    ip4(src),
    ip4(dst),
    payload,
  );

/** From ::1 to ::2. */
export const ip6 = (payload: Uint8Array, next = 17) =>
  bytes(
    u32(0x60000000),
    u16(payload.length),
    u8(next),
    u8(64),
    new Uint8Array(15),
    u8(1),
    new Uint8Array(15),
    u8(2),
    payload,
  );

export const ethernet = (payload: Uint8Array, type: readonly number[] = u16(0x0800)) =>
  bytes(new Uint8Array(12), type, payload);

/** A capture in this machine's byte order or the other; libpcap writes whichever it runs on. */
export function pcap(
  packets: readonly Uint8Array[],
  { little = false, linkType = 1, nanoseconds = false } = {},
) {
  const word = (value: number) => (little ? u32(value).reverse() : u32(value));
  const half = (value: number) => (little ? u16(value).reverse() : u16(value));
  const header = bytes(
    word(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4),
    half(2),
    half(4),
    new Uint8Array(8),
    word(65_535),
    word(linkType),
  );
  return bytes(
    header,
    ...packets.map((packet) =>
      bytes(
        word(1_767_225_600),
        word(nanoseconds ? 250_000_000 : 250_000),
        word(packet.length),
        word(packet.length),
        packet,
      ),
    ),
  );
}

/** A pcapng file: a section, and an interface before each packet, whose clock has this power of ten (6 unless said). */
export function pcapng(
  packets: readonly { linkType: number; packet: Uint8Array; resolution?: number }[],
  little: boolean,
) {
  const word = (value: number) => (little ? u32(value).reverse() : u32(value));
  const half = (value: number) => (little ? u16(value).reverse() : u16(value));
  const block = (type: number, ...body: (Uint8Array | readonly number[])[]) => {
    const content = bytes(...body);
    const padding = new Uint8Array((4 - (content.length % 4)) % 4);
    const length = content.length + padding.length + 12;
    return bytes(word(type), word(length), content, padding, word(length));
  };
  const section = block(0x0a0d0d0a, word(0x1a2b3c4d), half(1), half(0), new Uint8Array(8).fill(255));
  const blocks = packets.flatMap(({ linkType, packet, resolution = 6 }, index) => {
    const ticks = BigInt(1_767_225_600_250) * 10n ** BigInt(resolution - 3);
    const clock = [half(9), half(1), u8(resolution), new Uint8Array(3), half(0), half(0)];
    const times = [word(Number(ticks >> 32n)), word(Number(ticks & 0xffff_ffffn))];
    return [
      block(1, half(linkType), half(0), word(65_535), ...clock),
      // Of a kind that is stepped over.
      block(4, new Uint8Array(8)),
      block(6, word(index), ...times, word(packet.length), word(packet.length), packet),
    ];
  });
  return bytes(section, ...blocks);
}
