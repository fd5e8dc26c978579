import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { screenAgain } from "../../src/main/screen-again.ts";
import { writeMmdb } from "../origin/write-mmdb.ts";
import { shareOf } from "../support/shares.ts";
import { listFolder, openHeart, payoutOf } from "./keeping.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");
const WALLET = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";
const OTHER = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
const never = new AbortController().signal;
const HIT = "SCREENING_ORIGIN";
const GONE = "SCREENING_GROUND_GONE";

const row = (rest: object) => ({ source: "test", ...rest });
const tiersOf = (version: string, tiers: object[]) => JSON.stringify({ name: "tiers", version, tiers });
const country = (place: string, buildEpochSeconds = NOW / 1000) =>
  writeMmdb({
    type: "Test-Country",
    buildEpochSeconds,
    networks: [
      { prefix: "5.9.0.0/16", record: { country: { iso_code: place } } },
      { prefix: "84.130.0.0/16", record: { country: { iso_code: "DE" } } },
    ],
  });

/** A heart with the operator's list, tiers, networks and country database, which a test may open again and again. */
async function world(nowMs: () => number) {
  const { directory, file, write } = await listFolder();
  const put = async (name: string, content: string | Buffer) => {
    await writeFile(join(directory, `${name}.new`), content);
    await rename(join(directory, `${name}.new`), join(directory, name));
  };
  await put("tiers.json", tiersOf("1", [row({ place: "IR", tier: "comprehensive" })]));
  await put("country.mmdb", country("DE"));
  await put("networks.json", JSON.stringify({ name: "own", version: "1", networks: [] }));
  await put("data-centres.txt", "198.51.100.0/24\n");
  const open = async () => {
    const heart = await openHeart(
      `
data: { directory: ${directory} }
origin:
  { tiers: ${directory}/tiers.json, country: ${directory}/country.mmdb, networks: ${directory}/networks.json,
    lists: [{ name: data-centres, kind: hosting, file: ${directory}/data-centres.txt }] }
screening: { lists: [{ name: ours, file: ${file}, format: csv }] }
`,
      nowMs,
    );
    let open = true;
    const close = async () => {
      if (open) await heart.close();
      open = false;
    };
    onTestFinished(close);
    const codes = async (account: string) =>
      (await heart.ops.flags({ text: account })).flags.flatMap(({ reasons }) =>
        reasons.map(({ code }) => code),
      );
    return { ...heart, close, codes };
  };
  return { open, put, write };
}

test("a tier begins and ends by its dates: what is known is screened again on the day", async () => {
  let nowMs = NOW;
  const { open, put } = await world(() => nowMs);
  await put(
    "tiers.json",
    tiersOf("1", [
      row({ place: "DE", tier: "comprehensive", validFrom: "2026-11-22", validUntil: "2026-11-24" }),
    ]),
  );
  const { again, engine, codes, ops, parts } = await open();
  await engine.take({ observations: [shareOf({ atMs: NOW, account: "ann", ip: "5.9.1.1" })] });
  await again(never);
  expect(await codes("ann")).toEqual([]);
  const screened = async () => (await ops.screenings("5.9.1.1")).length;
  const before = await screened();
  nowMs += DAY_MS;
  await again(never);
  expect(await screened()).toBe(before);

  nowMs += DAY_MS;
  await again(never);
  expect(await codes("ann")).toEqual([HIT]);
  nowMs += DAY_MS / 2;
  await again(never);
  expect(await codes("ann")).toEqual([HIT]);

  nowMs += DAY_MS * 1.5;
  await again(never);
  expect(await codes("ann")).toEqual([HIT, GONE]);
  const [flag] = (await ops.flags({ text: "ann" })).flags;
  expect(flag?.reasons[1]?.text).toBe(
    "5.9.1.1 no longer meets DE of tiers since 2026-11-24: what rests on it has lost its ground.",
  );
  expect(flag?.lists).toEqual(
    expect.arrayContaining([
      { name: "Test-Country", version: expect.stringMatching(/^2026-11-20 [0-9a-f]{12}$/) },
      { name: "tiers", version: expect.stringMatching(/^1 [0-9a-f]{12}$/) },
    ]),
  );
  expect(parts.origin.changedMs(nowMs)).toBe(Date.parse("2026-11-24"));
});

