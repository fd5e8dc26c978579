import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCapture } from "../../../collectors/stratum/capture.ts";
import { CaptureReader } from "../../../collectors/stratum/capture-file.ts";
import type { Observation, Refusal } from "../../../src/core/observation.ts";
import { captureFile, ipPacket, linkPacket, type Written } from "./capture-writer.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-capture-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(bytes: Buffer): Promise<{ observations: Observation[]; refusals: Refusal[] }> {
  const file = join(directory, "capture");
  await writeFile(file, bytes);
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  for await (const batch of readCapture(file, { pool: "testpool", algorithm: "sha256d" })) {
    observations.push(...batch.observations);
    refusals.push(...(batch.refusals ?? []));
  }
  return { observations, refusals };
}

const MINER: Written["from"] = ["192.0.2.1", 40_000];
const POOL: Written["from"] = ["198.51.100.1", 3333];
const line = (message: object) => `${JSON.stringify(message)}\n`;
const NOTIFY = ["j1", `${"a1b2c3d4".repeat(6)}${"0".repeat(16)}`, "00", "00", [], "2", "1", "6", true];

/** What a short session says, in order: the time in milliseconds, whether the miner says it, and what. */
const TALK: [number, boolean, string][] = [
  [1100, true, line({ id: 1, method: "mining.subscribe", params: ["bmminer/2.0"] })],
  [1120, false, line({ id: 1, result: [[], "00000001", 8], error: null })],
  [1190, true, line({ id: 2, method: "mining.authorize", params: ["farm.rig1", "x"] })],
  [1210, false, line({ id: 2, result: true, error: null })],
  [1211, false, line({ id: null, method: "mining.set_difficulty", params: [512] })],
  [1212, false, line({ id: null, method: "mining.notify", params: NOTIFY })],
  [2000, true, line({ id: 3, method: "mining.submit", params: ["farm.rig1", "j1", "00", "6", "01"] })],
  [2020, false, line({ id: 3, result: true, error: null })],
];

/** The packets of that session between two ends, with or without the handshake. */
function packets(miner = MINER, pool = POOL, handshake = true): Written[] {
  let up = 1000;
  let down = 0xffffffff - 20;
  const written: Written[] = handshake
    ? [
        { atMs: 1000, from: miner, to: pool, sequence: up - 1, flags: "S" },
        { atMs: 1010, from: pool, to: miner, sequence: down - 1, acknowledged: up, flags: "SA" },
        { atMs: 1050, from: miner, to: pool, sequence: up, acknowledged: down },
      ]
    : [];
  for (const [atMs, fromMiner, text] of TALK) {
    const [from, to, sequence, acknowledged] = fromMiner ? [miner, pool, up, down] : [pool, miner, down, up];
    written.push({ atMs, from, to, sequence, acknowledged, flags: "PA", text });
    if (fromMiner) up += text.length;
    else down += text.length;
  }
  written.push({ atMs: 3000, from: miner, to: pool, sequence: up, acknowledged: down, flags: "FA" });
  written.push({ atMs: 3010, from: pool, to: miner, sequence: down, acknowledged: up + 1, flags: "FA" });
  return written;
}

const file = (written: Written[], format: "pcap" | "pcap-ns" | "pcapng" = "pcap", linkType = 1) =>
  captureFile(
    format,
    linkType,
    written.map((packet) => [packet.atMs, linkPacket(linkType, ipPacket(packet))]),
  );

const SHARE = {
  type: "share",
  atMs: 2000,
  pool: "testpool",
  algorithm: "sha256d",
  account: "farm",
  worker: "rig1",
  session: "testpool-192.0.2.1-40000-1000",
  ip: "192.0.2.1",
  agent: "bmminer/2.0",
  difficulty: 512,
  outcome: "accepted",
};

describe.each(["pcap", "pcap-ns", "pcapng"] as const)("%s", (format) => {
  test.each([0, 1, 101, 113, 276])("link type %i", async (linkType) => {
    const { observations, refusals } = await read(file(packets(), format, linkType));
    expect(refusals).toEqual([]);
    expect(observations.filter(({ type }) => type === "share")).toEqual([SHARE]);
    const sessions = observations.filter((observation) => observation.type === "session");
    expect(sessions.map(({ event, atMs }) => [event, atMs])).toEqual([
      ["open", 1000],
      ["subscribe", 1120],
      ["authorize", 1210],
      ["close", 3010],
    ]);
    expect(sessions.at(-1)).toMatchObject({ rttMs: 40, appRttMs: 70, reason: "ended" });
  });
});

