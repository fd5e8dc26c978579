import { createHash } from "node:crypto";

const BASE32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Of Bitcoin Cash: what the checksum of an address without its prefix was computed with. */
const PREFIX = "bitcoincash";
const GENERATORS = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n];

/**
 * The older spelling of a Bitcoin Cash address, `1…` or `3…`, in which OFAC's BCH list has some entries: both name the
 * same hash. Null when the text (lower case, without prefix) is not CashAddr of 160 bits with a right checksum.
 * After the CashAddr specification of bitcoincash.org; Base58Check as in Bitcoin.
 */
export function legacyOf(cashAddress: string): string | null {
  const digits = [...cashAddress].map((character) => BASE32.indexOf(character));
  if (digits.includes(-1) || digits.length !== 42) return null;
  const prefix = [...PREFIX].map((character) => character.charCodeAt(0) & 31);
  if (checksum([...prefix, 0, ...digits]) !== 0n) return null;
  // 34 digits of 5 bits: a version byte, 20 bytes of hash, 2 bits of padding.
  const payload = digits.slice(0, -8).reduce((value, digit) => (value << 5n) | BigInt(digit), 0n) >> 2n;
  const version = Number(payload >> 160n);
  // Type in the upper bits (0 key hash, 1 script hash), size in the lower three (0: 160 bits).
  if (version !== 0 && version !== 8) return null;
  const hash = (payload & ((1n << 160n) - 1n)).toString(16).padStart(40, "0");
  return base58Check(Buffer.from(`${version === 0 ? "00" : "05"}${hash}`, "hex"));
}

function checksum(digits: readonly number[]): bigint {
  let value = 1n;
  for (const digit of digits) {
    const top = value >> 35n;
    value = ((value & 0x07ffffffffn) << 5n) ^ BigInt(digit);
    for (const [bit, generator] of GENERATORS.entries()) if ((top >> BigInt(bit)) & 1n) value ^= generator;
  }
  return value ^ 1n;
}

function base58Check(payload: Buffer): string {
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  const bytes = Buffer.concat([payload, sha256(sha256(payload)).subarray(0, 4)]);
  let value = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (; value > 0n; value /= 58n) text = BASE58[Number(value % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros) + text;
}
