import { randomFrom } from "#core/random.ts";
import type { Dataset } from "./dataset.ts";
import { type Finding, judged } from "./figure.ts";

/** Accounts of one world that are tested: those of a world are alike, and alike is not independent. */
const A_WORLD = 10;

/**
 * Largest distance of a sample from the uniform distribution on 0..1, and the probability of as much by chance
 * (Kolmogorov & Smirnov; the asymptotic tail with Stephens' 1970 correction for the size of the sample).
 */
export function ksUniform(sample: ArrayLike<number>): { distance: number; p: number } {
  const sorted = Float64Array.from(sample).sort();
  const count = sorted.length;
  let distance = 0;
  for (const [index, value] of sorted.entries())
    distance = Math.max(distance, (index + 1) / count - value, value - index / count);
  const scaled = (Math.sqrt(count) + 0.12 + 0.11 / Math.sqrt(count)) * distance;
  let tail = 0;
  for (let term = 1; term <= 100; term += 1)
    tail += 2 * (term % 2 === 1 ? 1 : -1) * Math.exp(-2 * term * term * scaled * scaled);
  return { distance, p: scaled < 0.2 ? 1 : Math.min(1, Math.max(0, tail)) };
}

/**
 * Whether conformal p-values of honest accounts are uniform: each account's last row, ten accounts of every world. `pOf`
 * answers a row's p-value, equal scores ranked by `tie`, which is drawn: where many are equal no other p-value is uniform.
 * `part` is the part of the evaluation.
 */
export function conformalFinding(
  part: string,
  set: Dataset,
  pOf: (row: number, tie: number) => number,
  seed = 1,
): Finding {
  const last = new Map<number, number>();
  for (let row = 0; row < set.count; row += 1) {
    const owner = set.owner[row] as number;
    if (set.truth[owner]?.campaign === null) last.set(owner, row);
  }
  const byWorld = new Map<number, number[]>();
  const all: number[] = [];
  const random = randomFrom(seed);
  for (const [owner, row] of last) {
    const p = pOf(row, random());
    all.push(p);
    const world = set.worldOf[owner] as number;
    const own = byWorld.get(world);
    if (own) own.push(p);
    else byWorld.set(world, [p]);
  }
  const chosen = [...byWorld.values()].flatMap((own) =>
    Array.from({ length: Math.min(A_WORLD, own.length) }, () => {
      return own.splice(Math.floor(own.length * random()), 1)[0] as number;
    }),
  );
  const { p } = ksUniform(chosen);
  const low = all.filter((one) => one <= 0.01).length / all.length;
  const whole = ksUniform(all);
  return judged(
    {
      figure: `${part}.conformal_ks_p`,
      value: p,
      unit: "probability",
      note: `${chosen.length} honest accounts; of all ${all.length} ${(100 * low).toFixed(2)} % have p ≤ .01, distance from uniform ${whole.distance.toFixed(3)}`,
    },
    { atLeast: 0.01 },
  );
}
