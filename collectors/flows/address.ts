/**
 * Addresses as text, without making the same text twice: direct-mapped caches of fixed size, so that hostile traffic
 * from a million addresses costs time and never memory. The flow decoders' hot path.
 */
const SLOTS = 1 << 15;
const keys4 = new Uint32Array(SLOTS);
const texts4: string[] = new Array(SLOTS).fill("0.0.0.0");
const SLOTS6 = 1 << 13;
const keys6 = new Uint32Array(SLOTS6 * 4);
const texts6: string[] = new Array(SLOTS6).fill("::");

/** An IPv4 address from its 32 bits. */
export function textOf4(bits: number): string {
  const slot = (Math.imul(bits, 0x9e3779b1) >>> 17) & (SLOTS - 1);
  if (keys4[slot] === bits) return texts4[slot]!;
  const text = `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  keys4[slot] = bits;
  texts4[slot] = text;
  return text;
}

/** The address in 16 bytes at `offset`, as RFC 5952 writes it; an IPv4-mapped one as IPv4, so that both join. */
export function readAddress6(view: DataView, offset: number): string {
  const a = view.getUint32(offset);
  const b = view.getUint32(offset + 4);
  const c = view.getUint32(offset + 8);
  const d = view.getUint32(offset + 12);
  if (a === 0 && b === 0 && c === 0xffff) return textOf4(d);
  const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 1009) ^ d, 0x9e3779b1);
  const slot = (mixed >>> 19) & (SLOTS6 - 1);
  const at = slot * 4;
  if (keys6[at] === a && keys6[at + 1] === b && keys6[at + 2] === c && keys6[at + 3] === d)
    return texts6[slot]!;
  keys6[at] = a;
  keys6[at + 1] = b;
  keys6[at + 2] = c;
  keys6[at + 3] = d;
  const text = format6([a >>> 16, a & 65535, b >>> 16, b & 65535, c >>> 16, c & 65535, d >>> 16, d & 65535]);
  texts6[slot] = text;
  return text;
}

/** Eight groups, the longest run of two or more zero groups as "::" (RFC 5952 section 4). */
function format6(groups: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) {
      best = start;
      bestLength = length;
    }
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best < 0) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/** A socket's peer address as flows write it: IPv4-mapped IPv6 becomes IPv4, a zone is dropped. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}
