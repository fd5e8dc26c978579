import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import type { Batch, Collector } from "../../src/core/collector.ts";
import type { CheckpointStore } from "../../src/core/store.ts";
import { createEngine } from "../../src/main/engine.ts";
import type { Pipeline } from "../../src/main/pipeline.ts";
import { originOf, shareOf } from "../support/shares.ts";

const NOW = Date.UTC(2026, 5, 1);

/** An engine whose pipeline notes to when time was let pass. */
function start() {
  const passed: number[] = [];
  const pipeline = {
    take: async () => {},
    advance: async (nowMs: number) => void passed.push(nowMs),
  } as unknown as Pipeline;
  const analysis = new Analysis({ lookUpOrigin: (ip) => originOf(ip), stepHours: 6 });
  const engine = createEngine({ analysis, pipeline, store: {} as CheckpointStore });
  return { engine, passed };
}

/** A source that tells one share at each instant and then keeps its reader waiting, until it is let go. */
function source(instants: readonly number[], gate: Promise<void>): Collector {
  return {
    name: "busy",
    async *collect(): AsyncGenerator<Batch> {
      for (const atMs of instants) yield { observations: [shareOf({ atMs })] };
      await gate;
    },
  };
}

async function advanceBeside(instants: readonly number[]): Promise<number[]> {
  const { engine, passed } = start();
  const gate = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const { collect } = source(instants, gate.promise);
  const following = engine.follow({
    name: "busy",
    async *collect(...args) {
      yield* collect(...args);
    },
  })(new AbortController().signal);
  // The engine's turns are in order: once a turn of ours has run, the batches before it have been taken.
  setImmediate(() => told.resolve());
  await told.promise;
  await engine.advance(NOW);
  gate.resolve();
  await following;
  return passed;
}

test("time passes beside a source that never pauses and tells of now, for the pools that are quiet", async () => {
  expect(await advanceBeside([NOW - 2000, NOW - 1000])).toEqual([NOW]);
});

test("time does not pass over a source that still tells of the past, or has told nothing yet", async () => {
  expect(await advanceBeside([NOW - 3_600_000])).toEqual([]);
  expect(await advanceBeside([])).toEqual([]);
});
