/** A made-up block template in the form a V1 notify carries it. */
export interface Template {
  prevHash: string;
  coinbase1: string;
  coinbase2: string;
}

/** What a template is made from. */
export interface TemplateOptions {
  height: number;
  /** Written into the coinbase script, as pools write their name. */
  tag: string;
  /** In [0, 1). */
  random: () => number;
}

/** Extranonce 1 and 2, in bytes, as the pool hands them out. */
export const EXTRANONCE_1_BYTES = 4;
export const EXTRANONCE_2_BYTES = 8;

/** A coinbase by BIP 34 that pays 3.125 coins to a script of zeros, on top of a random block. */
export function makeTemplate({ height, tag, random }: TemplateOptions): Template {
  const text = Buffer.from(`/${tag}/`, "latin1");
  const script = Buffer.alloc(4);
  script[0] = 3;
  script.writeUIntLE(height, 1, 3);
  const scriptLength = script.length + EXTRANONCE_1_BYTES + EXTRANONCE_2_BYTES + text.length;
  const input = `01000000${"01"}${"00".repeat(32)}ffffffff${scriptLength.toString(16).padStart(2, "0")}`;
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(312_500_000n);
  const output = `01${value.toString("hex")}160014${"00".repeat(20)}`;
  // Word-reversed as V1 sends it; the zeros of a hash that meets the target come last.
  const word = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return {
    prevHash: `${Array.from({ length: 6 }, word).join("")}${"0".repeat(16)}`,
    coinbase1: input + script.toString("hex"),
    coinbase2: `${text.toString("hex")}ffffffff${output}00000000`,
  };
}
