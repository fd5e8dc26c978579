/** Builds export datagrams from their specifications, for tests: the decoders' own reading is not used. */

export const bytes = (...parts: (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
export const u8 = (value: number) => [value & 255];
export const u16 = (value: number) => [(value >>> 8) & 255, value & 255];
export const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 65_535)];
export const u64 = (value: number) => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)];
export const ip4 = (text: string) => text.split(".").map(Number);

/** Seconds of the export in every datagram built here: 2026-01-01T00:00:00Z. */
const EXPORT_SECONDS = 1_767_225_600;
export const EXPORT_MS = EXPORT_SECONDS * 1000;

interface Record5 {
  src?: string;
  dst?: string;
  srcPort?: number;
  dstPort?: number;
  packets?: number;
  octets?: number;
  first?: number;
  last?: number;
}

export interface Header {
  sequence?: number;
  domain?: number;
  uptimeMs?: number;
  seconds?: number;
}

export function netflow5(
  records: readonly Record5[],
  header: Header & { sampling?: number; count?: number } = {},
) {
  const { sequence = 0, uptimeMs = 60_000, seconds = EXPORT_SECONDS, sampling = 0 } = header;
  return bytes(
    u16(5),
    u16(header.count ?? records.length),
    u32(uptimeMs),
    u32(seconds),
    u32(0),
    u32(sequence),
    u16(header.domain ?? 0),
    u16(sampling),
    ...records.map((record) =>
      bytes(
        ip4(record.src ?? "198.51.100.7"),
        ip4(record.dst ?? "192.0.2.9"),
        ip4("0.0.0.0"),
        u16(0),
        u16(0),
        u32(record.packets ?? 3),
        u32(record.octets ?? 300),
        u32(record.first ?? 50_000),
        u32(record.last ?? 59_000),
        u16(record.srcPort ?? 40_000),
        u16(record.dstPort ?? 3333),
        u8(0),
        u8(0x1b),
        u8(6),
        new Uint8Array(9),
      ),
    ),
  );
}

export const set = (id: number, ...body: (Uint8Array | readonly number[])[]) => {
  const content = bytes(...body);
  return bytes(u16(id), u16(content.length + 4), content);
};

/** A field: element and length, with an enterprise number where IPFIX has one. */
export type TemplateField = [element: number, length: number, enterprise?: number];
const field = ([element, length, enterprise]: TemplateField) =>
  enterprise === undefined
    ? bytes(u16(element), u16(length))
    : bytes(u16(element | 0x8000), u16(length), u32(enterprise));

export const template = (id: number, fields: readonly TemplateField[]) =>
  bytes(u16(id), u16(fields.length), ...fields.map(field));

/** Scope fields first, then the others, by each version's own header. */
export const options9 = (id: number, scopes: readonly TemplateField[], fields: readonly TemplateField[]) =>
  bytes(u16(id), u16(scopes.length * 4), u16(fields.length * 4), ...[...scopes, ...fields].map(field));
export const options10 = (id: number, scopes: readonly TemplateField[], fields: readonly TemplateField[]) =>
  bytes(
    u16(id),
    u16(scopes.length + fields.length),
    u16(scopes.length),
    ...[...scopes, ...fields].map(field),
  );

export function netflow9(sets: readonly Uint8Array[], header: Header = {}) {
  const { sequence = 0, domain = 0, uptimeMs = 60_000, seconds = EXPORT_SECONDS } = header;
  return bytes(u16(9), u16(1), u32(uptimeMs), u32(seconds), u32(sequence), u32(domain), ...sets);
}

export function ipfix(sets: readonly Uint8Array[], header: Header & { length?: number } = {}) {
  const { sequence = 0, domain = 0, seconds = EXPORT_SECONDS } = header;
  const body = bytes(...sets);
  return bytes(
    u16(10),
    u16(header.length ?? body.length + 16),
    u32(seconds),
    u32(sequence),
    u32(domain),
    body,
  );
}

/** The usual fields of a flow, and records to go with them. */
export const PLAIN: readonly TemplateField[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 4],
  [2, 4],
  [22, 4],
  [21, 4],
];
export const plainRecord = (packets = 3, octets = 300, srcPort = 40_000) =>
  bytes(
    ip4("198.51.100.7"),
    ip4("192.0.2.9"),
    u16(srcPort),
    u16(3333),
    u8(6),
    u8(0x1b),
    u32(octets),
    u32(packets),
    u32(50_000),
    u32(59_000),
  );

/** An sFlow record or sample: format, length, body. */
export const sflowPart = (format: number, ...body: (Uint8Array | readonly number[])[]) => {
  const content = bytes(...body);
  return bytes(u32(format), u32(content.length), content);
};

export function sflow(
  samples: readonly Uint8Array[],
  { sequence = 0, subAgent = 0, count = samples.length } = {},
) {
  const header = [u32(5), u32(1), ip4("203.0.113.1"), u32(subAgent), u32(sequence), u32(60_000), u32(count)];
  return bytes(...header, ...samples);
}

export function flowSample(
  records: readonly Uint8Array[],
  { rate = 1, expanded = false, count = records.length } = {},
) {
  const source = expanded ? [u32(0), u32(7)] : [u32(7)];
  const ports = expanded ? [u32(0), u32(1), u32(0), u32(2)] : [u32(1), u32(2)];
  const head = [u32(1), ...source, u32(rate), u32(1000), u32(0), ...ports, u32(count)];
  return sflowPart(expanded ? 3 : 1, ...head, ...records);
}

/** A sampled header: of what protocol, how long the whole frame was, and its first bytes, padded to four. */
export const rawHeader = (protocol: number, frame: Uint8Array, frameLength = frame.length) =>
  sflowPart(
    1,
    u32(protocol),
    u32(frameLength),
    u32(0),
    u32(frame.length),
    frame,
    new Uint8Array((4 - (frame.length % 4)) % 4),
  );
