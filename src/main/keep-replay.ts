import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Flag } from "#core/flag.ts";
import type { MetricDelta } from "#core/metrics.ts";
import type { FlagEvidence } from "#core/store.ts";
import type { Config } from "../config.ts";
import { backfill } from "../store/backfill.ts";
import { copyMetrics } from "../store/copy.ts";
import type { InfluxStore } from "../store/influx.ts";
import { openMetrics } from "../store/metrics-sqlite.ts";
import { openOps } from "../store/ops-sqlite.ts";
import { lockDirectory } from "./lock.ts";
import { openFollower } from "./open-influx.ts";
import { sleep } from "./sleep.ts";

/** Keeps what a replay measured and flagged, in the stores of the configuration. Closing it without `finish` keeps no metrics. */
export interface ReplayKeeper extends AsyncDisposable {
  keep(deltas: readonly MetricDelta[]): Promise<void>;
  /** Puts a flag into the queue. No destination is told: it is of the past. */
  raise(flag: Flag, evidence: FlagEvidence): Promise<void>;
  /** Fills the stores. Answers what came of it, in words. */
  finish(signal: AbortSignal): Promise<string>;
}

/** How long InfluxDB is waited for; what it has not taken by then waits in the spool for the service. */
const WAIT_MS = 15_000;
const LOOK_MS = 100;

/**
 * Opens the stores; rejects when a service runs on them. What is measured goes into a store of its own first, for only
 * whole minutes can be told from those that are kept already; SQLite is filled from there, and InfluxDB follows SQLite.
 */
export async function openReplayKeeper(config: Config): Promise<ReplayKeeper> {
  const { directory } = config.data;
  const { rawDays, hourDays } = config.store;
  const now = Date.now;
  const file = join(directory, "replay.db");
  const forget = () =>
    Promise.all(["", "-wal", "-shm"].map((end) => rm(`${file}${end}`, { force: true }))).then(() => {});
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const lock = lockDirectory(directory);
  stack.defer(() => lock.release());
  await forget();
  stack.defer(forget);
  const replayed = await openMetrics({ file, rawDays, hourDays });
  stack.defer(() => replayed.close());
  const metrics = await openMetrics({ file: join(directory, "metrics.db"), rawDays, hourDays });
  stack.defer(() => metrics.close());
  const ops = await openOps({ file: join(directory, "ops.db") });
  stack.defer(() => ops.close());
  const influx = await openFollower(config, (level, message, fields) => {
    if (level !== "info") process.stderr.write(`${message}${fields ? ` (${fields.reason})` : ""}\n`);
  });
  const ending = new AbortController();
  const following = influx?.run(ending.signal);
  stack.defer(async () => {
    ending.abort();
    await following;
    await influx?.close();
  });
  const opened = stack.move();
  return {
    async keep(deltas) {
      if (deltas.length > 0) await replayed.commit({ cursors: new Map(), accounts: new Map(), deltas });
    },
    async raise(flag, evidence) {
      if ((await ops.raise(flag, evidence, [])) === "opened") await influx?.annotate(flag);
    },
    async finish(signal) {
      const bounds = await replayed.bounds();
      if (!bounds) return "nothing to keep";
      const span = { fromMs: bounds.firstMs, toMs: bounds.lastMs + 1 };
      const taken = await backfill(replayed, metrics, { ...span, nowMs: now(), rawDays, hourDays });
      const kept = `${taken} rows kept in ${directory}`;
      if (!influx) return kept;
      await copyMetrics(metrics, influx, span);
      return `${kept}, ${await told(influx, signal)}`;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Waits until InfluxDB has taken what it was given. */
async function told(influx: InfluxStore, signal: AbortSignal): Promise<string> {
  for (let waitedMs = 0; waitedMs < WAIT_MS && !signal.aborted; waitedMs += LOOK_MS) {
    if (influx.state().spoolPoints === 0) break;
    await sleep(LOOK_MS, signal);
  }
  const { spoolPoints, refused } = influx.state();
  if (spoolPoints > 0) return `${spoolPoints} points wait in the spool until InfluxDB is there`;
  return refused > 0 ? `and in InfluxDB but for ${refused} points it refused` : "and in InfluxDB";
}
