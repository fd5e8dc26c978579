import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Update } from "../../src/screening/kept.ts";
import { type ListSource, listKind } from "../../src/screening/list-kind.ts";
import { createLists, type ListState } from "../../src/screening/lists.ts";
import { refresh } from "../../src/screening/refresh.ts";
import { createScreening } from "../../src/screening/screening.ts";

const DAY_MS = 86_400_000;
let root: string;
let directory: string;
let server: Server;
let url: string;
let nowMs: number;
/** What the server answers, and the headers of every request it got. */
let answer: { status: number; body: string; headers: Record<string, string> };
const requests: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "assay-lists-"));
  server = createServer((request, response) => {
    requests.push(request.headers);
    const { etag } = answer.headers;
    if (etag && request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else if (answer.status === 0) response.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, "lists-"));
  nowMs = Date.parse("2026-11-23T12:00:00Z");
  requests.length = 0;
});

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `1address${from + index}`).join("\n");
const serve = (body: string, headers: Record<string, string> = {}) => {
  answer = { status: 200, body, headers };
};
const source = (rest: Partial<ListSource> = {}): ListSource => ({
  name: "watch",
  url,
  format: "text",
  maxAgeDays: 7,
  ...rest,
});
const listsOf = (...sources: ListSource[]) =>
  createLists({ directory, kind: listKind, sources, maxShrinkPercent: 5, now: () => nowMs });
const values = async (lists: ReturnType<typeof listsOf>) =>
  (await lists.load()).flatMap(({ entries }) => entries.map(({ value }) => value));

test("a list is fetched, versioned, and asked for again only when it changed", async () => {
  const lists = listsOf(source());
  serve(lines(0, 100), { etag: '"one"', "last-modified": "Mon, 23 Nov 2026 10:00:00 GMT" });
  const [first] = await lists.update();
  expect(first).toMatchObject({ name: "watch", outcome: "updated", added: 100, removed: 0 });
  expect(requests[0]?.["user-agent"]).toBe("assay");
  expect(requests[0]).not.toHaveProperty("if-none-match");

  nowMs += DAY_MS;
  expect(await lists.update()).toMatchObject([{ outcome: "unchanged", version: first?.version }]);
  expect(requests[1]).toMatchObject({
    "if-none-match": '"one"',
    "if-modified-since": "Mon, 23 Nov 2026 10:00:00 GMT",
  });
  expect(await lists.status()).toMatchObject([
    { checkedAt: "2026-11-24T12:00:00.000Z", stale: false, entries: 100 },
  ]);

  serve(lines(1, 102), { etag: '"two"' });
  expect(await lists.update()).toMatchObject([{ outcome: "updated", added: 2, removed: 1 }]);
  expect(await values(lists)).toHaveLength(101);
  const history = await lists.history("watch");
  expect(history.map(({ entries }) => entries)).toEqual([100, 101]);
  expect(history[1]).toMatchObject({
    removedValues: ["1address0"],
    takenAt: "2026-11-24T12:00:00.000Z",
    source: url,
  });
  expect(history[1]?.version).toBe(history[1]?.hash.slice(0, 12));
});

test("the same content without the server's help is no new version", async () => {
  const lists = listsOf(source());
  serve(lines(0, 3));
  await lists.update();
  expect(await lists.update()).toMatchObject([{ outcome: "unchanged" }]);
  expect(await lists.history("watch")).toHaveLength(1);
});

test.each([
  [
    "shrunk by more than 5 %",
    lines(0, 94),
    /has 94 address entries where the one in use has 100: 6\.0 % fewer/,
  ],
  ["empty", "", /has no entries/],
  ["no text", "1a\u0000b", /is not a text file/],
])("a list that is %s is refused and the last good one stays", async (_, body, reason) => {
  const lists = listsOf(source());
  serve(lines(0, 100), { etag: '"good"' });
  await lists.update();
  serve(body, { etag: '"bad"' });
  const [update] = await lists.update();
  expect(update).toMatchObject({ outcome: "refused", reason: expect.stringMatching(reason) });
  expect(await values(lists)).toHaveLength(100);
  expect((await lists.status())[0]?.lastError).toMatch(reason);
  // What the server says of a refused version is not remembered, so it is offered and judged again.
  await lists.update();
  expect(requests.at(-1)?.["if-none-match"]).toBe('"good"');
});

test("a list may shrink by 5 %, and by more when an operator accepts it", async () => {
  const lists = listsOf(source());
  serve(lines(0, 100));
  await lists.update();
  serve(lines(0, 95));
  expect(await lists.update()).toMatchObject([{ outcome: "updated", removed: 5 }]);
  serve(lines(0, 40));
  expect(await lists.update()).toMatchObject([{ outcome: "refused" }]);
  expect(await lists.update({ accept: true })).toMatchObject([{ outcome: "updated", removed: 55 }]);
});

test("addresses that vanish are not hidden by the names that stay", async () => {
  const lists = listsOf(source({ format: "json" }));
  const list = (addresses: number) =>
    JSON.stringify([
      ...Array.from({ length: 1000 }, (_, index) => ({ subject: "name", value: `n${index}` })),
      ...Array.from({ length: addresses }, (_, index) => `1a${index}`),
    ]);
  serve(list(20));
  await lists.update();
  serve(list(10));
  expect(await lists.update()).toMatchObject([
    { outcome: "refused", reason: expect.stringContaining("10 address entries") },
  ]);
});

