/**
 * Expected hashes per unit of difficulty. Hashrate is the sum of difficulty × factor over time.
 *
 * Sources: SHA-256d: target of difficulty 1 is 2^224 (Bitcoin, `nBits` 0x1d00ffff), hence 2^32 hashes a share of
 * difficulty 1. scrypt: Litecoin pools use a difficulty-1 target 2^16 times easier, hence 65,536. Lyra2, Groestl and
 * Keccak coins: a difficulty-1 target 2^8 times easier, hence 2^24. Monero and Ethash count difficulty in hashes.
 * Equihash (Zcash): difficulty 1 is a target of 2^243 (`powLimit` 0x1f07ffff), hence 2^13 solutions.
 */
const HASHES_PER_DIFFICULTY: Readonly<Record<string, number>> = {
  sha256d: 2 ** 32,
  scrypt: 2 ** 16,
  lyra2rev2: 2 ** 24,
  lyra2z: 2 ** 24,
  groestl: 2 ** 24,
  keccak: 2 ** 24,
  randomx: 1,
  cryptonight: 1,
  ethash: 1,
  etchash: 1,
  kawpow: 2 ** 32,
  kheavyhash: 2 ** 32,
  blake3: 2 ** 32,
  equihash: 2 ** 13,
  autolykos2: 1,
};

/** The known algorithms, for configuration errors and the documentation. */
export const ALGORITHMS: readonly string[] = Object.keys(HASHES_PER_DIFFICULTY);

/** Hashes expected for one share of difficulty 1. An algorithm nobody knows counts its difficulty as hashes. */
export function hashesPerDifficulty(algorithm: string): number {
  return HASHES_PER_DIFFICULTY[algorithm] ?? 1;
}
