import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Log } from "#core/log.ts";
import type { Model } from "#core/model.ts";
import { runAll, supervise, type Task } from "#core/task.ts";
import { ingestHandler } from "../../collectors/ingest/http.ts";
import { type Journal, openJournal } from "../bus/journal.ts";
import type { Config } from "../config.ts";
import { deliver } from "../deliver/deliver.ts";
import { webhook } from "../deliver/webhook.ts";
import { createReview } from "../review/api.ts";
import { type EmbeddedMetrics, openMetrics } from "../store/metrics-sqlite.ts";
import { type EmbeddedOps, openOps } from "../store/ops-sqlite.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createEngine, type Engine } from "./engine.ts";
import { dataNotices, healthOf } from "./health.ts";
import { keepLists } from "./lists.ts";
import { lockDirectory } from "./lock.ts";
import { openModel, openParts, type Parts } from "./parts.ts";
import { createPipeline } from "./pipeline.ts";
import { sleep } from "./sleep.ts";
import { acknowledged, intoJournal, live, replayable } from "./sources.ts";
import { VERSION } from "./version.ts";

/** What the demo adds: its own sources, in place of configured ones. */
export interface ServiceExtras {
  demo: boolean;
  /** Tasks that run beside the service, given what they may feed. */
  tasks: (service: { engine: Engine; journal: Journal; counters: Counters; log: Log }) => Task[];
}

const NO_EXTRAS: ServiceExtras = { demo: false, tasks: () => [] };
const JOURNAL = "journal";
/** How often event time is let pass on a quiet pool. */
const ADVANCE_MS = 10_000;
const PRUNE_MS = 3_600_000;
const CONSOLE = join(import.meta.dirname, "../../dist/console");

/** Everything that must be closed, in the order it was opened. */
interface Opened {
  parts: Parts;
  model: Model;
  metrics: EmbeddedMetrics;
  ops: EmbeddedOps;
  journal: Journal;
}

/** Runs the whole service until aborted; commits a last checkpoint on the way out. Rejects when a part of it fails. */
export async function serve(
  config: Config,
  options: {
    log: Log;
    signal: AbortSignal;
    onListening: (address: AddressInfo) => void;
    extras?: ServiceExtras;
  },
): Promise<void> {
  const directory = config.data.directory;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const lock = lockDirectory(directory);
  stack.defer(() => lock.release());
  const parts = await openParts(config);
  const model = await openModel(config);
  stack.defer(() => model.close());
  const metrics = await openMetrics({ file: join(directory, "metrics.db"), ...config.store });
  stack.defer(() => metrics.close());
  const events = Object.fromEntries(config.deliver.webhooks.map((hook) => [hook.name, hook.events]));
  const ops = await openOps({ file: join(directory, "ops.db"), events });
  stack.defer(() => ops.close());
  const journal = await openJournal({
    directory: join(directory, "journal"),
    maxBytes: config.store.journalBytes,
    now: Date.now,
  });
  stack.defer(() => journal.close());
  const torn = journal.status().tornBytes;
  if (torn > 0) options.log("warn", "journal: an unfinished write was cut off", { bytes: torn });
  await runOpened(
    config,
    { parts, model, metrics, ops, journal },
    { ...options, extras: options.extras ?? NO_EXTRAS },
  );
}

