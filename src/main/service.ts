import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Log } from "#core/log.ts";
import { HOUR_MS } from "#core/metrics.ts";
import { runAll, supervise, type Task } from "#core/task.ts";
import { ingestHandler } from "../../collectors/ingest/http.ts";
import { createRisLive } from "../../collectors/routes/ris-live.ts";
import { watchedNetworks } from "../../collectors/routes/watched.ts";
import { openJournal } from "../bus/journal.ts";
import type { Config } from "../config.ts";
import { deliver } from "../deliver/deliver.ts";
import { webhook } from "../deliver/webhook.ts";
import { createReview } from "../review/api.ts";
import { copyMetrics } from "../store/copy.ts";
import { openMetrics } from "../store/metrics-sqlite.ts";
import { openOps } from "../store/ops-sqlite.ts";
import type { Counters } from "./counters.ts";
import type { Engine } from "./engine.ts";
import { dataNotices, healthOf } from "./health.ts";
import { createHeart, type Heart, JOURNAL, type Opened } from "./heart.ts";
import { listStandings } from "./list-standings.ts";
import { keepFetched, keepLists } from "./lists.ts";
import { lockDirectory } from "./lock.ts";
import { openFollower } from "./open-influx.ts";
import { modelNotices, openModel, openParts, openShadow } from "./parts.ts";
import { screenAgain } from "./screen-again.ts";
import { sleep } from "./sleep.ts";
import { acknowledged, exported, intoJournal, live, replayable } from "./sources.ts";
import { VERSION } from "./version.ts";

/** What the demo adds: its own sources, in place of configured ones. */
export interface ServiceExtras {
  demo: boolean;
  /** Tasks that run beside the service, given what they may feed. */
  tasks: (service: { engine: Engine; journal: Opened["journal"]; counters: Counters; log: Log }) => Task[];
}

/** How the service is run. */
export interface ServiceOptions {
  log: Log;
  signal: AbortSignal;
  onListening: (address: AddressInfo) => void;
  extras?: ServiceExtras;
}

const NO_EXTRAS: ServiceExtras = { demo: false, tasks: () => [] };
/** How often event time is let pass on a quiet pool. */
const ADVANCE_MS = 10_000;
const PRUNE_MS = HOUR_MS;
const CONSOLE = join(import.meta.dirname, "../../dist/console");

/** Runs the whole service until aborted; commits a last checkpoint on the way out. Rejects when a part of it fails. */
export async function serve(config: Config, options: ServiceOptions): Promise<void> {
  const { log } = options;
  const directory = config.data.directory;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const lock = lockDirectory(directory);
  stack.defer(() => lock.release());
  const parts = await openParts(config);
  const model = await openModel(config);
  stack.defer(() => model.close());
  for (const notice of modelNotices(model)) log("warn", notice);
  const shadow = await openShadow(config);
  if (shadow) stack.defer(() => shadow.close());
  const { rawDays, hourDays, journalBytes } = config.store;
  const metrics = await openMetrics({ file: join(directory, "metrics.db"), rawDays, hourDays });
  stack.defer(() => metrics.close());
  const events = Object.fromEntries(config.deliver.webhooks.map((hook) => [hook.name, hook.events]));
  const ops = await openOps({ file: join(directory, "ops.db"), events });
  stack.defer(() => ops.close());
  const journal = await openJournal({
    directory: join(directory, "journal"),
    maxBytes: journalBytes,
    now: Date.now,
  });
  stack.defer(() => journal.close());
  const torn = journal.status().tornBytes;
  if (torn > 0) log("warn", "journal: an unfinished write was cut off", { bytes: torn });
  const opened: Opened = { parts, model, metrics, ops, journal, ...(shadow ? { shadow } : {}) };
  const influx = await openFollower(config, log);
  if (influx) {
    stack.defer(() => influx.close());
    // What a crash left between a commit and its write.
    await copyMetrics(metrics, influx, { fromMs: Date.now() - 2 * HOUR_MS, toMs: Date.now() + HOUR_MS });
    opened.influx = influx;
  }
  const destinations = config.deliver.webhooks.map(webhook);
  const heart = createHeart(config, opened, { log, destinations: destinations.map(({ name }) => name) });
  await recover(heart, log);
  try {
    await runAll(
      [
        heart.engine.watch,
        review(config, opened, heart, options),
        ...collecting(config, opened, heart, log),
        ...keeping(config, opened, heart, log),
        deliver({
          ops,
          destinations,
          now: Date.now,
          sleep,
          random: Math.random,
          log,
          onAttempt: heart.counters.delivered,
        }),
        ...(options.extras ?? NO_EXTRAS).tasks({
          engine: heart.engine,
          journal,
          counters: heart.counters,
          log,
        }),
      ],
      options.signal,
    );
  } finally {
    // After a failure the last committed checkpoint is the truth; what came since is read again.
    if (!heart.engine.failed()) await heart.engine.checkpoint();
  }
}