test("a date that passed while nothing ran is found at the next start", async () => {
  let nowMs = NOW;
  const { open, put } = await world(() => nowMs);
  await put(
    "tiers.json",
    tiersOf("1", [row({ place: "DE", tier: "comprehensive", validUntil: "2026-11-24" })]),
  );
  const first = await open();
  await first.again(never);
  await first.engine.take({ observations: [shareOf({ atMs: NOW, account: "ann", ip: "5.9.1.1" })] });
  expect(await first.codes("ann")).toEqual([HIT]);
  await first.engine.checkpoint();
  await first.close();
  nowMs = Date.parse("2026-12-01T00:00:00Z");
  const second = await open();
  await second.again(never);
  expect(await second.codes("ann")).toEqual([HIT, GONE]);
});

test.each<[what: string, file: string, hit: string | Buffer, none: string | Buffer]>([
  ["a country database", "country.mmdb", country("IR", NOW / 1000 + 60), country("DE", NOW / 1000 + 120)],
  [
    "a table of networks, under the version it had",
    "networks.json",
    JSON.stringify({
      name: "own",
      version: "1",
      networks: [row({ prefix: "5.9.1.0/24", country: "IR", validFrom: "2020-01-01" })],
    }),
    JSON.stringify({ name: "own", version: "1", networks: [] }),
  ],
  [
    "a table of tiers, under the version it had",
    "tiers.json",
    tiersOf("1", [row({ place: "DE", tier: "comprehensive" })]),
    tiersOf("1", [row({ place: "DE", tier: "watch" })]),
  ],
])(
  "%s is replaced: what is known is screened again, and what is withdrawn says so",
  async (_, file, hit, none) => {
    let nowMs = NOW;
    const { open, put } = await world(() => ++nowMs);
    const { again, engine, codes, parts } = await open();
    await engine.take({ observations: [shareOf({ atMs: NOW, account: "ann", ip: "5.9.1.1" })] });
    await again(never);
    await put(file, hit);
    expect(await parts.origin.reload()).toMatchObject([{ error: null }]);
    await again(never);
    expect(await codes("ann")).toEqual([HIT]);
    await put(file, "broken");
    expect(await parts.origin.reload()).toMatchObject([{ error: expect.stringContaining(file) }]);
    await again(never);
    expect(await codes("ann")).toEqual([HIT]);
    await put(file, none);
    await parts.origin.reload();
    await again(never);
    expect(await codes("ann")).toEqual([HIT, GONE]);
    // And back: a flag that is hit anew no longer says that its ground has gone.
    await put(file, hit);
    await parts.origin.reload();
    await again(never);
    expect(await codes("ann")).toEqual([HIT]);
  },
);

test("a list of data centres is replaced: what is known is recorded against its new version", async () => {
  const { open, put } = await world(() => NOW);
  const { again, engine, ops, parts } = await open();
  await engine.take({ observations: [shareOf({ atMs: NOW, account: "ann", ip: "5.9.1.1" })] });
  await again(never);
  const versions = async () =>
    new Set(
      (await ops.screenings("5.9.1.1")).map(
        ({ lists }) => lists.find(({ name }) => name === "data-centres")?.version,
      ),
    );
  expect((await versions()).size).toBe(1);
  await put("data-centres.txt", "5.9.0.0/16\n");
  await parts.origin.reload();
  await again(never);
  expect((await versions()).size).toBe(2);
});

