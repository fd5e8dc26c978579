import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCkpool } from "../../../collectors/pools/ckpool.ts";
import { checkCkpool } from "../../../collectors/pools/ckpool-check.ts";
import { gather, replayed, shareLine, untilIdle } from "./share-log.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-ckpool-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const options = () => ({
  name: "ckpool",
  directory,
  pool: "p",
  algorithm: "sha256d",
  pollMs: 1,
  now: Date.now,
});
const read = (cursor?: string, more: { settleMs?: number; maxOpenFiles?: number; now?: () => number } = {}) =>
  untilIdle((sleep) => createCkpool({ ...options(), ...more, sleep }), cursor);

function write(file: string, text: string): string {
  const path = join(directory, `${file}.sharelog`);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, text);
  return path;
}

/** Dates a file two hours back. */
function age(path: string): void {
  const then = Date.now() / 1000 - 7200;
  utimesSync(path, then, then);
}

const named = (username: string) => shareLine({ username, workername: `${username}.1` });

test("reads what is there in order of the ids, then goes on where it was", async () => {
  write("00000071/6b036d0e00000002", named("c"));
  write("00000070/6b036d0e00000000", named("a"));
  write("00000070/6b036d0e00000001", named("b"));
  write("pool/pool.status", "not a share log");
  const first = await read();
  expect(first.shares.map(({ account }) => account)).toEqual(["a", "b", "c"]);
  write("00000070/6b036d0e00000001", named("late"));
  write("00000072/6b036d0e00000003", named("d"));
  const second = await read(first.cursor);
  expect(second.shares.map(({ account }) => account)).toEqual(["late", "d"]);
  expect((await read(second.cursor)).shares).toEqual([]);
});

test("half a record waits for its rest", async () => {
  const line = named("a");
  write("70/1", line + line.slice(0, 100));
  const first = await read();
  expect(first.shares).toHaveLength(1);
  expect(first.refusals).toEqual([]);
  write("70/1", line.slice(100));
  const second = await read(first.cursor);
  expect(second.shares).toHaveLength(1);
});

test("half a record is reported once its file is finished, and never again", async () => {
  age(write("70/1", named("a") + named("b").slice(0, 50)));
  write("70/2", named("c"));
  const first = await read();
  expect(first.shares.map(({ account }) => account)).toEqual(["a", "c"]);
  expect(first.refusals).toEqual([{ reason: "not JSON", place: "70/1.sharelog:2", count: 1 }]);
  expect(JSON.parse(first.cursor!)).toEqual({
    done: "0000000000000001",
    open: { "70/2": [named("c").length, 1] },
  });
  expect(await read(first.cursor)).toMatchObject({ shares: [], refusals: [] });
});

test("a truncated file is read again from its start and said to be", async () => {
  const path = write("70/1", named("a") + named("b"));
  const first = await read();
  truncateSync(path, 0);
  write("70/1", named("c"));
  const second = await read(first.cursor);
  expect(second.shares.map(({ account }) => account)).toEqual(["c"]);
  expect(second.refusals).toMatchObject([
    { reason: expect.stringContaining("truncated"), place: "70/1.sharelog" },
  ]);
});

test("finished files leave the cursor and are never opened again", async () => {
  for (let id = 10; id < 40; id += 1) age(write(`70/${id.toString(16)}`, named("a")));
  write("70/ff", named("b"));
  const first = await read();
  expect(first.shares).toHaveLength(31);
  expect(Object.keys(JSON.parse(first.cursor!).open)).toEqual(["70/ff"]);
  write("70/a", named("never"));
  write("71/100", named("c"));
  expect((await read(first.cursor)).shares.map(({ account }) => account)).toEqual(["c"]);
});

test("a latecomer behind finished files is reported", async () => {
  age(write("70/5", named("a")));
  write("70/6", named("b"));
  const ending = new AbortController();
  let rounds = 0;
  const collector = createCkpool({
    ...options(),
    sleep: async () => {
      rounds += 1;
      if (rounds === 1) write("70/4", named("late"));
      else ending.abort();
    },
  });
  const all = await gather(collector.collect(ending.signal));
  expect(all.shares).toHaveLength(2);
  expect(all.refusals).toEqual([
    { reason: "appeared behind finished files; not read", place: "70/4", count: 1 },
  ]);
});

test("the cursor is bounded by the files kept open", async () => {
  for (let id = 1; id <= 60; id += 1) write(`70/${id.toString(16)}`, named("a"));
  const all = await read(undefined, { maxOpenFiles: 8 });
  expect(all.shares).toHaveLength(60);
  expect(Object.keys(JSON.parse(all.cursor!).open).length).toBeLessThanOrEqual(9);
});

