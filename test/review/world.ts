import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestHandler } from "express";
import type { Screen } from "#core/screening.ts";
import { createReview } from "../../src/review/api.ts";
import type { ReviewOptions } from "../../src/review/options.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import {
  SEED_DATA,
  SEED_HEALTH,
  SEED_LISTS,
  seedDeliveries,
  seedEvidence,
  seedFlag,
  seedMetrics,
} from "./seed.ts";
import { SEED_MODEL } from "./seed-model.ts";
import { seedNetwork } from "./seed-network.ts";

const LISTED = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";

const screenSeed: Screen = (subject, value, atMs) => {
  const lists = [{ name: "ofac-sdn", version: "2026-11-20" }];
  const note = "OFAC SDN: XBT address of LAZARUS GROUP";
  const matches = value === LISTED ? [{ list: lists[0]!, entry: value, note, source: "treasury.gov" }] : [];
  return { subject, value, atMs, lists, matches };
};

const drain: RequestHandler = (request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => response.json({ bytes }));
};

/** A review on a free loopback port over a real operations store, with `flags` seeded flags. */
export async function startWorld(over: Partial<ReviewOptions> & { flags?: number } = {}) {
  const { flags = 12, ...rest } = over;
  const nowMs = Date.now();
  const directory = await mkdtemp(join(tmpdir(), "assay-review-"));
  const ops = await openOps({ file: join(directory, "ops.sqlite") });
  for (let index = flags - 1; index >= 0; index -= 1)
    await ops.raise(seedFlag(index, nowMs), seedEvidence(index, nowMs), []);
  await seedDeliveries(ops, nowMs);
  const logged: string[] = [];
  const review = createReview({
    ops,
    metrics: { query: seedMetrics },
    screen: screenSeed,
    lists: async () => SEED_LISTS,
    model: { standing: () => SEED_MODEL, forget: (pool) => pool === "main" },
    network: () => seedNetwork(nowMs),
    health: () => SEED_HEALTH,
    metricsText: async () => "assay_up 1\n",
    ingest: drain,
    demo: true,
    users: [],
    version: "0.1.0",
    dataNotices: () => SEED_DATA,
    consoleDirectory: "/nonexistent",
    now: Date.now,
    log: (_level, message, fields) => logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    ...rest,
  });
  const ending = new AbortController();
  let ready: (address: AddressInfo) => void = () => {};
  const listening = new Promise<AddressInfo>((resolve) => {
    ready = resolve;
  });
  const served = review.serve("127.0.0.1", 0, ready)(ending.signal);
  const { port } = await Promise.race([listening, served.then(() => Promise.reject(new Error("ended")))]);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ops,
    logged,
    nowMs,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await served;
      await ops.close();
      await rm(directory, { recursive: true });
    },
  };
}
