import type { LookUpOrigin } from "#core/origin.ts";
import { collect } from "./collect.ts";
import { concatenate, type Dataset } from "./evaluate/dataset.ts";
import { simulate } from "./simulate/simulate.ts";
import { drawWorld, type WorldOptions } from "./worlds.ts";

/** One world to be simulated, and how often its accounts are looked at. */
export interface WorldJob {
  seed: number;
  world: WorldOptions;
  stepHours: number;
}

/** Simulates worlds and keeps their vectors, in the order asked for. `onDrawn` hears how many are done. */
export type DrawWorlds = (jobs: readonly WorldJob[], onDrawn?: (done: number) => void) => Promise<Dataset[]>;

/** Simulates one world and runs it through the analysis. */
export function drawOne({ seed, world, stepHours }: WorldJob, lookUpOrigin: LookUpOrigin): Dataset {
  return collect(simulate(drawWorld(seed, world), seed), { lookUpOrigin, stepHours });
}

/** Draws world after world in this thread. */
export function drawHere(lookUpOrigin: LookUpOrigin): DrawWorlds {
  return async (jobs, onDrawn) =>
    jobs.map((job, index) => {
      const set = drawOne(job, lookUpOrigin);
      onDrawn?.(index + 1);
      return set;
    });
}

/** So many worlds of one kind, with seeds from `seed` on, as one data set. */
export async function drawSet(
  draw: DrawWorlds,
  count: number,
  first: WorldJob,
  onDrawn?: (done: number) => void,
): Promise<Dataset> {
  const jobs = Array.from({ length: count }, (_, index) => ({ ...first, seed: first.seed + index }));
  return concatenate(await draw(jobs, onDrawn));
}
