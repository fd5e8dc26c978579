import { once } from "node:events";
import { appendFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type HandOverCounters,
  type HandOverOptions,
  handOver,
} from "../../../collectors/stratum/hand-over.ts";
import type { Collector } from "../../../src/core/collector.ts";
import type { Share } from "../../../src/core/observation.ts";
import { running, silent, until } from "./harness.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-spool-"));
});
afterEach(() => rm(directory, { recursive: true }));

const share = (serial: number): Share => ({
  type: "share",
  atMs: 1_700_000_000_000 + serial,
  pool: "testpool",
  algorithm: "sha256d",
  account: `account-${serial}`,
  difficulty: 1,
  outcome: "accepted",
});

/** A collector fed by the test. */
function startSource() {
  let waiting: Share[] = [];
  let wake = silent;
  const collector: Collector = {
    name: "tap",
    async *collect(signal) {
      signal.addEventListener("abort", () => wake());
      while (!signal.aborted) {
        if (waiting.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else {
          const observations = waiting;
          waiting = [];
          yield { observations };
        }
      }
    },
  };
  return {
    collector,
    push(...serials: number[]) {
      waiting.push(...serials.map(share));
      wake();
    },
  };
}

interface Post {
  headers: IncomingHttpHeaders;
  accounts: string[];
}

/** A service that keeps each numbered batch once, as the real one does, and answers as the test says. */
async function startService(port = 0) {
  const posts: Post[] = [];
  const kept = new Map<string, string[]>();
  let status: (post: Post) => number = () => 202;
  const server = createServer(async (request, response) => {
    const lines = (await text(request.pipe(createGunzip()))).trimEnd().split("\n");
    const post = {
      headers: request.headers,
      accounts: lines.map((line) => JSON.parse(line).account as string),
    };
    posts.push(post);
    const code = status(post);
    if (code === 202 || code === 0)
      kept.set(`${request.headers["assay-source"]} ${request.headers["assay-sequence"]}`, post.accounts);
    // 0: the answer is lost on the way.
    if (code === 0) request.socket.destroy();
    else response.writeHead(code).end();
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    posts,
    port: (server.address() as AddressInfo).port,
    kept: () => [...kept.values()].flat(),
    sequences: () => posts.map(({ headers }) => Number(headers["assay-sequence"])),
    answer(next: typeof status) {
      status = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function start(collector: Collector, port: number, overrides: Partial<HandOverOptions> = {}) {
  const counters: HandOverCounters = { waiting: 0, delivered: 0, refused: 0, dropped: 0, retries: 0 };
  const task = handOver({
    collector,
    url: `http://127.0.0.1:${port}`,
    directory,
    spoolBytes: 10_000_000,
    log: silent,
    pollMs: 2,
    // Backoff without waiting.
    sleep: (_, signal) => new Promise((resolve) => (signal.aborted ? resolve() : setTimeout(resolve, 2))),
    onCounters: (now) => Object.assign(counters, now),
    ...overrides,
  });
  return { ...running(task), counters };
}

const accounts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `account-${from + index}`);

test("batches arrive in order, numbered, with the tap's name and the token", async () => {
  const source = startSource();
  await using service = await startService();
  await using handing = start(source.collector, service.port, { token: "a-token-of-the-test" });
  for (let serial = 0; serial < 20; serial += 1) {
    source.push(serial);
    await until(() => service.kept().length === serial + 1, "the share");
  }
  expect(service.kept()).toEqual(accounts(0, 20));
  const { headers } = service.posts[0]!;
  expect(headers).toMatchObject({
    "assay-source": "tap",
    "content-encoding": "gzip",
    authorization: "Bearer a-token-of-the-test",
  });
  const sequences = service.sequences();
  expect(sequences).toEqual(sequences.map((_, index) => sequences[0]! + index));
  await until(() => handing.counters.delivered === 20, "the counter");
  expect(handing.counters).toMatchObject({ waiting: 0, dropped: 0, refused: 0 });
});

test("a service that is away gets everything once when it is back", async () => {
  const source = startSource();
  const before = await startService();
  await using handing = start(source.collector, before.port);
  source.push(0, 1);
  await until(() => before.kept().length === 2, "the first shares");
  await before[Symbol.asyncDispose]();
  source.push(2, 3);
  await until(() => handing.counters.retries > 2, "retries");
  source.push(4);
  await using after = await startService(before.port);
  await until(() => after.kept().length === 3, "the later shares");
  expect(after.kept()).toEqual(accounts(2, 5));
});

test("an answer lost on the way repeats the same batch under the same number", async () => {
  const source = startSource();
  await using service = await startService();
  let lost = 0;
  service.answer(() => (++lost <= 3 ? 0 : 202));
  await using handing = start(source.collector, service.port);
  source.push(0, 1, 2);
  await until(() => handing.counters.delivered === 3, "the delivery");
  expect(service.posts).toHaveLength(4);
  expect(new Set(service.sequences()).size).toBe(1);
  expect(new Set(service.posts.map((post) => post.accounts.join())).size).toBe(1);
  expect(service.kept()).toEqual(accounts(0, 3));
});

test("a restart goes on where it was: nothing lost, nothing doubled, numbers rise", async () => {
  await using service = await startService();
  service.answer(() => 503);
  const first = startSource();
  const one = start(first.collector, service.port);
  first.push(0, 1, 2);
  await until(() => service.posts.length > 0, "a post");
  first.push(3);
  await until(() => one.counters.waiting === 4, "the spool");
  await one[Symbol.asyncDispose]();
  // A death in the middle of a write leaves half a line behind.
  const files = (await readdir(directory)).sort();
  await appendFile(join(directory, files.at(-1)!), '{"type":"share","at":"20');

  service.answer(() => 202);
  const second = startSource();
  await using two = start(second.collector, service.port, { now: () => 0 });
  second.push(4);
  await until(() => service.kept().length === 5, "everything");
  second.push(5);
  await until(() => two.counters.waiting === 0 && service.kept().length === 6, "the last one");
  expect(service.kept()).toEqual(accounts(0, 6));
  const sequences = service.sequences();
  expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
});

test("a full spool drops its oldest observations and counts them", async () => {
  const source = startSource();
  await using service = await startService();
  service.answer(() => 503);
  const bytes = 6000;
  await using handing = start(source.collector, service.port, { spoolBytes: bytes, segmentBytes: 1000 });
  for (let serial = 0; serial < 200; serial += 1) {
    source.push(serial);
    await until(() => handing.counters.waiting + handing.counters.dropped === serial + 1, "the share");
  }
  const { dropped } = handing.counters;
  expect(dropped).toBeGreaterThan(100);
  service.answer(() => 202);
  await until(() => handing.counters.waiting === 0, "the delivery");
  expect(service.kept()).toHaveLength(200 - dropped);
  expect(service.kept().at(-1)).toBe("account-199");
});

test("what the service refuses is counted, said and not repeated", async () => {
  const source = startSource();
  await using service = await startService();
  service.answer(({ accounts: [first] }) => (first === "account-0" ? 400 : 202));
  const errors: string[] = [];
  await using handing = start(source.collector, service.port, {
    log: (level, message) => level === "error" && errors.push(message),
  });
  source.push(0);
  await until(() => handing.counters.refused === 1, "the refusal");
  source.push(1);
  await until(() => handing.counters.delivered === 1, "the next one");
  expect(service.posts).toHaveLength(2);
  expect(errors).toEqual(["tap: the service refused observations"]);
});

test.each([408, 429, 500, 503])("an answer of %i is tried again", async (status) => {
  const source = startSource();
  await using service = await startService();
  let tries = 0;
  service.answer(() => (++tries < 3 ? status : 202));
  await using handing = start(source.collector, service.port);
  source.push(0);
  await until(() => handing.counters.delivered === 1, "the delivery");
  expect(handing.counters).toMatchObject({ refused: 0, retries: 2 });
});

test("a disk that refuses costs observations, not the collector", async () => {
  const source = startSource();
  await using service = await startService();
  await using handing = start(source.collector, service.port);
  source.push(0);
  await until(() => handing.counters.delivered === 1, "the delivery");
  await rm(directory, { recursive: true });
  source.push(1);
  await until(() => handing.counters.delivered + handing.counters.dropped >= 2, "the loss or the delivery");
  let ended = false;
  handing.ended.finally(() => {
    ended = true;
  });
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  directory = await mkdtemp(join(tmpdir(), "assay-spool-"));
});

test("a spool that cannot be opened is said at once", async () => {
  const source = startSource();
  const handing = start(source.collector, 1, { directory: "/dev/null/spool" });
  await expect(handing.ended).rejects.toThrow();
});
