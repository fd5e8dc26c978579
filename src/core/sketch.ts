/** Small exact tools for counting distinct things in a few words of memory, and the hash they share. */

/** FNV-1a over UTF-16 units, 32 bits, finished so that low bits are well mixed (murmur3's finaliser). */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Sets the bit of `hash` in a bitmap of `count` words; true when it was not set. */
export function mark(words: Uint32Array, at: number, count: number, hash: number): boolean {
  const bit = hash & (count * 32 - 1);
  const index = at + (bit >>> 5);
  const mask = 1 << (bit & 31);
  const before = words[index] as number;
  if ((before & mask) !== 0) return false;
  words[index] = before | mask;
  return true;
}

/** Whether the bit of `hash` is set. */
export function marked(words: Uint32Array, at: number, count: number, hash: number): boolean {
  const bit = hash & (count * 32 - 1);
  return ((words[at + (bit >>> 5)] as number) & (1 << (bit & 31))) !== 0;
}

/** Whether a Bloom filter of `count` words holds `hash`; two bits each, so 1 in 30 not put in is held among 100. */
export function holds(words: Uint32Array, at: number, count: number, hash: number): boolean {
  return marked(words, at, count, hash) && marked(words, at, count, hash >>> 16);
}

/** Puts `hash` into a Bloom filter of `count` words. */
export function hold(words: Uint32Array, at: number, count: number, hash: number): void {
  mark(words, at, count, hash);
  mark(words, at, count, hash >>> 16);
}

/** About how many things a Bloom filter of two bits each holds; a full one answers its upper bound. */
export function held(words: Uint32Array, at: number, count: number): number {
  return distinct(words, at, at, count) / 2;
}

function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Distinct things in the union of two bitmaps by linear counting (Whang et al. 1990): −m ln(z/m) with z zero bits.
 * A full bitmap answers m ln m, its upper bound.
 */
export function distinct(words: Uint32Array, first: number, second: number, count: number): number {
  let set = 0;
  for (let index = 0; index < count; index += 1) {
    set += popCount((words[first + index] as number) | (words[second + index] as number));
  }
  const size = count * 32;
  return set >= size ? size * Math.log(size) : -size * Math.log(1 - set / size);
}

/** A worker's name with its digits taken out: "rig07" and "rig12" share the template "rig#". */
export function nameTemplate(worker: string): string {
  return worker.replace(/\d+/g, "#");
}