test("IPv6, past a hop-by-hop header", async () => {
  const { observations } = await read(file(packets(["2001:db8::1", 1], ["2001:db8::2", 2])));
  expect(observations.filter(({ type }) => type === "share")).toMatchObject([
    { ip: "2001:db8::1", difficulty: 512 },
  ]);
});

test("without the handshake the miner is the one that talks like one", async () => {
  for (const first of [1, 0]) {
    const { observations } = await read(file(packets(MINER, POOL, false).slice(first)));
    expect(observations.filter(({ type }) => type === "share")).toMatchObject([
      { ip: "192.0.2.1", account: "farm" },
    ]);
  }
});

test("a lost set_difficulty costs the shares it was for, and no share is guessed", async () => {
  const lost = packets().filter(({ text }) => !text?.includes("set_difficulty"));
  const { observations, refusals } = await read(file(lost));
  expect(observations.filter(({ type }) => type === "share")).toEqual([]);
  expect(refusals.map(({ reason }) => reason)).toEqual(["share with no known difficulty"]);
});

test("packets recorded twice or late change nothing", async () => {
  const whole = await read(file(packets()));
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(fc.nat(), { maxLength: 5 }), async (swap, again) => {
      const written = packets();
      // The handshake stays first: a SYN behind its data is a new connection.
      for (const index of again) {
        const at = 3 + (index % 8);
        written.splice(at + 1 + (index % 3), 0, written[at]!);
      }
      // Two neighbours of one direction change places; their answers come later anyway.
      const places = written.flatMap((packet, index) =>
        packet.text && written[index + 1]?.text && written[index + 1]!.from === packet.from ? [index] : [],
      );
      const at = places[swap % places.length]!;
      [written[at], written[at + 1]] = [written[at + 1]!, written[at]!];
      const { observations } = await read(file(written));
      const shares = (all: Observation[]) => all.filter(({ type }) => type === "share");
      expect(shares(observations)).toEqual(shares(whole.observations));
    }),
    { numRuns: 30 },
  );
});

test("traffic that is no stratum gives no session", async () => {
  const talk = packets().map((packet) => ({
    ...packet,
    text: packet.text?.replaceAll(/mining\.\w+/g, "echo.test"),
  }));
  expect(await read(file(talk))).toEqual({ observations: [], refusals: [] });
});

test("a file that ends within a packet, or is none, is told by place; what came before counts", async () => {
  const bytes = file(packets());
  const cut = await read(bytes.subarray(0, bytes.length - 3));
  expect(cut.observations.filter(({ type }) => type === "share")).toEqual([SHARE]);
  expect(cut.refusals.map(({ reason }) => reason)).toEqual(["the file ends within a packet"]);
  const none = await read(Buffer.from("this is a letter and no capture"));
  expect(none.refusals.map(({ reason }) => reason)).toEqual(["not a pcap or pcapng file"]);
});

test("a file comes out the same whatever way it was cut, and damaged bytes never throw", () => {
  const formats = fc.constantFrom("pcap" as const, "pcap-ns" as const, "pcapng" as const);
  fc.assert(
    fc.property(
      formats,
      fc.array(fc.integer({ min: 1, max: 300 })),
      fc.array(fc.tuple(fc.nat(), fc.nat(255))),
      (format, sizes, damage) => {
        const whole = file(packets(), format);
        const bytes = Buffer.from(whole);
        for (const [at, value] of damage) bytes[at % bytes.length] = value;
        const cut = new CaptureReader();
        const found = [];
        let at = 0;
        for (const size of sizes) {
          found.push(...cut.push(bytes.subarray(at, at + size)));
          at += size;
        }
        found.push(...cut.push(bytes.subarray(at)));
        cut.end();
        const once = new CaptureReader();
        expect(found).toEqual(once.push(bytes));
        if (damage.length === 0) expect(found).toHaveLength(packets().length);
      },
    ),
  );
});
