import { createHash } from "node:crypto";

/** How a coin writes its addresses: version bytes of key and script hashes, and the prefix of segwit addresses. */
interface Network {
  keyHash: number;
  scriptHash: number;
  segwit?: string;
}

/** From each coin's `chainparams.cpp`. Bitcoin Cash in its older spelling, which watch lists know. */
const NETWORKS: Readonly<Record<string, Network>> = {
  bitcoin: { keyHash: 0, scriptHash: 5, segwit: "bc" },
  "bitcoin-testnet": { keyHash: 111, scriptHash: 196, segwit: "tb" },
  "bitcoin-regtest": { keyHash: 111, scriptHash: 196, segwit: "bcrt" },
  "bitcoin-cash": { keyHash: 0, scriptHash: 5 },
  litecoin: { keyHash: 48, scriptHash: 50, segwit: "ltc" },
  dogecoin: { keyHash: 30, scriptHash: 22 },
  dash: { keyHash: 76, scriptHash: 16 },
  digibyte: { keyHash: 30, scriptHash: 63, segwit: "dgb" },
};

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * The address an output script (hexadecimal) pays: P2PKH, P2SH, and witness programs of every version (BIP 141, written by
 * BIP 173 and BIP 350). Null: another script, such as OP_RETURN or a bare key, or a coin that is not known.
 */
export function addressOf(script: string, coin: string): string | null {
  const network = NETWORKS[coin];
  if (!network) return null;
  const keyHash = /^76a914([0-9a-f]{40})88ac$/.exec(script)?.[1];
  if (keyHash) return base58Check(network.keyHash, keyHash);
  const scriptHash = /^a914([0-9a-f]{40})87$/.exec(script)?.[1];
  if (scriptHash) return base58Check(network.scriptHash, scriptHash);
  const witness = /^(00|5[1-9a-f]|60)([0-9a-f]{2})((?:[0-9a-f]{2}){2,40})$/.exec(script);
  if (!witness || network.segwit === undefined) return null;
  const [, opcode = "", length = "", program = ""] = witness;
  if (Number.parseInt(length, 16) !== program.length / 2) return null;
  const version = opcode === "00" ? 0 : Number.parseInt(opcode, 16) - 0x50;
  return segwitAddress(network.segwit, version, Buffer.from(program, "hex"));
}

function base58Check(version: number, hash: string): string {
  const payload = Buffer.concat([Buffer.of(version), Buffer.from(hash, "hex")]);
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  const bytes = Buffer.concat([payload, sha256(sha256(payload)).subarray(0, 4)]);
  let value = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (; value > 0n; value /= 58n) text = BASE58[Number(value % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}

function segwitAddress(prefix: string, version: number, program: Buffer): string {
  const digits = [version];
  let held = 0;
  let bits = 0;
  for (const byte of program) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      digits.push((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) digits.push((held << (5 - bits)) & 31);
  const expanded = [...[...prefix].map((letter) => letter.charCodeAt(0) >> 5), 0];
  expanded.push(...[...prefix].map((letter) => letter.charCodeAt(0) & 31));
  // Bech32 for version 0, Bech32m after it.
  const check = checksum([...expanded, ...digits, 0, 0, 0, 0, 0, 0]) ^ (version === 0 ? 1 : 0x2bc830a3);
  for (let index = 5; index >= 0; index -= 1) digits.push((check >> (5 * index)) & 31);
  return `${prefix}1${digits.map((digit) => BECH32[digit]).join("")}`;
}

function checksum(digits: readonly number[]): number {
  let value = 1;
  for (const digit of digits) {
    const top = value >> 25;
    value = ((value & 0x1ffffff) << 5) ^ digit;
    GENERATORS.forEach((generator, bit) => {
      if ((top >> bit) & 1) value ^= generator;
    });
  }
  return value;
}
