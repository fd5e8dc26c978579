/** A source of uniform numbers in [0, 1). Math.random is one; what must be repeatable takes one from `randomFrom`. */
export type Random = () => number;

/**
 * A seeded generator: sfc32 (Chris Doty-Humphrey's small fast counting generator, PractRand), 32 bits a number and a
 * period of at least 2³². The same seed gives the same numbers on every platform. `stream` gives independent
 * generators under one seed. Not for secrets.
 */
export function randomFrom(seed: number, stream = 0): Random {
  let a = seed | 0;
  let b = Math.trunc(seed / 0x1_0000_0000) | 0;
  let c = stream | 0;
  let counter = 1;
  const next = () => {
    const out = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return (out >>> 0) / 0x1_0000_0000;
  };
  // The generator's author asks for 12 rounds to mix a seed of three words; 15 leave room.
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** An exponentially distributed number of mean 1. */
export function exponential(random: Random): number {
  return -Math.log(1 - random());
}

/** A normally distributed number of mean 0 and variance 1 (Box & Muller 1958; the second of the pair is not used). */
export function normal(random: Random): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
}

/** Puts the items in random order, in place (Fisher & Yates). */
export function shuffle(items: { [index: number]: number; length: number }, random: Random): void {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const kept = items[index]!;
    items[index] = items[other]!;
    items[other] = kept;
  }
}
