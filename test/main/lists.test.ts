import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openJournal } from "../../src/bus/journal.ts";
import { parseConfig } from "../../src/config.ts";
import { createHeart } from "../../src/main/heart.ts";
import { listStandings } from "../../src/main/list-standings.ts";
import { keepLists } from "../../src/main/lists.ts";
import { openModel, openParts } from "../../src/main/parts.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { shareOf } from "../support/shares.ts";

const NOW = Date.now();
const SHARED = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";
const FORMER = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
/** So many that one entry less is no shrinking list. */
const FILLER = Array.from({ length: 40 }, (_, index) => `filler-${index}`);

const payout = (account: string, address: string, minutes: number) => ({
  type: "payout" as const,
  atMs: NOW + minutes * 60_000,
  pool: "pool",
  coin: "BTC",
  account,
  address,
  amount: 0.1,
});

/** A service's heart over real stores and one list in a file, which is read again every few milliseconds. */
async function startKeeping() {
  const directory = await mkdtemp(join(tmpdir(), "assay-lists-"));
  const file = join(directory, "ours.csv");
  /** As an operator's own job would: the whole file at once. */
  const write = async (...rows: string[]) => {
    const all = ["subject,value", ...FILLER.map((value) => `address,${value}`), ...rows];
    await writeFile(`${file}.new`, `${all.join("\n")}\n`);
    await rename(`${file}.new`, file);
  };
  await write();
  const config = parseConfig(`
data: { directory: ${directory} }
screening: { lists: [{ name: ours, file: ${file}, format: csv }] }
`);
  const parts = await openParts(config);
  const model = await openModel(config);
  const metrics = await openMetrics({ file: join(directory, "metrics.db"), rawDays: 1, hourDays: 1 });
  const ops = await openOps({ file: join(directory, "ops.db") });
  const journal = await openJournal({
    directory: join(directory, "journal"),
    maxBytes: 1_000_000,
    now: Date.now,
  });
  const log = () => {};
  const heart = createHeart(config, { parts, model, metrics, ops, journal }, { log, destinations: [] });
  const ending = new AbortController();
  const keeping = keepLists({
    parts,
    engine: heart.engine,
    log,
    everyMs: 20,
    record: (screenings) => ops.recordScreenings(screenings),
    onGroundGone: heart.withdraw,
  })(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await keeping;
    await journal.close();
    await ops.close();
    await metrics.close();
    model.close();
    await rm(directory, { recursive: true });
  });
  const versionOf = () => parts.screening.lists().find(({ name }) => name === "ours")?.version;
  /** Reasons of an account's flag, waited for. */
  const reasons = (account: string, code: string) =>
    vi.waitFor(
      async () => {
        const { flags } = await ops.flags({ text: account, limit: 10 });
        const codes = flags.flatMap((flag) => ("reasons" in flag ? flag.reasons : [])).map((one) => one.code);
        expect(codes).toContain(code);
        return codes;
      },
      { timeout: 10_000, interval: 20 },
    );
  return { parts, ops, engine: heart.engine, write, versionOf, reasons };
}

test("a list's change is told to every holder: hits at once, and what has lost its ground", async () => {
  const { parts, ops, engine, write, versionOf, reasons } = await startKeeping();
  await engine.take({
    observations: [
      shareOf({ atMs: NOW, account: "ann", ip: "5.9.1.1" }),
      shareOf({ atMs: NOW, account: "ben", ip: "5.9.1.2" }),
      shareOf({ atMs: NOW, account: "cat", ip: "5.9.1.3" }),
      payout("ann", SHARED, 1),
      payout("ben", SHARED, 1),
      payout("cat", FORMER, 1),
      payout("cat", "1Another", 2),
    ],
  });
  await vi.waitFor(async () => expect(await parts.lists.history("ours")).toHaveLength(1));
  expect((await ops.flags({ limit: 10 })).flags).toEqual([]);

  await write(`address,${SHARED}`);
  expect(await reasons("ann", "SCREENING_ADDRESS")).not.toContain("SCREENING_GROUND_GONE");
  await reasons("ben", "SCREENING_ADDRESS");
  const first = versionOf();

  await write();
  await reasons("ann", "SCREENING_GROUND_GONE");
  await reasons("ben", "SCREENING_GROUND_GONE");
  const second = versionOf();
  expect((await ops.flags({ text: "cat", limit: 10 })).flags).toEqual([]);

  await write(`address,${FORMER}`, "network,5.9.1.2/32");
  expect(await reasons("cat", "SCREENING_ADDRESS")).not.toContain("SCREENING_GROUND_GONE");
  await reasons("ben", "SCREENING_ORIGIN");
  const third = versionOf();

  const versions = [first, second, third];
  const answers = async (value: string) =>
    (await ops.screenings(value)).flatMap(({ lists, matches }) => {
      const version = lists.find(({ name }) => name === "ours")?.version;
      const at = versions.lastIndexOf(version);
      return at < 0 ? [] : [[at, matches.length]];
    });
  // The second and third state of SHARED's rows are misses, and name the versions they were missed in.
  await vi.waitFor(async () => {
    expect(await answers(SHARED)).toEqual(
      expect.arrayContaining([
        [0, 1],
        [2, 0],
      ]),
    );
    expect(await answers("5.9.1.3")).toEqual(
      expect.arrayContaining([
        [0, 0],
        [2, 0],
      ]),
    );
    expect(await answers("DE")).toEqual(
      expect.arrayContaining([
        [0, 0],
        [2, 0],
      ]),
    );
  });
  const standings = await listStandings(parts);
  expect(standings[0]).toMatchObject({
    name: "ours",
    version: third,
    entries: 42,
    stale: false,
    lastError: "",
  });
  // What comes with Assay is told too, and has no versions.
  expect(standings[1]).toMatchObject({ stale: false, checkedAt: null, history: [] });
  const history = standings[0]?.history.toReversed() ?? [];
  expect(history.map(({ added, removed }) => [added, removed]).slice(1)).toEqual([
    [1, 0],
    [0, 1],
    [2, 0],
  ]);
}, 60_000);
