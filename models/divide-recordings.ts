import { concatenate, type Dataset, leaveOut, type Truth } from "./evaluate/dataset.ts";
import { CLASSES } from "./network.ts";
import { type Recording, screenedIn } from "./recorded.ts";

/** Accounts of recorded pools, of which the truth is known: some to learn from, others to fuse on. */
export interface Divided {
  learning: Dataset;
  fusing: Dataset;
  recordings: number;
}

/** One operation in so many is fused on. */
const FUSED = 4;

/**
 * Reads recordings to learn from. Every fourth operation, honest or not, is kept for fusing, with all its accounts.
 * Left out are honest accounts in places under comprehensive sanctions: they are screening hits whatever they do. Throws
 * where nothing is left to learn from.
 */
export async function divideRecordings(recordings: AsyncIterable<Recording>): Promise<Divided> {
  const sets: Dataset[] = [];
  for await (const { set } of recordings) {
    const screened = screenedIn(set);
    sets.push(leaveOut(set, (owner) => screened.has(owner)));
  }
  const all = concatenate(sets);
  if (all.count === 0) throw new RangeError("recordings: no account to learn from");
  const fused = chooseFused(all);
  return {
    learning: leaveOut(all, (owner) => fused[owner] === 1),
    fusing: leaveOut(all, (owner) => fused[owner] === 0),
    recordings: sets.length,
  };
}

/** Refuses truth that a model cannot learn: with all typologies that none tells, before anything is replayed. */
export function refuseUnknownTypologies(truth: readonly Truth[], place: string): void {
  const unknown = new Set(
    truth.flatMap(({ typology }) => (typology === null || CLASSES.includes(typology, 1) ? [] : typology)),
  );
  if (unknown.size > 0)
    throw new RangeError(
      `${place}: no typology ${[...unknown].join(", ")}; a model tells ${CLASSES.slice(1).join(", ")}`,
    );
}

/** 1 for every account of each fourth honest owner and of each fourth campaign. */
function chooseFused({ truth, worldOf }: Dataset): Uint8Array {
  const numbers = { honest: new Map<string, number>(), campaign: new Map<string, number>() };
  return Uint8Array.from(truth, ({ campaign, pool, account }: Truth, owner) => {
    const known = campaign === null ? numbers.honest : numbers.campaign;
    const operation = JSON.stringify([worldOf[owner], campaign ?? [pool, account]]);
    const number = known.get(operation) ?? known.size;
    known.set(operation, number);
    return number % FUSED === FUSED - 1 ? 1 : 0;
  });
}
