/** One recorded packet, from its link layer on. */
export interface Packet {
  /** Milliseconds since the epoch, with their fraction. */
  atMs: number;
  /** As registered at tcpdump.org/linktypes.html. */
  linkType: number;
  data: Buffer;
}

/** A block or packet longer than this is taken for a damaged file; tcpdump's own snap length is at most 262,144. */
const MAX_BLOCK_BYTES = 1024 * 1024;

interface Interface {
  linkType: number;
  /** Units of a time stamp in a millisecond. */
  unitsPerMs: number;
  offsetMs: number;
}

/**
 * Reads capture files as they come: pcap with micro- and nanoseconds in either byte order
 * (draft-ietf-opsawg-pcap) and pcapng with section, interface, enhanced, simple and obsolete packet blocks
 * (draft-ietf-opsawg-pcapng). Other blocks are left out. Holds at most one block.
 */
export class CaptureReader {
  /** Why reading stopped: what follows cannot be read. */
  broken: string | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #format: "pcap" | "pcapng" | null = null;
  #little = true;
  #interfaces: Interface[] = [];

  /** The packets this chunk completes, in the file's order. Never throws. */
  push(chunk: Buffer): Packet[] {
    if (this.broken !== null) return [];
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const packets: Packet[] = [];
    let at = 0;
    while (this.broken === null) {
      const next = this.#format === null ? this.#begin(bytes) : this.#block(bytes, at, packets);
      if (next === null) break;
      at = next;
    }
    this.#rest = bytes.subarray(at);
    return packets;
  }

  /** Call at the file's end: half a packet there is told in `broken`. */
  end(): void {
    if (this.broken !== null) return;
    if (this.#format === null) this.broken = "not a pcap or pcapng file";
    else if (this.#rest.length > 0) this.broken = "the file ends within a packet";
  }

  #u32(bytes: Buffer, at: number): number {
    return this.#little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #u16(bytes: Buffer, at: number): number {
    return this.#little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  /** Reads the file's beginning; gives the place of the first block. */
  #begin(bytes: Buffer): number | null {
    if (bytes.length < 24) return null;
    const magic = bytes.readUInt32LE(0);
    if (magic === 0x0a0d0d0a) {
      this.#format = "pcapng";
      return 0;
    }
    this.#little = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
    const own = this.#u32(bytes, 0);
    if (own !== 0xa1b2c3d4 && own !== 0xa1b23c4d) {
      this.broken = "not a pcap or pcapng file";
      return null;
    }
    this.#format = "pcap";
    // The upper bits say how long the frame check sequence is.
    const linkType = this.#u32(bytes, 20) & 0x0fffffff;
    this.#interfaces = [{ linkType, unitsPerMs: own === 0xa1b2c3d4 ? 1e3 : 1e6, offsetMs: 0 }];
    return 24;
  }

  #block(bytes: Buffer, at: number, packets: Packet[]): number | null {
    return this.#format === "pcap" ? this.#record(bytes, at, packets) : this.#ngBlock(bytes, at, packets);
  }

  #record(bytes: Buffer, at: number, packets: Packet[]): number | null {
    if (bytes.length < at + 16) return null;
    const length = this.#u32(bytes, at + 8);
    if (length > MAX_BLOCK_BYTES) {
      this.broken = "a packet longer than any can be";
      return null;
    }
    if (bytes.length < at + 16 + length) return null;
    const { linkType, unitsPerMs } = this.#interfaces[0]!;
    const atMs = this.#u32(bytes, at) * 1000 + this.#u32(bytes, at + 4) / unitsPerMs;
    packets.push({ atMs, linkType, data: bytes.subarray(at + 16, at + 16 + length) });
    return at + 16 + length;
  }

  #ngBlock(bytes: Buffer, at: number, packets: Packet[]): number | null {
    if (bytes.length < at + 12) return null;
    const type = bytes.readUInt32LE(at);
    if (type === 0x0a0d0d0a) this.#little = bytes.readUInt32LE(at + 8) === 0x1a2b3c4d;
    const length = this.#u32(bytes, at + 4);
    if (length < 12 || length % 4 !== 0 || length > MAX_BLOCK_BYTES) {
      this.broken = "a damaged block";
      return null;
    }
    if (bytes.length < at + length) return null;
    const body = bytes.subarray(at + 8, at + length - 4);
    const kind = this.#u32(bytes, at);
    if (kind === 0x0a0d0d0a) this.#interfaces = [];
    else if (kind === 1 && body.length >= 8) this.#interfaces.push(this.#readInterface(body));
    else if (kind === 6 && body.length >= 20) this.#packet(body, this.#u32(body, 0), 20, packets);
    else if (kind === 2 && body.length >= 20) this.#packet(body, this.#u16(body, 0), 20, packets);
    return at + length;
  }

  #packet(body: Buffer, index: number, header: number, packets: Packet[]): void {
    const from = this.#interfaces[index];
    const length = this.#u32(body, 12);
    if (!from || header + length > body.length) return;
    const units = this.#u32(body, 4) * 2 ** 32 + this.#u32(body, 8);
    const data = body.subarray(header, header + length);
    packets.push({ atMs: from.offsetMs + units / from.unitsPerMs, linkType: from.linkType, data });
  }

  #readInterface(body: Buffer): Interface {
    const found: Interface = { linkType: this.#u16(body, 0), unitsPerMs: 1e3, offsetMs: 0 };
    for (let at = 8; at + 4 <= body.length; ) {
      const code = this.#u16(body, at);
      const length = this.#u16(body, at + 2);
      if (code === 0 || at + 4 + length > body.length) break;
      // if_tsresol: a negative power of ten, or of two with the top bit set.
      const resolution = body[at + 4]!;
      if (code === 9)
        found.unitsPerMs = (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution) / 1000;
      // if_tsoffset: whole seconds.
      if (code === 14 && length === 8) {
        const seconds = this.#little ? body.readBigInt64LE(at + 4) : body.readBigInt64BE(at + 4);
        found.offsetMs = Number(seconds) * 1000;
      }
      at += 4 + length + ((4 - (length % 4)) % 4);
    }
    return found;
  }
}
