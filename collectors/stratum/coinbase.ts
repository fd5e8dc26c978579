/** What a coinbase transaction tells of a block template. Values in the coin's smallest unit. */
export interface Coinbase {
  /** Block height by BIP 34; absent where the script does not begin with one. */
  height?: number;
  /** The readable parts of the script, as pools write their names there. */
  tag?: string;
  /** Absent where the second part was cut or is not a transaction. */
  outputs?: { script: string; value: number }[];
}

/** Shortest run of readable characters taken for a tag: shorter ones occur in random bytes. */
const TAG_RUN = 4;
/** A job's tag is cut to this many characters; the longest in mempool/mining-pools has 38. */
const TAG_LONGEST = 128;
/** More outputs than any pool pays in a coinbase (P2Pool had a few hundred) are not decoded. */
const MAX_OUTPUTS = 256;
const HEX = /^(?:[0-9a-f]{2})*$/i;

/**
 * Decodes a coinbase transaction from the two parts of a V1 notify, with `extranonceBytes` (extranonce 1 and 2
 * together) missing between them. Null: not a coinbase transaction without witness data. Never throws.
 * Layout: Bitcoin developer reference, "Raw Transaction Format" and "Coinbase Input"; height: BIP 34.
 */
export function decodeCoinbase(
  first: unknown,
  second: unknown,
  extranonceBytes: number | null,
): Coinbase | null {
  if (typeof first !== "string" || !HEX.test(first)) return null;
  const head = Buffer.from(first, "hex");
  // version 4, one input 1, previous output 32 zeros and ffffffff, then the length of the script.
  if (head.length < 43 || head[4] !== 1 || head.readUInt32LE(37) !== 0xffffffff) return null;
  if (head.subarray(5, 37).some((byte) => byte !== 0)) return null;
  const scriptLength = head[41]!;
  // Consensus allows 2 to 100 bytes, so the length is one byte.
  if (scriptLength < 2 || scriptLength > 100) return null;
  const script = head.subarray(42, 42 + scriptLength);
  const coinbase: Coinbase = {};
  const height = readHeight(script);
  if (height !== undefined) coinbase.height = height;
  const texts = [readableRuns(script)];
  if (typeof second === "string" && HEX.test(second) && extranonceBytes !== null) {
    const tail = Buffer.from(second, "hex");
    const rest = scriptLength - script.length - extranonceBytes;
    if (rest >= 0 && rest <= tail.length) {
      texts.push(readableRuns(tail.subarray(0, rest)));
      const outputs = readOutputs(tail.subarray(rest));
      if (outputs) coinbase.outputs = outputs;
    }
  }
  const tag = texts.filter(Boolean).join(" ").slice(0, TAG_LONGEST);
  if (tag) coinbase.tag = tag;
  return coinbase;
}

function readHeight(script: Buffer): number | undefined {
  const push = script[0]!;
  // OP_1 to OP_16: the first blocks of a regression test chain.
  if (push >= 0x51 && push <= 0x60) return push - 0x50;
  if (push < 1 || push > 5 || script.length <= push) return undefined;
  const height = script.readUIntLE(1, push);
  // A negative number (top bit set) is no height.
  return script[push]! & 0x80 ? undefined : height;
}

function readableRuns(script: Buffer): string {
  const runs = script.toString("latin1").match(/[\x20-\x7e]+/g) ?? [];
  return runs
    .map((run) => run.trim())
    .filter((run) => run.length >= TAG_RUN)
    .join(" ");
}

function readOutputs(bytes: Buffer): { script: string; value: number }[] | undefined {
  // Sequence 4, count, then outputs of value 8, length and script, then lock time 4.
  const count = bytes[4];
  if (count === undefined || count > 0xfc || count > MAX_OUTPUTS) return undefined;
  const outputs: { script: string; value: number }[] = [];
  let at = 5;
  for (let index = 0; index < count; index += 1) {
    const length = bytes[at + 8];
    if (length === undefined || length > 0xfc || at + 9 + length > bytes.length) return undefined;
    const value = Number(bytes.readBigUInt64LE(at));
    outputs.push({ script: bytes.toString("hex", at + 9, at + 9 + length), value });
    at += 9 + length;
  }
  return outputs;
}

/**
 * The previous block's hash as explorers show it, from a V1 notify, which carries it as eight words of four bytes,
 * each reversed. Null: not 64 hexadecimal digits.
 */
export function readPrevHash(prevHash: unknown): string | null {
  if (typeof prevHash !== "string" || !/^[0-9a-f]{64}$/i.test(prevHash)) return null;
  const words = prevHash.toLowerCase().match(/.{8}/g)!;
  return words.reverse().join("");
}