test("bad lines are counted by file and line and stop nothing", async () => {
  write("70/1", `${named("a")}not json\n${"x".repeat(20_000)}\n\n${shareLine({ diff: 0 })}${named("b")}`);
  const all = await read();
  expect(all.shares.map(({ account }) => account)).toEqual(["a", "b"]);
  expect(all.refusals.map(({ place }) => place)).toEqual([
    "70/1.sharelog:2",
    "70/1.sharelog:3",
    "70/1.sharelog:5",
  ]);
});

test("an unfinished oversized line is not read again and again, nor held", async () => {
  write("70/1", "x".repeat(2_000_000));
  const first = await read();
  expect(first).toMatchObject({ shares: [], refusals: [] });
  write("70/1", `\n${named("a")}`);
  const second = await read(first.cursor);
  expect(second.shares).toHaveLength(1);
  expect(second.refusals).toMatchObject([{ place: "70/1.sharelog:1" }]);
});

test("a clock that runs backwards is believed and counted", async () => {
  write("70/1", shareLine() + shareLine({ createdate: "1795386600,0" }) + shareLine());
  expect(await read(undefined, { now: () => 1_795_386_700_000 })).toMatchObject({ backwards: 1 });
});

test("a directory that cannot be read breaks the source", async () => {
  const missing = createCkpool({ ...options(), directory: join(directory, "none") });
  await expect(gather(missing.collect(AbortSignal.timeout(5000)))).rejects.toThrow(/^ckpool: ENOENT/);
});

test("ends at once on abort, while waiting and while reading", async () => {
  write("70/1", named("a").repeat(5000));
  const ending = new AbortController();
  const waiting = createCkpool({ ...options(), pollMs: 600_000 });
  const seen: number[] = [];
  for await (const batch of waiting.collect(ending.signal)) {
    seen.push(batch.observations.length);
    ending.abort();
  }
  expect(seen).toHaveLength(1);
  expect(await gather(waiting.collect(AbortSignal.abort()))).toMatchObject({ shares: [] });
});

test("whatever is written and whenever it is restarted, every share is read once", async () => {
  const step = fc.oneof(
    fc.record({ write: fc.nat(5), pieces: fc.integer({ min: 1, max: 3 }) }),
    fc.constant({ restart: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      const got: string[] = [];
      const put: string[] = [];
      const rest = new Map<string, string>();
      let cursor: string | undefined;
      const collect = async () => {
        const all = await read(cursor);
        got.push(...all.shares.map(({ account }) => account));
        cursor = all.cursor;
      };
      for (const action of steps) {
        if ("restart" in action) {
          await collect();
          continue;
        }
        const file = `7${action.write}/${action.write + 1}`;
        const account = `a${put.length}`;
        put.push(account);
        // Leaves the end of the record for the next write to this file.
        const line = (rest.get(file) ?? "") + named(account);
        const keep = Math.floor(line.length / action.pieces);
        write(file, line.slice(0, keep));
        rest.set(file, line.slice(keep));
      }
      await collect();
      for (const [file, text] of rest) write(file, text);
      await collect();
      expect(got.toSorted()).toEqual(put.toSorted());
    }),
    { numRuns: 40 },
  );
});

test("a replay takes files and directories, in order of the ids", async () => {
  const file = write("71/2", `${named("b")}half`);
  write("70/1", named("a"));
  writeFileSync(join(directory, "70", "other.txt"), "x");
  const all = await replayed(directory);
  expect(all.shares.map(({ account }) => account)).toEqual(["a", "b"]);
  expect(all.refusals).toEqual([{ reason: "not JSON", place: `${file}:2`, count: 1 }]);
  expect((await replayed(file)).shares).toHaveLength(1);
  await expect(replayed(join(directory, "none"))).rejects.toThrow(/ENOENT/);
});

test("check tells what it found or what is wrong", async () => {
  await expect(checkCkpool({ directory })).rejects.toThrow("does ckpool run with -L?");
  write("70/1", "something else\n");
  await expect(checkCkpool({ directory })).rejects.toThrow("70/1:1 not JSON");
  write("70/2", named("a"));
  expect(await checkCkpool({ directory })).toMatch(/^2 share logs, the newest \(70\/2\) written at 20/);
  await expect(checkCkpool({ directory: join(directory, "none") })).rejects.toThrow(/ENOENT/);
});
