import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type DatabaseSource, databaseKind, type Fetched } from "../../src/origin/fetched.ts";
import { createOrigin } from "../../src/origin/origin.ts";
import { createLists } from "../../src/screening/lists.ts";
import { writeMmdb } from "./write-mmdb.ts";

const NOW = Date.parse("2026-11-02T12:00:00Z");
const BUILT = Date.parse("2026-11-01T00:00:00Z") / 1000;
const never = new AbortController().signal;
let root: string;
let directory: string;
let server: Server;
let base: string;
/** What the server answers at each path, and what it was asked. */
let answers: Map<string, { status?: number; body?: string | Buffer; etag?: string; cut?: boolean }>;
let requests: { url: string; headers: IncomingHttpHeaders }[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "assay-fetched-"));
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? "", headers: request.headers });
    const { status = 200, body = "", etag, cut } = answers.get(request.url ?? "") ?? { status: 404 };
    if (etag && request.headers["if-none-match"] === etag) return void response.writeHead(304).end();
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...(etag ? { etag } : {}), "content-length": bytes.length });
    if (!cut) return void response.end(bytes);
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, "databases-"));
  answers = new Map();
  requests = [];
});

const KNOWN = [
  "8.8.8.0/24",
  "1.1.1.0/24",
  "193.0.6.0/24",
  "199.212.0.0/24",
  "202.12.29.0/24",
  "2001:4860::/32",
];
/** A database that knows the well-known addresses, some more networks, and where 5.9.0.0/16 is. */
function database(
  place: string,
  options: { more?: number; built?: number; type?: string; record?: object } = {},
) {
  const { more = 200, built = BUILT, type = "Test-Country", record } = options;
  const known = record ?? { country: { iso_code: "US" } };
  return writeMmdb({
    type,
    buildEpochSeconds: built,
    networks: [
      ...KNOWN.map((prefix) => ({ prefix, record: known })),
      { prefix: "5.9.0.0/16", record: record ?? { country: { iso_code: place } } },
      ...Array.from({ length: more }, (_, index) => ({ prefix: `77.${index}.1.0/24`, record: known })),
    ],
  });
}

const databases = (
  rest: Partial<DatabaseSource> & { url?: string; password?: string; username?: string } = {},
) =>
  createLists<DatabaseSource, Fetched>({
    directory,
    kind: databaseKind,
    sources: [{ name: "country", role: "country", maxAgeDays: 7, ...{ url: `${base}/db`, ...rest } }],
    maxShrinkPercent: 5,
    now: () => NOW,
  });

/** As vendors deliver it: the database and its licence in a folder, packed by tar itself. */
async function archive(content: Buffer, name = "GeoLite2-Country.mmdb"): Promise<Buffer> {
  const folder = join(await mkdtemp(join(root, "tar-")), "GeoLite2-Country_20261101");
  await mkdir(folder);
  await writeFile(join(folder, "COPYRIGHT.txt"), "c".repeat(700));
  await writeFile(join(folder, name), content);
  return execFileSync("tar", ["-czf", "-", "-C", join(folder, ".."), "GeoLite2-Country_20261101"]);
}