async function recover({ engine }: Heart, log: Log): Promise<void> {
  const recovered = await engine.recover();
  log("info", "recovered", recovered);
  if (recovered.discarded > 0) log("warn", "account states of another version were left out", recovered);
}

/** The API and the console. */
function review(config: Config, opened: Opened, heart: Heart, options: ServiceOptions): Task {
  const { parts, metrics, ops, journal } = opened;
  const { counters } = heart;
  const { serve: listen } = createReview({
    ops,
    metrics,
    screen: parts.screening.screen,
    lists: () => listStandings(parts),
    origin: parts.origin.lookUp,
    model: heart.modelWatch,
    network: heart.network.answer,
    health: () => healthOf(counters, heart.modelWatch.standing()),
    metricsText: counters.text,
    ingest: ingestHandler({
      ...config.collectors.ingest,
      append: (entry) => journal.append(entry),
      now: Date.now,
      onReceived: (received) => counters.received(received.source, received),
    }),
    demo: options.extras?.demo ?? false,
    users: config.http.tokens,
    version: VERSION,
    dataNotices: () => dataNotices(parts, Date.now()),
    consoleDirectory: CONSOLE,
    now: Date.now,
    log: options.log,
  });
  return listen(config.http.host, config.http.port, options.onListening);
}

/** Every source: what can be read again follows its cursor, the rest goes through the journal. */
function collecting(config: Config, { journal }: Opened, heart: Heart, log: Log): Task[] {
  const { engine, counters, flowMeasure, network, addDeltas } = heart;
  const restarting = (name: string, task: Task): Task =>
    supervise(task, {
      name,
      sleep,
      onRestart: ({ reason, changed }) => {
        counters.restart(name, reason);
        if (changed) log("warn", "restarting a collector", { name, reason });
      },
    });
  const flows = exported(config, log, flowMeasure);
  network.show({ flows });
  const once = [...live(config, log), ...flows];
  const { risLive } = config.collectors;
  if (risLive.enabled) {
    const routes = createRisLive({ name: "ris-live", ...risLive, networks: watchedNetworks().networks, log });
    addDeltas(routes.takeDeltas);
    network.show({ routes });
    once.push(routes);
  }
  return [
    ...[...replayable(config, log), journal.reader(JOURNAL)].map((collector) =>
      restarting(collector.name, engine.follow(collector)),
    ),
    ...acknowledged(config, journal, counters.received).map(({ name, task }) => restarting(name, task)),
    ...once.map((collector) => {
      const onBatch = (batch: Parameters<Counters["batch"]>[1], dropped: number) => {
        counters.batch(collector.name, batch);
        heart.journalDropped(dropped);
      };
      return restarting(collector.name, intoJournal(collector, { journal, log, onBatch }));
    }),
  ];
}

/** What is done again and again: checkpoints, passing time, lists, databases, retention, the follower of the metrics. */
function keeping(config: Config, opened: Opened, heart: Heart, log: Log): Task[] {
  const { parts, metrics, ops, influx } = opened;
  const { engine } = heart;
  const every =
    (intervalMs: number, work: () => Promise<void>): Task =>
    async (signal) => {
      for (await sleep(intervalMs, signal); !signal.aborted; await sleep(intervalMs, signal)) await work();
    };
  const again = screenAgain({ parts, ops, engine, withdraw: heart.withdraw, log, now: Date.now });
  const lists = keepLists({
    parts,
    log,
    everyMs: config.screening.checkHours * HOUR_MS,
    onRound: again,
  });
  const databases: Task = (signal) =>
    parts.origin.watch({
      everyMs: config.origin.reloadSeconds * 1000,
      sleep,
      onRound: async (reloads) => {
        for (const { file, error } of reloads) {
          if (error)
            log("error", "a database does not hold; the last good one stays", { file, reason: error });
          else log("info", "reloaded", { file });
        }
        // Also where nothing was read: a date may have passed.
        await again(signal);
      },
    })(signal);
  return [
    // What changed while nothing ran, before anything is fetched.
    async (signal) => {
      await again(signal);
      await lists(signal);
    },
    databases,
    keepFetched(parts.networkLists, log),
    keepFetched(parts.databases, log),
    every(config.store.checkpointSeconds * 1000, engine.checkpoint),
    every(ADVANCE_MS, () => engine.advance(Date.now())),
    every(PRUNE_MS, async () => {
      await metrics.prune(Date.now());
      await ops.prune(Date.now());
    }),
    ...(influx ? [influx.run] : []),
  ];
}
