import { expect, onTestFinished, test, vi } from "vitest";
import { listStandings } from "../../src/main/list-standings.ts";
import { keepLists } from "../../src/main/lists.ts";
import { shareOf } from "../support/shares.ts";
import { listFolder, openHeart, payoutOf } from "./keeping.ts";

const NOW = Date.now();
const SHARED = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";
const FORMER = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";

const payout = (account: string, address: string, minutes: number) =>
  payoutOf(account, address, NOW + minutes * 60_000);

/** A service's heart and one list in a file, which is read again every few milliseconds. */
async function startKeeping() {
  const { directory, file, write } = await listFolder();
  const heart = await openHeart(`
data: { directory: ${directory} }
screening: { lists: [{ name: ours, file: ${file}, format: csv }] }
`);
  const { parts, again, log, close } = heart;
  const ending = new AbortController();
  const keeping = keepLists({ parts, log, everyMs: 20, onRound: again })(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await keeping;
    await close();
  });
  const versionOf = () => parts.screening.lists().find(({ name }) => name === "ours")?.version;
  return { ...heart, write, versionOf };
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
