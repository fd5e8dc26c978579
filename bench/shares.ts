import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCkpoolFile } from "../collectors/pools/ckpool-replay.ts";
import { Analysis } from "../src/core/analysis.ts";
import { randomFrom } from "../src/core/random.ts";
import { createOrigin } from "../src/origin/origin.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";

/** Shares in the log, and how they spread: as on a pool of middle size. */
const LINES = 300_000;
const ACCOUNTS = 5_000;
const WORKERS_PER_ACCOUNT = 7;
const RUNS = 5;

/** ckpool lines as ckpool writes them, five minutes of a pool at 1,000 shares a second. */
function ckpoolLines(): string[] {
  const random = randomFrom(1);
  const startMs = Date.UTC(2026, 10, 1);
  return Array.from({ length: LINES }, (_, index) => {
    const account = Math.floor(random() ** 2 * ACCOUNTS);
    const worker = Math.floor(random() * WORKERS_PER_ACCOUNT);
    const atMs = startMs + index;
    const ip = `${80 + (account % 100)}.${(account >> 4) % 256}.${worker % 4}.${account % 256}`;
    const hex = (Math.floor(random() * 2 ** 32) >>> 0).toString(16).padStart(8, "0");
    return `{"workinfoid": 7711126893885390848, "clientid": ${account}, "enonce1": "${hex}", "nonce2": "0000000000000000", "nonce": "${hex}", "ntime": "6b036d0e", "diff": 4096.0, "sdiff": 5021.113, "hash": "000001d96aefddbab3b5326a06438cbe3f9f6c0aa4e2f4b67042fd3ffbb6${hex.slice(0, 4)}", "result": true, "errn": 0, "createdate": "${Math.floor(atMs / 1000)},${(atMs % 1000) * 1_000_000}", "createby": "code", "createcode": "parse_submit", "createinet": "0.0.0.0:3333", "workername": "account${account}.rig${worker}", "username": "account${account}", "address": "${ip}", "agent": "cgminer/4.11.1"}`;
  });
}

/**
 * ckpool lines through parse, origin, state and store, in CPU-seconds of this process and its threads, beside
 * JSON.parse alone on the same lines in the same run.
 */
export async function* run(): AsyncGenerator<Figure> {
  const directory = mkdtempSync(join(tmpdir(), "assay-bench-"));
  try {
    const lines = ckpoolLines();
    const file = join(directory, "0000000000000001.sharelog");
    writeFileSync(file, `${lines.join("\n")}\n`);
    const origin = await createOrigin();
    const whole: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < RUNS; round += 1) {
      floor.push(await cpuSeconds(() => lines.forEach((line) => JSON.parse(line))));
      const analysis = new Analysis({ lookUpOrigin: origin.lookUp, stepHours: 6, topAccounts: 200 });
      whole.push(
        await cpuSeconds(async () => {
          for await (const batch of readCkpoolFile(file, { pool: "bench", algorithm: "sha256d" }))
            analysis.take(batch.observations);
        }),
      );
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
  } finally {
    rmSync(directory, { recursive: true });
  }
}
