import { describe, expect, test } from "vitest";
import type { Batch, Collector } from "../../src/core/collector.ts";

/** A collector whose source is there, and what makes its source say something. */
export interface LiveCollector extends AsyncDisposable {
  collector: Collector;
  /** Makes the source say something again and again until the test ends. */
  speak: () => void;
}

/** What every Collector does whose source cannot be read again. */
export function liveCollectorContract(
  name: string,
  open: () => Promise<LiveCollector>,
  broken: () => Collector,
): void {
  describe(`${name} keeps the contract of a Collector that cannot be read again`, () => {
    test("its batches carry no cursor, and an abort ends it with nothing more handed over", async () => {
      await using source = await open();
      const ending = new AbortController();
      const batches: Batch[] = [];
      source.speak();
      for await (const batch of source.collector.collect(ending.signal)) {
        expect(ending.signal.aborted).toBe(false);
        batches.push(batch);
        if (batch.observations.length > 0) ending.abort();
      }
      expect(batches.length).toBeGreaterThan(0);
      for (const { cursor } of batches) expect(cursor).toBeUndefined();
    });

    test("an abort ends it while its source is silent, and it can be collected from again", async () => {
      await using source = await open();
      for (let round = 0; round < 2; round += 1) {
        const ending = new AbortController();
        const batches = source.collector.collect(ending.signal)[Symbol.asyncIterator]();
        const next = batches.next();
        setImmediate(() => ending.abort());
        expect(await next).toMatchObject({ done: true });
      }
    });

    test("a taker that stops taking ends it", async () => {
      await using source = await open();
      source.speak();
      for await (const _ of source.collector.collect(new AbortController().signal)) break;
    });

    test("a broken source is thrown with the collector's name and the cause", async () => {
      const collector = broken();
      const collecting = (async () => {
        for await (const _ of collector.collect(new AbortController().signal));
      })();
      const error = await collecting.then(
        () => null,
        (failure: Error) => failure,
      );
      expect(error?.message.startsWith(`${collector.name}: `)).toBe(true);
      expect(error?.cause).toBeInstanceOf(Error);
    });
  });
}
