import { randomFrom } from "#core/random.ts";

/** Resamples of a bootstrap; the ends of its interval are then known to about a hundredth. */
const RESAMPLES = 1000;

/** 95 % interval of the part of campaigns above a threshold, by bootstrap over campaigns. */
export function bootstrapRecall(
  campaigns: readonly { score: number }[],
  threshold: number,
  seed = 1,
): { low: number; high: number } {
  if (campaigns.length === 0) return { low: 0, high: 1 };
  const random = randomFrom(seed);
  const found = campaigns.map(({ score }) => (score > threshold ? 1 : 0));
  const recalls = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < found.length; draw += 1)
      sum += found[Math.floor(random() * found.length)] as number;
    return sum / found.length;
  }).sort((left, right) => left - right);
  return { low: recalls[24] as number, high: recalls[975] as number };
}

/**
 * Upper end of the one-sided 95 % interval of a Poisson mean of which `count` was seen: 3.0 for none (the rule of
 * three). Found by bisection on the distribution function.
 */
export function poissonUpper(count: number): number {
  let low = count;
  let high = count + 10 + 5 * Math.sqrt(count + 1);
  for (let round = 0; round < 60; round += 1) {
    const mean = (low + high) / 2;
    let term = Math.exp(-mean);
    let sum = term;
    for (let index = 1; index <= count; index += 1) {
      term *= mean / index;
      sum += term;
    }
    if (sum > 0.05) low = mean;
    else high = mean;
  }
  return high;
}
