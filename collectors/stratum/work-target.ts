/** 2^256, the number of values a 256-bit hash can take. */
const HASHES = 2 ** 256;

/**
 * Expected hashes for one share below a 256-bit target written big-endian in hexadecimal, with or without 0x, as
 * `mining.set_target` (ZIP 301) and Ethereum's boundary are. NaN: not a target. A target is exact to 53 bits here.
 */
export function hashesForTarget(target: unknown): number {
  if (typeof target !== "string") return Number.NaN;
  const digits = /^(?:0x)?([0-9a-f]{1,64})$/i.exec(target)?.[1];
  if (digits === undefined) return Number.NaN;
  const value = Number(BigInt(`0x${digits}`));
  return value > 0 ? HASHES / value : Number.NaN;
}

/**
 * Difficulty, in hashes, of a CryptoNote job's target: 4 or 8 bytes little-endian in hexadecimal, the upper part of the
 * 256-bit target. The pool divided and rounded down, so the nearest whole number is what it meant. NaN: not a target.
 */
export function hashesForShortTarget(target: unknown): number {
  if (typeof target !== "string" || !/^(?:[0-9a-f]{8}|[0-9a-f]{16})$/i.test(target)) return Number.NaN;
  const bytes = Buffer.from(target, "hex");
  const value = bytes.length === 4 ? bytes.readUInt32LE() : Number(bytes.readBigUInt64LE());
  return value > 0 ? Math.round(2 ** (8 * bytes.length) / value) : Number.NaN;
}
