import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runPool } from "../../models/simulate/live/pool.ts";
import { freePort, startAssay, until } from "../support/assay.ts";
import { type Client, foreignMiner } from "../support/foreign-miner.ts";

let place: string;
let ending: AbortController;
let pool: Promise<void>;
let poolPort: number;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "assay-tap-"));
  ending = new AbortController();
  poolPort = await new Promise<number>((resolve) => {
    pool = runPool({ difficulty: 1, onListening: ({ port }) => resolve(port) })(ending.signal);
  });
});

afterEach(async () => {
  ending.abort();
  await pool;
  rmSync(place, { recursive: true });
});

test("the analysis side is killed: the miner's connection stays, and what it mined meanwhile arrives later", async () => {
  const tapPort = await freePort();
  const httpPort = await freePort();
  const config = join(place, "assay.yaml");
  writeFileSync(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${httpPort} }
store: { checkpointSeconds: 0.1 }
handOver: { url: "http://127.0.0.1:${httpPort}" }
`,
  );
  // The tap's own file: with a tap in it, \`assay run\` would open the same port.
  const tapConfig = join(place, "tap.yaml");
  writeFileSync(
    tapConfig,
    `data: { directory: ${join(place, "tap-data")} }
handOver: { url: "http://127.0.0.1:${httpPort}" }
collectors:
  tap: [{ listen: { port: ${tapPort} }, upstream: { host: 127.0.0.1, port: ${poolPort} }, pool: tapped }]
`,
  );
  const kept = async () => {
    const text = await fetch(`http://127.0.0.1:${httpPort}/metrics`).then((answer) => answer.text());
    return Number(/^assay_shares_kept (\d+)/m.exec(text)?.[1]);
  };
  const tap = startAssay(["tap", "--config", tapConfig]);
  let service = startAssay(["run", "--config", config]);
  let miner: Client | undefined;
  try {
    await tap.said("tap listening");
    await service.said("listening");
    miner = await foreignMiner(tapPort);
    for (let share = 0; share < 5; share += 1) await miner.submit();
    await until(async () => ((await kept()) === 5 ? true : undefined));
    await service.kill();
    for (let share = 0; share < 7; share += 1) await miner.submit();
    expect(miner.disconnects()).toBe(0);
    service = startAssay(["run", "--config", config]);
    await service.said("listening");
    await until(async () => ((await kept()) === 12 ? true : undefined), 60_000);
    for (let share = 0; share < 3; share += 1) await miner.submit();
    await until(async () => ((await kept()) === 15 ? true : undefined));
    expect(miner.disconnects()).toBe(0);
  } finally {
    miner?.end();
    expect(await service.end()).toBe(0);
    expect(await tap.end()).toBe(0);
  }
}, 120_000);