test("a list older than the one in use is refused", async () => {
  const lists = listsOf(source({ format: "json" }));
  serve('{"publishedAt":"2026-11-02","entries":["1a"]}');
  expect(await lists.update()).toMatchObject([
    { version: expect.stringMatching(/^2026-11-02 [0-9a-f]{12}$/) },
  ]);
  serve('{"publishedAt":"2026-11-01","entries":["1a","1b"]}');
  expect(await lists.update()).toMatchObject([
    { outcome: "refused", reason: expect.stringContaining("older than") },
  ]);
});

test.each([
  ["an error", 503, /answered 503/],
  ["a cut connection", 0, /127\.0\.0\.1:\d+\/list: /],
])("a source that answers with %s leaves the list, which grows stale", async (_, status, reason) => {
  const lists = listsOf(source());
  serve(lines(0, 2));
  await lists.update();
  answer = { status, body: "", headers: {} };
  nowMs += 8 * DAY_MS;
  expect(await lists.update()).toMatchObject([
    { outcome: "unreachable", reason: expect.stringMatching(reason) },
  ]);
  expect(await lists.status()).toMatchObject([{ stale: true, lastError: expect.stringMatching(reason) }]);
  expect(await values(lists)).toHaveLength(2);
});

test("a file is versioned like a server's answer; a list never seen is stale and empty", async () => {
  const file = join(root, "offline.xml");
  await writeFile(
    file,
    "<export generationDate='2026-11-01T00:00:00Z'><sanctionEntity><nameAlias wholeName='X Y'/></sanctionEntity></export>",
  );
  const lists = listsOf(
    source({ name: "eu", url: undefined, file, format: "xml" }),
    source({ name: "other" }),
  );
  expect(await lists.update({ names: ["eu"] })).toMatchObject([{ name: "eu", outcome: "updated" }]);
  expect(await lists.status()).toMatchObject([
    { name: "eu", publishedAt: "2026-11-01", stale: false, source: file },
    { name: "other", version: "", entries: 0, stale: true },
  ]);
  expect((await lists.load()).map(({ name }) => name)).toEqual(["eu"]);
});

test("nothing half-written stays behind, and a damaged history says so", async () => {
  const lists = listsOf(source());
  serve(lines(0, 3));
  await lists.update();
  serve("");
  await lists.update();
  const files = await readdir(join(directory, "watch"));
  expect(files.sort()).toEqual([
    expect.stringMatching(/^[0-9a-f]{12}\.text\.gz$/),
    "history.json",
    "latest.text.gz",
  ]);
  const content = join(directory, "watch", files[0] as string);
  const bytes = await readFile(content);
  await writeFile(content, bytes.subarray(0, bytes.length - 12));
  const anew = listsOf(source());
  await expect(anew.load()).rejects.toThrow(/list watch: .*\.text\.gz: /);
  // A damaged version does not keep a good one out, and its length still guards.
  serve(lines(0, 2));
  expect(await anew.update()).toMatchObject([
    { outcome: "refused", reason: expect.stringContaining("has 2 entries") },
  ]);
  serve(lines(0, 4));
  expect(await anew.update()).toMatchObject([{ outcome: "updated", added: 4 }]);
  expect(await values(anew)).toHaveLength(4);
  await writeFile(join(directory, "watch", "history.json"), "{");
  await expect(anew.load()).rejects.toThrow("history.json: is damaged; move it away to start anew");
});

test("versions on disk are taken into use, whoever fetched them", async () => {
  const lists = listsOf(source());
  const none = () => ({ tier: "unknown" as const, place: "", source: "", note: "" });
  const lookUp = (ip: string) => ({
    ip,
    ...{ country: "ZZ", region: "", asn: 0, holder: "" },
    kind: "unknown" as const,
    tier: "unknown" as const,
    confidence: 0,
    facts: [],
  });
  const screening = await createScreening({
    lists: [],
    places: { lookUp, place: none, system: () => [], versions: () => [] },
  });
  expect(await refresh(screening, lists)).toBe(false);
  serve(lines(0, 40));
  await lists.update();
  expect(screening.screen("address", "1address7", nowMs).matches).toEqual([]);
  expect(await refresh(screening, lists)).toBe(true);
  expect(screening.screen("address", "1address7", nowMs).matches).toHaveLength(1);
  expect(await refresh(screening, lists)).toBe(false);
});

test("the schedule updates at once, again after each wait, and tells what is stale", async () => {
  const lists = listsOf(source());
  const controller = new AbortController();
  const rounds: { updates: readonly Update[]; stale: readonly ListState[] }[] = [];
  serve(lines(0, 3));
  const sleep = async () => {
    nowMs += 8 * DAY_MS;
    answer = { status: 500, body: "", headers: {} };
    if (rounds.length === 2) controller.abort();
  };
  const onRound = async (updates: readonly Update[], stale: readonly ListState[]) => {
    rounds.push({ updates, stale });
  };
  await lists.schedule({ everyMs: 1000, sleep, onRound })(controller.signal);
  expect(rounds.map(({ updates }) => updates[0]?.outcome)).toEqual(["updated", "unreachable"]);
  expect(rounds.map(({ stale }) => stale.length)).toEqual([0, 1]);
});
