import { expect, test } from "vitest";
import type { Batch, Collector } from "../../src/core/collector.ts";
import type { Observation } from "../../src/core/observation.ts";

/** Most observations one batch may hold: what is buffered between a source and the analysis. */
const MAX_BATCH = 20_000;

/** A source with something in it. */
export interface Source {
  /** A collector that waits very long once it has handed over all there is. */
  open: () => Collector;
  /** The same collector where its source cannot be read. */
  openBroken: () => Collector;
  /** How many observations there are. */
  expected: number;
}

/** Collects until so many observations came, then aborts; also sees that the abort ends it. */
async function take(collector: Collector, count: number, cursor?: string): Promise<Batch[]> {
  const ending = new AbortController();
  const batches: Batch[] = [];
  let taken = 0;
  for await (const batch of collector.collect(ending.signal, cursor)) {
    batches.push(batch);
    taken += batch.observations.length;
    if (taken >= count) ending.abort();
  }
  return batches;
}

const all = (batches: readonly Batch[]): Observation[] => batches.flatMap((batch) => batch.observations);

/** What every Collector that can be read again does. `make` gives a source of the test's own. */
export function collectorContract(make: () => Promise<Source>): void {
  test("hands over everything once, in bounded batches, and ends on abort while it waits", async () => {
    const { open, expected } = await make();
    const batches = await take(open(), expected);
    expect(all(batches)).toHaveLength(expected);
    for (const batch of batches) expect(batch.observations.length).toBeLessThanOrEqual(MAX_BATCH);
    const waiting = new AbortController();
    const next = open().collect(waiting.signal, batches.at(-1)!.cursor)[Symbol.asyncIterator]();
    const nothing = drain(next);
    waiting.abort();
    expect(await nothing).toBe(0);
  });

  test("from the cursor of any batch it goes on with what came behind it", async () => {
    const { open, expected } = await make();
    const batches = await take(open(), expected);
    for (const [index, { cursor }] of batches.slice(0, -1).entries()) {
      expect(cursor).toBeTypeOf("string");
      const rest = all(batches.slice(index + 1));
      if (rest.length > 0) expect(all(await take(open(), rest.length, cursor))).toEqual(rest);
    }
    expect(batches.at(-1)!.cursor).toBeTypeOf("string");
  });

  test("hands over nothing once aborted", async () => {
    const { open } = await make();
    expect(await drain(open().collect(AbortSignal.abort())[Symbol.asyncIterator]())).toBe(0);
  });

  test("a source that breaks is thrown, with the collector's name", async () => {
    const { openBroken } = await make();
    const broken = openBroken();
    const ending = AbortSignal.timeout(20_000);
    await expect(drain(broken.collect(ending)[Symbol.asyncIterator]())).rejects.toThrow(
      new RegExp(`^${broken.name}: `),
    );
    expect(ending.aborted).toBe(false);
  });
}

/** Counts observations until the end. */
async function drain(batches: AsyncIterator<Batch>): Promise<number> {
  let count = 0;
  for (let step = await batches.next(); !step.done; step = await batches.next()) {
    count += step.value.observations.length;
  }
  return count;
}
