import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMirror } from "../../../collectors/stratum/mirror.ts";
import type { Observation } from "../../../src/core/observation.ts";
import { captureFile, ipPacket, linkPacket } from "./capture-writer.ts";
import { until } from "./harness.ts";

const line = (message: object) => `${JSON.stringify(message)}\n`;
let directory = "";
let file = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-mirror-"));
  file = join(directory, "live.pcap");
  const miner: [string, number] = ["192.0.2.1", 40_000];
  const pool: [string, number] = ["198.51.100.1", 3333];
  const login = line({ id: 1, method: "mining.authorize", params: ["farm.rig1", "x"] });
  const packets = [
    { atMs: 1000, from: miner, to: pool, sequence: 99, flags: "S" },
    { atMs: 1001, from: miner, to: pool, sequence: 100, flags: "PA", text: login },
    {
      atMs: 1002,
      from: pool,
      to: miner,
      sequence: 500,
      flags: "PA",
      text: line({ id: 1, result: true, error: null }),
    },
  ];
  await writeFile(
    file,
    captureFile(
      "pcap",
      1,
      packets.map((packet) => [packet.atMs, linkPacket(1, ipPacket(packet))]),
    ),
  );
});
afterAll(() => rm(directory, { recursive: true }));

const mirror = (...command: string[]) =>
  createMirror({ name: "mirror", command, pool: "testpool", algorithm: "sha256d", maxLineBytes: 65_536 });

test("what the capturing program writes is told while it runs; an abort ends the program", async () => {
  const ending = new AbortController();
  const observations: Observation[] = [];
  const collecting = (async () => {
    // The file, and then nothing: a capture that goes on.
    for await (const batch of mirror("sh", "-c", `cat ${file}; exec sleep 600`).collect(ending.signal)) {
      observations.push(...batch.observations);
    }
  })();
  await until(() => observations.length === 2, "the login");
  expect(observations).toMatchObject([
    { event: "open", ip: "192.0.2.1" },
    { event: "authorize", account: "farm" },
  ]);
  ending.abort();
  await collecting;
});

test.each([
  [["sh", "-c", "echo 'no such interface' >&2; exit 3"], "mirror: sh ended with 3: no such interface"],
  [["/no/such/program"], "mirror: spawn /no/such/program ENOENT"],
])("%j is a broken source", async (command, message) => {
  const collecting = async () => {
    for await (const _ of mirror(...command).collect(new AbortController().signal));
  };
  await expect(collecting()).rejects.toThrow(message);
});
