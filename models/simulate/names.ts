import type { MachineModel } from "./machines.ts";
import type { Random } from "./random.ts";

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const HEX = "0123456789abcdef";
const SYLLABLES = [
  "ka",
  "lo",
  "mi",
  "ra",
  "ten",
  "vor",
  "hash",
  "sun",
  "blu",
  "zan",
  "dig",
  "fox",
  "nor",
  "pik",
  "oro",
];

const characters = (random: Random, alphabet: string, length: number): string => {
  let text = "";
  for (let index = 0; index < length; index += 1)
    text += alphabet[Math.floor(alphabet.length * random.next())];
  return text;
};

/** A payout address in the shape of the coin's own. It belongs to nobody anyone knows of: checksums are not made to hold. */
export function drawAddressOfCoin(random: Random, algorithm: MachineModel["algorithm"]): string {
  if (algorithm === "sha256d") return `bc1q${characters(random, BECH32, 38)}`;
  if (algorithm === "scrypt") return `ltc1q${characters(random, BECH32, 38)}`;
  if (algorithm === "etchash") return `0x${characters(random, HEX, 40)}`;
  return `4${random.pick(["1", "2", "3", "4", "6", "7", "8", "9", "A", "B"])}${characters(random, BASE58, 93)}`;
}

/** A user name as pools that pay by user have them. */
export function drawUser(random: Random): string {
  const word =
    random.pick(SYLLABLES) + random.pick(SYLLABLES) + (random.chance(0.5) ? random.pick(SYLLABLES) : "");
  return random.chance(0.6) ? `${word}${random.integer(1, 9999)}` : word;
}

/** How an owner names workers: number → name. */
export type Naming = (index: number) => string;

const two = (value: number): string => String(value).padStart(2, "0");
const three = (value: number): string => String(value).padStart(3, "0");

/** An owner's naming habit; the common habits are common to many owners, as in real pools. */
export function drawNaming(random: Random, model: MachineModel): Naming {
  const word = random.pick(SYLLABLES) + random.pick(SYLLABLES);
  const octet = random.integer(0, 60);
  const hosts = characters(random, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 7);
  const seed = random.integer(0, 99);
  const farm: readonly (readonly [Naming, number])[] = [
    [(index) => `${model.name}-${three(index)}`, 3],
    [(index) => `192x168x${octet + Math.floor(index / 250)}x${1 + (index % 250)}`, 4],
    [(index) => `10x${octet}x${Math.floor(index / 250)}x${1 + (index % 250)}`, 2],
    [(index) => `worker${index}`, 3],
    [
      (index) =>
        `A${1 + Math.floor(index / 120)}-${two(1 + (Math.floor(index / 12) % 10))}-${two(1 + (index % 12))}`,
      2,
    ],
    [(index) => `${word}${three(index)}`, 3],
    [(index) => three(index), 2],
  ];
  const home: readonly (readonly [Naming, number])[] = [
    [(index) => `rig${index}`, 4],
    [(index) => (index === 1 ? "worker1" : `worker${index}`), 4],
    [(index) => (index === 1 ? word : `${word}${index}`), 5],
    [(index) => `${model.name.toLowerCase()}${index === 1 ? "" : index}`, 3],
    [(index) => (index === 1 ? "x" : `x${index}`), 2],
    [(index) => `DESKTOP-${hosts.slice(0, 5)}${two((seed + index) % 100)}`, 2],
  ];
  return random.weighted(model.setting === "farm" ? farm : home);
}
