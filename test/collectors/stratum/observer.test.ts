import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ObservedPool } from "../../../collectors/stratum/observed-pool.ts";
import {
  createObserver,
  type Identified,
  type ObserverOptions,
} from "../../../collectors/stratum/observer.ts";
import type { Finding } from "../../../collectors/stratum/template-watch.ts";
import { runPool } from "../../../models/simulate/live/pool.ts";
import type { Observation, Refusal } from "../../../src/core/observation.ts";
import { running, silent, startServer, until } from "./harness.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-observer-"));
});
afterAll(() => rm(directory, { recursive: true }));

const pool = (name: string, port: number, more: Partial<ObservedPool> = {}): ObservedPool => ({
  name,
  host: "127.0.0.1",
  port,
  tls: false,
  protocol: "mining",
  worker: "observer.assay",
  password: "x",
  algorithm: "sha256d",
  coin: "bitcoin-regtest",
  ...more,
});

function startObserver(pools: ObservedPool[], more: Partial<ObserverOptions> = {}) {
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  const findings: (Finding | Identified)[] = [];
  const observer = createObserver({
    name: "observer",
    pools,
    agent: "assay-observer/1",
    reconnectMs: 3_600_000,
    silenceMs: 600_000,
    maxLineBytes: 65_536,
    lingerMs: 1,
    log: silent,
    onFinding: (finding) => findings.push(finding),
    // Backoff without waiting.
    sleep: (_, signal) => new Promise((resolve) => (signal.aborted ? resolve() : setTimeout(resolve, 2))),
    ...more,
  });
  const task = running(async (signal) => {
    for await (const batch of observer.collect(signal)) {
      observations.push(...batch.observations);
      refusals.push(...(batch.refusals ?? []));
    }
  });
  return { ...task, observations, refusals, findings };
}

async function startPool(tag: string, firstHeight: number) {
  const listening = Promise.withResolvers<AddressInfo>();
  const task = running(
    runPool({ onListening: listening.resolve, tag, firstHeight, jobEveryMs: 20, jobsPerBlock: 2 }),
  );
  return { ...task, port: (await listening.promise).port };
}

test("jobs of several pools, down to the addresses their coinbases pay, while another pool is away", async () => {
  await using one = await startPool("Pool One", 100);
  await using two = await startPool("Pool Two", 200);
  const table = join(directory, "pools.json");
  await writeFile(table, JSON.stringify([{ name: "The Second", addresses: [], tags: ["/Pool Two/"] }]));
  await using observer = startObserver([pool("one", one.port), pool("away", 1), pool("two", two.port)], {
    identify: table,
  });
  const of = (name: string) =>
    observer.observations.filter((observation) => observation.type === "job" && observation.pool === name);
  await until(() => of("one").length > 3 && of("two").length > 3, "jobs of both");
  expect(of("one")[0]).toMatchObject({
    height: expect.toSatisfy((height: number) => height >= 100 && height < 200),
    coinbaseTag: "/Pool One/",
    // The regression test network's address of twenty zero bytes.
    outputs: [{ address: "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202", value: 312_500_000 }],
  });
  expect(new Set(observer.observations.map(({ type }) => type))).toEqual(new Set(["job"]));
  await until(() => observer.findings.length > 0, "the identification");
  expect(observer.findings).toEqual([{ kind: "identified", pool: "two", as: "The Second" }]);
});

test("it connects anew when the pool goes, when it asks, when it is silent and when it is time", async () => {
  const seen: string[][] = [];
  await using server = await startServer((socket) => {
    const lines: string[] = [];
    seen.push(lines);
    socket.setEncoding("utf8").on("data", (text) => lines.push(...String(text).trim().split("\n")));
    const turn = seen.length;
    if (turn === 1) socket.destroy();
    if (turn === 2)
      socket.write('{"id":null,"method":"client.reconnect","params":["198.51.100.1",3333,0]}\n');
    // The third is silent, the fourth speaks until it is time.
    if (turn === 4) {
      socket.write('{"id":77,"method":"client.get_version","params":[]}\n');
      const speaking = setInterval(
        () => socket.write('{"id":null,"method":"client.show_message","params":["x"]}\n'),
        20,
      );
      socket.on("close", () => clearInterval(speaking));
    }
  });
  await using _observer = startObserver([pool("one", server.port)], {
    silenceMs: 100,
    reconnectMs: 300,
    random: () => 0.5,
  });
  await until(() => seen.length >= 5, "five connections");
  expect(JSON.parse(seen[3]![0]!)).toMatchObject({
    method: "mining.subscribe",
    params: ["assay-observer/1"],
  });
  expect(seen[3]!.map((line) => JSON.parse(line))).toContainEqual({
    id: 77,
    result: "assay-observer/1",
    error: null,
  });
});

test("a Monero pool is watched by its own login", async () => {
  const blob = `1010c0cc8dd806${"11".repeat(32)}00000000${"22".repeat(32)}01`;
  const reply = {
    id: 1,
    result: { id: "s", job: { blob, job_id: "j", target: "dc460300", height: 7 }, status: "OK" },
  };
  await using server = await startServer((socket) => {
    socket.on("data", (bytes: Buffer) => {
      if (String(bytes).includes('"login"')) socket.write(`${JSON.stringify(reply)}\n`);
    });
  });
  await using observer = startObserver([
    pool("monero", server.port, { protocol: "cryptonote", coin: "monero" }),
  ]);
  await until(() => observer.observations.length > 0, "the job");
  expect(observer.observations[0]).toMatchObject({ pool: "monero", prevHash: "11".repeat(32), height: 7 });
});

test("a table of pools that cannot be read is said with the observer's name", async () => {
  const observer = startObserver([], { identify: join(directory, "none.json") });
  await expect(observer.ended).rejects.toThrow("observer: cannot read the table of pools");
});