test.each([
  ["as it is", async () => database("DE")],
  ["compressed", async () => gzipSync(database("DE"))],
  ["in an archive", () => archive(database("DE"))],
])("a database that comes %s is fetched, and asked for again only when it changed", async (_, delivered) => {
  const lists = databases({ username: "12345", password: "key" });
  answers.set("/db", { body: await delivered(), etag: '"one"' });
  expect(await lists.update()).toMatchObject([
    { outcome: "updated", version: expect.stringMatching(/^2026-11-01 [0-9a-f]{12}$/) },
  ]);
  expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from("12345:key").toString("base64")}`);
  expect(await readFile(lists.latest("country"))).toEqual(database("DE"));
  expect(await lists.update()).toMatchObject([{ outcome: "unchanged" }]);
  expect(requests[1]?.headers["if-none-match"]).toBe('"one"');
  // Without the server's help, and packed anew, it is the same.
  answers.set("/db", { body: gzipSync(database("DE"), { level: 1 }) });
  expect(await lists.update()).toMatchObject([{ outcome: "unchanged" }]);
  answers.set("/db", { body: database("SE", { more: 201 }) });
  expect(await lists.update()).toMatchObject([{ outcome: "updated", removed: 0 }]);
  expect(await lists.status()).toMatchObject([{ stale: false, unit: "nodes", publishedAt: "2026-11-01" }]);
  expect(await lists.history("country")).toHaveLength(2);
});

const whole = database("DE");
const zipped = gzipSync(whole);
test.each<[what: string, outcome: string, reason: RegExp, answer: () => Promise<object> | object]>([
  ["an error", "unreachable", /answered 500/, () => ({ status: 500, body: "no" })],
  ["nothing there", "unreachable", /answered 404/, () => ({ status: 404 })],
  ["a connection that is cut", "unreachable", /\/db: /, () => ({ body: database("SE"), cut: true })],
  ["an empty body", "refused", /no metadata/, () => ({ body: "" })],
  [
    "a web page",
    "refused",
    /is text, not a database/,
    () => ({ body: "<!DOCTYPE html><html>Limit reached</html>" }),
  ],
  [
    "a database cut short",
    "refused",
    /not a sound MMDB: no metadata/,
    () => ({ body: whole.subarray(0, -200) }),
  ],
  ["a compressed one cut short", "refused", /cut short/, () => ({ body: zipped.subarray(0, -30) })],
  [
    "an archive without a database",
    "refused",
    /has no \.mmdb in it/,
    async () => ({ body: await archive(whole, "x.csv") }),
  ],
  [
    "an archive that is cut short inside",
    "refused",
    /archive is cut short/,
    async () => ({ body: gzipSync(gunzipSync(await archive(whole)).subarray(0, 3584)) }),
  ],
  [
    "a damaged archive",
    "refused",
    /archive is damaged/,
    async () => {
      const bytes = gunzipSync(await archive(whole));
      bytes[110] = 0x39;
      return { body: gzipSync(bytes) };
    },
  ],
  [
    "one of another kind",
    "refused",
    /is a Test-City, the one in use a Test-Country/,
    () => ({ body: database("SE", { type: "Test-City" }) }),
  ],
  [
    "one without countries",
    "refused",
    /tells no country of any address/,
    () => ({ body: database("", { record: { autonomous_system_number: 64500 } }) }),
  ],
  [
    "one that knows no well-known address",
    "refused",
    /says nothing of 8\.8\.8\.8, /,
    () => ({
      body: writeMmdb({
        type: "Test-Country",
        buildEpochSeconds: BUILT,
        networks: [{ prefix: "5.9.0.0/16", record: { country: { iso_code: "DE" } } }],
      }),
    }),
  ],
  ["one that shrank", "refused", /% fewer, more than 5 %/, () => ({ body: database("SE", { more: 150 }) })],
  [
    "an older one",
    "refused",
    /is of 2026-10-01, older than the one in use, of 2026-11-01/,
    () => ({ body: database("SE", { built: BUILT - 31 * 86_400 }) }),
  ],
])("a server that gives %s: the old database stays", async (_, outcome, reason, answer) => {
  const lists = databases();
  answers.set("/db", { body: whole, etag: '"good"' });
  await lists.update();
  answers.set("/db", await answer());
  expect(await lists.update()).toMatchObject([{ outcome, reason: expect.stringMatching(reason) }]);
  expect(await lists.status()).toMatchObject([{ lastError: expect.stringMatching(reason) }]);
  expect(await readFile(lists.latest("country"))).toEqual(whole);
  expect((await readdir(join(directory, "country"))).sort()).toEqual([
    expect.stringMatching(/^[0-9a-f]{12}\.mmdb$/),
    "history.json",
    "latest.mmdb",
  ]);
  // What was said of the good one is still asked, so that a bad one is offered and judged again.
  await lists.update();
  expect(requests.at(-1)?.headers["if-none-match"]).toBe('"good"');
});

test("of a monthly database this month's is asked for, and last month's while there is none", async () => {
  const lists = databases({ url: `${base}/lite-{year}-{month}.mmdb.gz` });
  answers.set("/lite-2026-10.mmdb.gz", {
    body: gzipSync(database("DE", { built: BUILT - 86_400 })),
    etag: '"x"',
  });
  expect(await lists.update()).toMatchObject([{ outcome: "updated" }]);
  expect(requests.map(({ url }) => url)).toEqual(["/lite-2026-11.mmdb.gz", "/lite-2026-10.mmdb.gz"]);
  answers.set("/lite-2026-11.mmdb.gz", { body: gzipSync(database("SE")), etag: '"x"' });
  // What the server said of one month's file is not asked of another's.
  expect(await lists.update()).toMatchObject([{ outcome: "updated" }]);
  expect((await lists.history("country")).map(({ source }) => source.slice(base.length))).toEqual([
    "/lite-2026-10.mmdb.gz",
    "/lite-2026-11.mmdb.gz",
  ]);
  answers.set("/lite-2026-11.mmdb.gz", { status: 500 });
  expect(await lists.update()).toMatchObject([
    { outcome: "unreachable", reason: expect.stringContaining("500") },
  ]);
});

test("a running origin uses the bundled database until there is a fetched one, and each next one at once", async () => {
  const lists = databases();
  const file = lists.latest("country");
  const asn = join(directory, "asn", "latest.mmdb");
  const origin = await createOrigin({ country: file, asn, fetched: new Set([file, asn]) });
  const [notice, missing] = origin.notices(NOW);
  expect(notice?.source).toMatch(/^bundled/);
  expect(missing).toMatchObject({ name: "not fetched yet", source: asn });
  for (const [place, more] of [
    ["SE", 200],
    ["FI", 220],
  ] as const) {
    answers.set("/db", { body: await archive(database(place, { more })) });
    await lists.update({ signal: never });
    expect(await origin.reload()).toEqual([{ file, error: null }]);
    expect(origin.lookUp("5.9.1.1", NOW)).toMatchObject({ country: place, confidence: 0.8 });
  }
  answers.set("/db", { body: "broken" });
  await lists.update();
  expect(await origin.reload()).toEqual([]);
  expect(origin.lookUp("5.9.1.1", NOW).country).toBe("FI");
});
