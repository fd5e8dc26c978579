import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFollower } from "../../../collectors/flows/follow.ts";
import { createZeekParser } from "../../../collectors/flows/zeek.ts";
import type { Flow } from "../../../src/core/observation.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const HEADER =
  "#separator \\x09\n#unset_field\t-\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_pkts\n";
/** A connection told apart by its port. */
const row = (port: number) => `${NOW / 1000 - 60}\t198.51.100.7\t${port}\t192.0.2.9\t3333\ttcp\t3\n`;

let folder: string;
let file: string;
let ending: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "assay-follow-"));
  file = join(folder, "conn.log");
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort();
  await rm(folder, { recursive: true });
});

/** A follower running until it is stopped; what it yields gathers here. */
function follow(cursor?: string) {
  const collector = createFollower({
    name: "zeek",
    file,
    parser: () => createZeekParser("zeek", () => NOW),
    pollMs: 5,
    sleep: (delayMs, signal) => setTimeout(delayMs, undefined, { signal }).catch(() => undefined),
  });
  const mine = new AbortController();
  const ports: number[] = [];
  const seen: { cursor: string | undefined; refusals: string[] } = { cursor, refusals: [] };
  const done = (async () => {
    for await (const batch of collector.collect(AbortSignal.any([ending.signal, mine.signal]), cursor)) {
      ports.push(...batch.observations.map((flow) => (flow as Flow).srcPort));
      seen.refusals.push(
        ...(batch.refusals ?? []).map(({ place, reason }) => `${place.slice(folder.length + 1)} ${reason}`),
      );
      seen.cursor = batch.cursor;
    }
  })();
  done.catch(() => undefined);
  const stop = async () => {
    mine.abort();
    await done;
    return seen.cursor;
  };
  return { ports, seen, stop, done };
}

describe("a followed log", () => {
  it("is waited for, then read as it grows, half lines when they are whole", async () => {
    const { ports } = follow();
    await writeFile(file, HEADER + row(1) + row(2).slice(0, 20));
    await expect.poll(() => ports).toEqual([1]);
    await appendFile(file, row(2).slice(20));
    await expect.poll(() => ports).toEqual([1, 2]);
  });

  it("is read on from its cursor after a restart: nothing twice, nothing left out, columns still known", async () => {
    await writeFile(file, HEADER + row(1) + row(2) + row(3).slice(0, 9));
    const before = follow();
    await expect.poll(() => before.ports).toEqual([1, 2]);
    const cursor = await before.stop();
    await appendFile(file, `${row(3).slice(9)}bad\n${row(4)}`);
    const after = follow(cursor);
    await expect.poll(() => after.ports).toEqual([3, 4]);
    expect(after.seen.refusals).toEqual(["conn.log:7 1 columns where 7 are named"]);
  });

  it("is read to its end when it is renamed, and its successor from the start", async () => {
    await writeFile(file, HEADER + row(1));
    const { ports } = follow();
    await expect.poll(() => ports).toEqual([1]);
    await appendFile(file, row(2).trimEnd());
    await rename(file, join(folder, "conn.10:00.log"));
    await writeFile(file, HEADER + row(3));
    await expect.poll(() => ports).toEqual([1, 2, 3]);
  });

  it("is found under its new name when it was renamed while nobody followed", async () => {
    await writeFile(file, HEADER + row(1));
    const before = follow();
    await expect.poll(() => before.ports).toEqual([1]);
    const cursor = await before.stop();
    await appendFile(file, row(2));
    await rename(file, join(folder, "conn.10:00.log"));
    await writeFile(file, HEADER + row(3));
    const after = follow(cursor);
    await expect.poll(() => after.ports).toEqual([2, 3]);
  });

  it("is told as not read to its end where it was moved away while nobody followed", async () => {
    await writeFile(file, HEADER + row(1));
    const before = follow();
    await expect.poll(() => before.ports).toEqual([1]);
    const cursor = await before.stop();
    await rename(file, `${folder}-archived.log`);
    await writeFile(file, HEADER + row(2));
    const after = follow(cursor);
    await expect.poll(() => after.ports).toEqual([2]);
    expect(after.seen.refusals).toEqual([
      expect.stringContaining("conn.log:4 the file read last is no longer"),
    ]);
    await rm(`${folder}-archived.log`);
  });

  it("is read from the start when it was truncated", async () => {
    await writeFile(file, HEADER + row(1) + row(2));
    const { ports } = follow();
    await expect.poll(() => ports).toEqual([1, 2]);
    await truncate(file, 0);
    await appendFile(file, HEADER + row(3));
    await expect.poll(() => ports).toEqual([1, 2, 3]);
  });

  it("throws with its name when it cannot be read, or when its cursor is none", async () => {
    file = folder;
    await expect(follow().done).rejects.toMatchObject({ message: expect.stringContaining("zeek: ") });
    await expect(follow("{}").done).rejects.toThrow();
  });
});
