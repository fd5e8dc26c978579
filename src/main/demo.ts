import { mkdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import type { Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { HOUR_MS } from "#core/metrics.ts";
import type { Observation } from "#core/observation.ts";
import { runAll, type Task } from "#core/task.ts";
import { createTap } from "../../collectors/stratum/tap.ts";
import { runPool } from "../../models/simulate/live/pool.ts";
import { readScenario } from "../../models/simulate/scenario.ts";
import { simulate } from "../../models/simulate/simulate.ts";
import { type Config, parseConfig } from "../config.ts";
import { liveMiners } from "./demo-miners.ts";
import { createLog } from "./log.ts";
import { createProgress } from "./progress.ts";
import { type ServiceExtras, serve } from "./service.ts";
import { sleep } from "./sleep.ts";
import { intoJournal } from "./sources.ts";
import { UsageError } from "./usage.ts";

const DIRECTORY = ".assay-demo";
const HISTORY_DAYS = 7;
/** The simulated pool goes on in real time for so long after its history. */
const LIVE_DAYS = 2;
const SEED = 20_180_101;
/** An address made up for the demo: no coin has it. */
const LISTED = "demo-listed-wallet-0001";
/** How often the running simulation hands over what is due. */
const PACE_MS = 1_000;

/**
 * The demo: a week of a simulated pool's history, the same pool going on in real time, and miners that speak stratum
 * over TCP through a real tap. Its data directory is its own and begins anew with every start.
 */
export async function runDemo(portText: string | undefined, signal: AbortSignal): Promise<void> {
  const port = portText === undefined ? 7070 : Number(portText);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port: not a port: ${portText}`);
  const directory = resolve(DIRECTORY);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const list = join(directory, "demo-list.txt");
  await writeFile(list, `${LISTED}\n`);
  const config = demoConfig(directory, port, list);
  const log = createLog("warn");
  await serve(config, {
    log,
    signal,
    onListening: ({ port: at }) =>
      process.stdout.write(
        `Assay demo on http://127.0.0.1:${at}  (everything in it is simulated; Ctrl-C ends it)\n`,
      ),
    extras: { demo: true, tasks: (service) => demoTasks(service, log) },
  });
}

function demoConfig(directory: string, port: number, list: string): Config {
  return parseConfig(
    JSON.stringify({
      data: { directory },
      http: { port },
      store: { checkpointSeconds: 2 },
      // Scores are calibrated for one campaign in ten thousand accounts; the demo has one in ten.
      detection: { threshold: 0.05 },
      screening: { lists: [{ name: "demo-list", file: list, maxAgeDays: 36_500 }] },
    }),
  );
}

/** The simulated pool as a collector: its history at once, what comes after as its time comes. */
const simulation: Collector = {
  name: "simulation",
  async *collect(signal) {
    const nowMs = Date.now();
    const startMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - HISTORY_DAYS * 24 * HOUR_MS;
    const scenario = {
      ...readScenario("demo"),
      startMs,
      days: HISTORY_DAYS + LIVE_DAYS,
      siteSharesPerHour: 60,
    };
    const { observations } = simulate({ ...scenario, listedAddresses: [LISTED] }, SEED);
    const progress = createProgress("simulating a week of history");
    for (const batch of observations) {
      if (signal.aborted) break;
      const lastMs = batch.at(-1)?.atMs ?? 0;
      progress.at(lastMs - startMs, nowMs - startMs);
      if (lastMs <= Date.now()) {
        yield { observations: batch };
        continue;
      }
      progress.end();
      for await (const due of pace(batch, signal)) yield { observations: due };
    }
    progress.end();
  },
};

function demoTasks({ engine, journal }: Parameters<ServiceExtras["tasks"]>[0], log: Log): Task[] {
  const mining: Task = async (signal) => {
    const pool = Promise.withResolvers<AddressInfo>();
    const tap = Promise.withResolvers<AddressInfo>();
    const follow: Task = async (inner) => {
      const upstream = await pool.promise;
      const collector = createTap({
        name: "demo-tap",
        listen: { host: "127.0.0.1", port: 0 },
        upstream: { host: "127.0.0.1", port: upstream.port },
        pool: "demo-live",
        algorithm: "sha256d",
        proxyProtocol: { accept: true, from: ["127.0.0.1"], emit: "off" },
        maxConnections: 100,
        maxConnectionsPerAddress: 100,
        maxLineBytes: 65_536,
        idleMs: 900_000,
        log,
        onListening: tap.resolve,
      });
      await intoJournal(collector, { journal, log, onBatch: () => undefined })(inner);
    };
    const mine: Task = async (inner) => {
      const { port } = await tap.promise;
      await runAll(liveMiners(port), inner);
    };
    const vardiff = { shareEveryMs: 5_000, minimum: 1_024 };
    await runAll([runPool({ onListening: pool.resolve, difficulty: 65_536, vardiff }), follow, mine], signal);
  };
  return [engine.follow(simulation), mining];
}

/** A batch of the future, in pieces, as its time comes. */
async function* pace(batch: Observation[], signal: AbortSignal): AsyncGenerator<Observation[]> {
  let next = 0;
  while (next < batch.length && !signal.aborted) {
    const from = next;
    while (next < batch.length && (batch[next] as Observation).atMs <= Date.now()) next += 1;
    if (next > from) yield batch.slice(from, next);
    else await sleep(PACE_MS, signal);
  }
}
