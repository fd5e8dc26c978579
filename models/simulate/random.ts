/**
 * The simulator's own randomness: sfc32 (C. Doty-Humphrey, PractRand), one independent stream for each thing that
 * draws, so that one account more or less never changes another. Only Math.log, exp, sin, cos and sqrt are used: V8
 * computes them by its own port of fdlibm, the same on every platform.
 */
export interface Random {
  /** Uniform on [0, 1), 32 bits. */
  next(): number;
  /** Uniform on [low, high). */
  between(low: number, high: number): number;
  /** Uniform on the integers low to high, both included. */
  integer(low: number, high: number): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Normal with mean 0 and deviation 1. */
  normal(): number;
  /** Log-normal with the given median and the deviation of its logarithm. */
  logNormal(median: number, sigma: number): number;
  /** Log-uniform on [low, high). */
  logUniform(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Picks by weight; weights need not sum to 1. */
  weighted<T>(items: readonly (readonly [T, number])[]): T;
  /** Another stream, independent of this one's position. */
  fork(label: string | number): Random;
}

/** FNV-1a with a final mix, so that labels that differ by one digit lie far apart. */
function mix(hash: number, label: string): number {
  let value = hash >>> 0;
  for (let index = 0; index < label.length; index += 1) {
    value = Math.imul(value ^ label.charCodeAt(index), 0x01000193) >>> 0;
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b) >>> 0;
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35) >>> 0;
  return (value ^ (value >>> 16)) >>> 0;
}

/** A stream named by a seed and a label. The same two give the same numbers for ever. */
export function createRandom(seed: number, label: string | number = ""): Random {
  const name = `${seed}/${label}`;
  let a = mix(0x811c9dc5, name);
  let b = mix(a, name);
  let c = mix(b, name);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round += 1) next();
  let spare = Number.NaN;
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const kept = spare;
      spare = Number.NaN;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const random: Random = {
    next,
    between: (low, high) => low + (high - low) * next(),
    integer: (low, high) => low + Math.floor((high - low + 1) * next()),
    exponential: () => -Math.log(1 - next()),
    normal,
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    logUniform: (low, high) => low * Math.exp(Math.log(high / low) * next()),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(items.length * next())] as (typeof items)[number],
    weighted: (items) => {
      let total = 0;
      for (const [, weight] of items) total += weight;
      let left = total * next();
      for (const [item, weight] of items) {
        left -= weight;
        if (left < 0) return item;
      }
      return (items[items.length - 1] as (typeof items)[number])[0];
    },
    fork: (inner) => createRandom(seed, `${label}/${inner}`),
  };
  return random;
}

/** Draws from a Poisson law by counting exponential gaps; meant for means below a few hundred. */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let sum = random.exponential(); sum < mean; sum += random.exponential()) count += 1;
  return count;
}
