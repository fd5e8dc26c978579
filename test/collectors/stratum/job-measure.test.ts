import { expect, test } from "vitest";
import { createJobMeasure } from "../../../collectors/stratum/job-measure.ts";
import type { Job } from "../../../src/core/observation.ts";

const MINUTE = 60_000;

/** Jobs as `minute pool hash`. */
const jobs = (...lines: string[]): Job[] =>
  lines.map((line) => {
    const [minute = "", pool = "", prevHash = ""] = line.split(" ");
    return {
      type: "job",
      atMs: Number(minute) * MINUTE,
      pool,
      jobId: minute,
      prevHash,
      clean: true,
    };
  });

function diverged(all: readonly Job[]): string[] {
  const measure = createJobMeasure();
  measure.take(all);
  return measure
    .takeDeltas()
    .map(({ tags, bucketMs, values }) => `${bucketMs / MINUTE} ${tags[0]} ${values[2]}`)
    .sort();
}

test("jobs count from the minute on in which their pool is apart from most of the others", () => {
  const found = diverged(
    jobs(
      ...["0 a one", "0 b one", "0 c one"],
      ...["5 a two", "5.2 b two"],
      // Propagation, and then no longer.
      ...["5.5 c one", "6.1 c one", "6.3 c one", "6.5 c one", "7 c one"],
      // Back with the others, and ahead of them.
      ...["8 c two", "9.5 c three", "10 a two", "10 b two", "10.6 c three"],
    ),
  );
  expect(found).toEqual(["10 c 1", "6 c 2", "7 c 1"]);
});

test("of two pools that part both diverge, and neither does once they are together again", () => {
  const found = diverged(
    jobs(
      "0 a one",
      "0 b one",
      "2 a two",
      "2.5 b one",
      "3 a two",
      "3.5 b one",
      "4 b two",
      "6 a two",
      "6 b two",
    ),
  );
  expect(found).toEqual(["3 a 1", "3 b 1"]);
});

test("pools of different chains, a pool that fell silent, and jobs that come late are not compared", () => {
  expect(diverged(jobs("0 btc one", "0 ltc 1", "5 btc two", "5 ltc 2", "9 btc two", "9 ltc 2"))).toEqual([]);
  expect(diverged(jobs("0 a one", "0 b one", "1 a two", "20 a two", "21 a two"))).toEqual([]);
  expect(diverged(jobs("0 a one", "0 b one", "3 a two", "3 b two", "9 a two", "2 b one"))).toEqual([]);
});

test("a chain is known by one block in common, also through a third pool", () => {
  const apart = ["0 a one", "0 b two", "1 c one", "1 d two"];
  const joined = ["2 a three", "2 b three", "2 c three", "3 d two", "4 d two"];
  // d stood with b before b stood with a and c: its chain is theirs.
  expect(diverged(jobs(...apart, ...joined))).toEqual(["3 d 1", "4 d 1"]);
});

test("so many pools are compared and no more: the one silent longest gives way", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `1 p${index} one`);
  const apart = (pool: string) => [`2 ${pool} two`, `4 ${pool} two`];
  expect(diverged(jobs("0 old one", ...many.slice(1), ...apart("old")))).toEqual(["4 old 1"]);
  // One more, and the first is a stranger that may mine another chain.
  expect(diverged(jobs("0 old one", ...many, ...apart("old")))).toEqual([]);
});
