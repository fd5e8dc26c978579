import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readCkpoolFile } from "../collectors/pools/ckpool-replay.ts";
import { Analysis } from "../src/core/analysis.ts";
import type { LookUpOrigin } from "../src/core/origin.ts";
import { randomFrom } from "../src/core/random.ts";
import type { CheckpointStore } from "../src/core/store.ts";
import { createOrigin } from "../src/origin/origin.ts";
import { openMetrics } from "../src/store/metrics-sqlite.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";

/** Shares in the log, and how they spread: as on a pool of middle size. */
const LINES = 900_000;
/** Lines that JSON.parse alone is measured on. */
const FLOOR_LINES = 150_000;
const ACCOUNTS = 5_000;
const WORKERS_PER_ACCOUNT = 7;
const RUNS = 5;
const MANY_ACCOUNTS = 1_000_000;
/** As the service does by default, and one more at the end. */
const CHECKPOINT_MS = 10_000;

/** ckpool lines as ckpool writes them, a quarter of an hour of a pool at 1,000 shares a second. */
function* ckpoolLines(): Generator<string> {
  const random = randomFrom(1);
  const startMs = Date.UTC(2026, 10, 1);
  for (let index = 0; index < LINES; index += 1) {
    const account = Math.floor(random() ** 2 * ACCOUNTS);
    const worker = Math.floor(random() * WORKERS_PER_ACCOUNT);
    const atMs = startMs + index;
    const ip = `${80 + (account % 100)}.${(account >> 4) % 256}.${worker === 0 ? 1 : 0}.${account % 256}`;
    const hex = (Math.floor(random() * 2 ** 32) >>> 0).toString(16).padStart(8, "0");
    yield `{"workinfoid": 7711126893885390848, "clientid": ${account}, "enonce1": "${hex}", "nonce2": "0000000000000000", "nonce": "${hex}", "ntime": "6b036d0e", "diff": 4096.0, "sdiff": 5021.113, "hash": "000001d96aefddbab3b5326a06438cbe3f9f6c0aa4e2f4b67042fd3ffbb6${hex.slice(0, 4)}", "result": true, "errn": 0, "createdate": "${Math.floor(atMs / 1000)},${(atMs % 1000) * 1_000_000}", "createby": "code", "createcode": "parse_submit", "createinet": "0.0.0.0:3333", "workername": "account${account}.rig${worker}", "username": "account${account}", "address": "${ip}", "agent": "cgminer/4.11.1"}`;
  }
}

/** Writes the log and keeps the first lines of it: holding all in memory would burden the collector of garbage. */
function writeLog(file: string): string[] {
  const kept: string[] = [];
  const descriptor = openSync(file, "w");
  let piece: string[] = [];
  for (const line of ckpoolLines()) {
    // A copy from bytes, as a reader has it: a concatenated string is a tree that would have to be flattened first.
    if (kept.length < FLOOR_LINES) kept.push(Buffer.from(line).toString());
    piece.push(line);
    if (piece.length < 10_000) continue;
    writeSync(descriptor, `${piece.join("\n")}\n`);
    piece = [];
  }
  closeSync(descriptor);
  return kept;
}

/** What the service does with a log: parse, state, and a checkpoint of cursor, accounts and metrics now and then. */
async function ingest(file: string, analysis: Analysis, metrics: CheckpointStore): Promise<void> {
  const checkpoint = (cursor: string) =>
    metrics.commit({
      cursors: new Map([["bench", cursor]]),
      accounts: analysis.takeDirty(),
      deltas: analysis.takeDeltas(),
    });
  let batches = 0;
  let lastMs = performance.now();
  for await (const batch of readCkpoolFile(file, { pool: "bench", algorithm: "sha256d" })) {
    analysis.take(batch.observations);
    batches += 1;
    if (performance.now() - lastMs < CHECKPOINT_MS) continue;
    lastMs = performance.now();
    await checkpoint(String(batches));
  }
  await checkpoint("end");
}

/** Memory of a million accounts, each with a source and a worker of its own, after a full collection of garbage. */
function bytesPerAccount(lookUpOrigin: LookUpOrigin): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6 });
  const atMs = Date.UTC(2026, 10, 1);
  for (let index = 0; index < MANY_ACCOUNTS; index += 1) {
    const ip = `${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.1`;
    const account = `account-${index}`;
    const share = {
      pool: "bench",
      algorithm: "sha256d",
      account,
      worker: `rig${index % 64}`,
      ip,
      agent: "cgminer/4.11.1",
    };
    analysis.take([{ type: "share", atMs, ...share, difficulty: 4096, outcome: "accepted" }]);
    if (index % 10_000 === 0) analysis.takeSightings();
  }
  analysis.takeSightings();
  analysis.takeDeltas();
  const bytes = (used() - before) / MANY_ACCOUNTS;
  if (analysis.accounts !== MANY_ACCOUNTS)
    throw new Error(`bench shares: ${analysis.accounts} accounts kept`);
  return bytes;
}

/**
 * ckpool lines through parse, origin, state and store, in CPU-seconds of this process and its threads, beside
 * JSON.parse alone on the same lines in the same run.
 */
export async function* run(): AsyncGenerator<Figure> {
  const directory = mkdtempSync(join(tmpdir(), "assay-bench-"));
  try {
    const file = join(directory, "0000000000000001.sharelog");
    const lines = writeLog(file);
    const origin = await createOrigin();
    const whole: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < RUNS; round += 1) {
      floor.push(
        (await cpuSeconds(() => lines.forEach((line) => void JSON.parse(line)))) * (LINES / FLOOR_LINES),
      );
      const analysis = new Analysis({ lookUpOrigin: origin.lookUp, stepHours: 6, topAccounts: 200 });
      const metrics = await openMetrics({ file: join(directory, `${round}.db`), rawDays: 7, hourDays: 400 });
      whole.push(await cpuSeconds(() => ingest(file, analysis, metrics)));
      await metrics.close();
      if (analysis.totals.shares !== LINES)
        throw new Error(`bench shares: ${analysis.totals.shares} of ${LINES} taken`);
    }
    const perSecond = LINES / median(whole);
    const floorPerSecond = LINES / median(floor);
    yield {
      figure: "shares.per_cpu_second",
      value: perSecond,
      unit: "shares/CPU-s",
      peer: "JSON.parse alone",
      peerValue: floorPerSecond,
      ratio: perSecond / floorPerSecond,
    };
    yield { figure: "shares.cost_over_json_parse", value: median(whole) / median(floor), unit: "×" };
    yield { figure: "state.bytes_per_account", value: bytesPerAccount(origin.lookUp), unit: "bytes" };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
