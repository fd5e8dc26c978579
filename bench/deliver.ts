import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";
import { deliver } from "../src/deliver/deliver.ts";
import { webhook } from "../src/deliver/webhook.ts";
import { openOps } from "../src/store/ops-sqlite.ts";
import { aFlag, EVIDENCE } from "../test/store/flags.ts";

const FLAGS = 1_000;
/** One flag each so often: ten times what a pool that is under attack everywhere would raise. */
const EVERY_MS = 10;

/** From the call that raises a flag to the webhook's arrival at a receiver on loopback, through the durable outbox. */
export async function* run() {
  const directory = mkdtempSync(join(tmpdir(), "assay-bench-"));
  const arrived = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.writeHead(204).end();
    arrived.set(JSON.parse(Buffer.concat(chunks).toString()).data.id, at);
    if (arrived.size === FLAGS) server.emit("all");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const secrets = [`whsec_${Buffer.alloc(24, 1).toString("base64")}`];
  const ops = await openOps({ file: join(directory, "ops.db") });
  const ending = new AbortController();
  const running = deliver({
    ops,
    destinations: [webhook({ name: "x", url, secrets, allowPrivate: true })],
    now: Date.now,
    sleep: (delayMs, signal) => timer(delayMs, undefined, { signal }).catch(() => {}),
    random: Math.random,
    log: () => {},
  })(ending.signal);
  try {
    const all = once(server, "all");
    const raised = new Map<string, number>();
    for (let index = 0; index < FLAGS; index += 1) {
      const id = `flag-${index}`;
      raised.set(id, performance.now());
      await ops.raise(aFlag({ id, account: `account ${index}` }), EVIDENCE, ["x"]);
      await timer(EVERY_MS);
    }
    await all;
    const delays = [...raised].map(([id, at]) => (arrived.get(id) ?? Number.NaN) - at).sort((a, b) => a - b);
    const quantile = (part: number) =>
      Math.round((delays[Math.floor(part * (FLAGS - 1))] ?? Number.NaN) * 10) / 10;
    yield { figure: "deliver.p50_ms", value: quantile(0.5), unit: "ms" };
    yield { figure: "deliver.p99_ms", value: quantile(0.99), unit: "ms" };
  } finally {
    ending.abort();
    await running;
    await ops.close();
    server.close();
    rmSync(directory, { recursive: true });
  }
}