async function runOpened(
  config: Config,
  opened: Opened,
  options: {
    log: Log;
    signal: AbortSignal;
    onListening: (address: AddressInfo) => void;
    extras: ServiceExtras;
  },
): Promise<void> {
  const { parts, model, metrics, ops, journal } = opened;
  const { log, signal, extras } = options;
  const { analysis, screening, origin } = parts;
  const destinations = config.deliver.webhooks.map(webhook);
  const names = destinations.map(({ name }) => name);
  const lists = () =>
    [...screening.lists(), ...origin.versions()].map(({ name, version }) => ({ name, version }));
  const pipeline = createPipeline({
    analysis,
    model,
    screen: screening.screen,
    lists,
    policy: config.detection,
    raise: async (flag, evidence) => {
      const raised = await ops.raise(flag, evidence, names);
      if (raised === "opened") counters.flagged(flag);
      return raised;
    },
    onScreenings: (screenings) => ops.recordScreenings(screenings),
  });
  const counters = createCounters({ now: Date.now, analysis, pipeline: pipeline.counts });
  const engine = createEngine({
    analysis,
    pipeline,
    store: metrics,
    takeDeltas: counters.takeDeltas,
    onBatch: counters.batch,
    onCommitted: async (_rows, cursors) => {
      const cursor = cursors.get(JOURNAL);
      if (cursor !== undefined) await journal.release(cursor);
    },
  });
  counters.gauge(
    "assay_journal_bytes",
    "Observations on disk that no checkpoint has yet",
    () => journal.status().bytes,
  );
  const waiting = async () => (await ops.deliveries({ state: "waiting", limit: 1000 })).length;
  counters.gauge("assay_outbox_waiting", "Deliveries not yet made, 1000 at most", waiting);
  const recovered = await engine.recover();
  log("info", "recovered", recovered);
  if (recovered.discarded > 0) log("warn", "account states of another version were left out", recovered);

  const restarting = (name: string, task: Task): Task =>
    supervise(task, {
      name,
      sleep,
      onRestart: ({ reason, changed }) => {
        counters.restart(name, reason);
        if (changed) log("warn", "restarting a collector", { name, reason });
      },
    });
  const review = createReview({
    ops,
    metrics,
    screen: screening.screen,
    origin: origin.lookUp,
    health: () => healthOf(counters),
    metricsText: counters.text,
    ingest: ingestHandler({
      ...config.collectors.ingest,
      append: (entry) => journal.append(entry),
      now: Date.now,
      onReceived: (received) => counters.received(received.source, received),
    }),
    demo: extras.demo,
    users: config.http.tokens,
    version: VERSION,
    dataNotices: () => dataNotices(parts, Date.now()),
    consoleDirectory: CONSOLE,
    now: Date.now,
    log,
  });
  const every =
    (intervalMs: number, work: () => Promise<void>): Task =>
    async (all) => {
      for (await sleep(intervalMs, all); !all.aborted; await sleep(intervalMs, all)) await work();
    };
  try {
    await runAll(
      [
        engine.watch,
        review.serve(config.http.host, config.http.port, options.onListening),
        ...[...replayable(config), journal.reader(JOURNAL)].map((collector) =>
          restarting(collector.name, engine.follow(collector)),
        ),
        ...acknowledged(config, journal, counters.received).map(({ name, task }) => restarting(name, task)),
        ...live(config, log).map((collector) =>
          restarting(
            collector.name,
            intoJournal(collector, {
              journal,
              log,
              onBatch: (batch) => counters.batch(collector.name, batch),
            }),
          ),
        ),
        keepLists({
          parts,
          engine,
          log,
          everyMs: config.screening.checkHours * 3_600_000,
          record: (screenings) => ops.recordScreenings(screenings),
          onGroundGone: async ({ pool, account }, { value }) =>
            log("warn", "a screening hit has lost its ground", { pool, account, value }),
        }),
        origin.watch({
          everyMs: config.origin.reloadSeconds * 1000,
          sleep,
          onReload: ({ file, error }) =>
            error
              ? log("error", "a database does not hold; the last good one stays", {
                  file,
                  reason: error,
                })
              : log("info", "reloaded", { file }),
        }),
        deliver({ ops, destinations, now: Date.now, sleep, random: Math.random, log }),
        every(config.store.checkpointSeconds * 1000, engine.checkpoint),
        every(ADVANCE_MS, () => engine.advance(Date.now())),
        every(PRUNE_MS, () => metrics.prune(Date.now())),
        ...extras.tasks({ engine, journal, counters, log }),
      ],
      signal,
    );
  } finally {
    // After a failure the last committed checkpoint is the truth; what came since is read again.
    if (!engine.failed()) await engine.checkpoint();
  }
}