test("a list that changed while nothing ran: hits, and what has gone, of payouts, former ones, coinbases and names", async () => {
  let nowMs = NOW;
  const { open, write } = await world(() => ++nowMs);
  await write(`address,${WALLET}`, "name,ACME MINING");
  const first = await open();
  await first.parts.lists.update();
  await first.again(never);
  await first.engine.take({
    observations: [
      shareOf({ atMs: NOW, account: "ann", ip: "84.130.1.1" }),
      shareOf({ atMs: NOW, account: "ben", ip: "84.130.1.2" }),
      payoutOf("ann", WALLET, NOW + 1),
      payoutOf("ben", OTHER, NOW + 1),
      payoutOf("ben", "1Another", NOW + 2),
      {
        type: "job",
        atMs: NOW,
        pool: "pool",
        jobId: "1",
        prevHash: "00",
        coinbaseTag: "",
        outputs: [{ address: WALLET, value: 1 }],
        clean: true,
      },
    ],
  });
  await first.ops.recordScreenings([first.parts.screening.screen("name", "Acme Mining Ltd", NOW)]);
  expect(await first.codes("ann")).toEqual(["SCREENING_ADDRESS"]);
  expect(await first.codes("coinbase of pool")).toEqual(["SCREENING_ADDRESS"]);
  await first.engine.checkpoint();
  await first.close();

  await write(`address,${OTHER}`, "address,filler-more");
  const second = await open();
  // All names go, which is not taken for a good list unless somebody says so.
  expect(await second.parts.lists.update()).toMatchObject([{ outcome: "refused" }]);
  expect(await second.parts.lists.update({ accept: true })).toMatchObject([{ outcome: "updated" }]);
  await second.again(never);
  // In memory is still what was in use at its start.
  expect(await second.codes("ann")).toEqual(["SCREENING_ADDRESS"]);
  await second.close();
  const third = await open();
  await third.again(never);
  expect(await third.codes("ann")).toEqual(["SCREENING_ADDRESS", GONE]);
  // Coinbases are learned anew after a start; what a flag rests on is known all the same.
  expect(await third.codes("coinbase of pool")).toEqual(["SCREENING_ADDRESS", GONE]);
  expect(await third.codes("ben")).toEqual(["SCREENING_ADDRESS"]);
  const [last] = await third.ops.lastScreenings("name");
  expect(last).toMatchObject({ value: "Acme Mining Ltd", matches: [] });
  expect(await third.ops.standings()).toMatchObject([{ account: "ben", kind: "payout", value: OTHER }]);
});

test("killed in the middle of it, the next start tells those who were left out, and nobody twice", async () => {
  let nowMs = NOW;
  const { open, write } = await world(() => ++nowMs);
  const first = await open();
  await first.parts.lists.update();
  await first.again(never);
  await first.engine.take({
    observations: ["ann", "ben", "cat"].flatMap((account) => [
      shareOf({ atMs: NOW, account, ip: "84.130.1.1" }),
      payoutOf(account, WALLET, NOW + 1),
    ]),
  });
  await first.engine.checkpoint();
  await first.close();
  await write(`address,${WALLET}`);
  const second = await open();
  await second.parts.lists.update();
  await second.close();

  const third = await open();
  let hits = 0;
  const dying = screenAgain({
    ...third,
    engine: {
      async hit(sighting, matches) {
        if (++hits === 3) throw new Error("killed");
        await third.engine.hit(sighting, matches);
      },
    },
    now: () => ++nowMs,
  });
  await expect(dying(never)).rejects.toThrow("killed");
  expect(await third.codes("cat")).toEqual([]);
  await third.close();
  const fourth = await open();
  await fourth.again(never);
  const { flags } = await fourth.ops.flags({});
  expect(flags.map(({ account, reasons }) => [account, reasons.length]).sort()).toEqual([
    ["ann", 1],
    ["ben", 1],
    ["cat", 1],
  ]);
  const told = (await fourth.ops.audit({})).map(({ action }) => action);
  expect(told.filter((action) => action === "flag.opened")).toHaveLength(3);
});

test("a list's file that broke while nothing ran keeps nothing from starting: the last good version is in use", async () => {
  const { open, put } = await world(() => NOW);
  const first = await open();
  await first.parts.lists.update();
  await first.close();
  await put("ours.csv", 'subject,value\naddress,"cut off');
  const second = await open();
  expect(second.parts.screening.lists()).toContainEqual(
    expect.objectContaining({ name: "ours", entries: 40 }),
  );
  expect(await second.parts.lists.update()).toMatchObject([
    { outcome: "refused", reason: expect.stringContaining("a quote is never closed") },
  ]);
});
