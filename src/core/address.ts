/** An address as its big-endian integer: a number where it fits, because most addresses are IPv4. */
export type Address = { bits: 32; value: number } | { bits: 128; value: bigint };

/** The four octets as one unsigned integer, or -1 when the text is not a dotted quad. Octal-looking octets are refused. */
export function parseIpv4(text: string): number {
  if (text.length > 15) return -1;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 46) {
      if (octet < 0 || dots === 3) return -1;
      value = value * 256 + octet;
      octet = -1;
      dots += 1;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1;
}

/** Dotted quad of an unsigned 32-bit integer. */
function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Reads IPv4 or IPv6 (RFC 4291; a zone such as `%eth0` is left out). Null when the text is neither. */
export function parseAddress(text: string): Address | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 >= 0) return { bits: 32, value: ipv4 };
  const value = text.length > 64 ? null : parseIpv6(text);
  return value === null ? null : { bits: 128, value };
}

/** Groups of one to four hexadecimal digits, `::` once at most for groups of zeros, perhaps a dotted quad at the end. */
function parseIpv6(text: string): bigint | null {
  const [zoneless = "", zone] = text.split("%", 2);
  if (zone !== undefined && !/^[0-9a-z.:-]+$/i.test(text.slice(zoneless.length + 1))) return null;
  const address = quadAsGroups(zoneless);
  const halves = address.split("::");
  if (!address.includes(":") || halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...left, ...new Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return BigInt(`0x${groups.map((group) => group.padStart(4, "0")).join("")}`);
}

/** `::ffff:192.0.2.1` as `::ffff:c000:201`; anything else as it is. */
function quadAsGroups(text: string): string {
  const quad = text.slice(text.lastIndexOf(":") + 1);
  const value = parseIpv4(quad);
  if (value < 0) return text;
  return `${text.slice(0, -quad.length)}${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
}

/** The one canonical spelling: dotted quad, or RFC 5952 lower-case hexadecimal with the longest run of zeros left out. */
export function formatAddress(address: Address): string {
  if (address.bits === 32) return formatIpv4(address.value);
  const { value } = address;
  const hex = value.toString(16).padStart(32, "0");
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number.parseInt(hex.slice(index * 4, index * 4 + 4), 16).toString(16),
  );
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === "0") length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}

/** A block of addresses: its first and last address, both included. */
export interface Block {
  bits: 32 | 128;
  first: bigint;
  last: bigint;
  /** Prefix length. */
  length: number;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address. Null when it is none; bits set behind the prefix are refused. */
export function parsePrefix(text: string): Block | null {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const { bits } = address;
  const value = BigInt(address.value);
  const digits = slash < 0 ? String(bits) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits)) return null;
  const length = Number(digits);
  if (length > bits) return null;
  const span = (1n << BigInt(bits - length)) - 1n;
  return (value & span) === 0n ? { bits, first: value, last: value | span, length } : null;
}
