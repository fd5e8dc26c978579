import { join } from "node:path";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { writeObservation } from "#core/observation.ts";
import type { Task } from "#core/task.ts";
import { createFlows, type FlowsCollector } from "../../collectors/flows/flows.ts";
import { createFollower } from "../../collectors/flows/follow.ts";
import type { FlowMeasure } from "../../collectors/flows/measure.ts";
import { createSuricataParser } from "../../collectors/flows/suricata.ts";
import { createZeekParser } from "../../collectors/flows/zeek.ts";
import { websocketFeed } from "../../collectors/ingest/websocket.ts";
import { createCkpool } from "../../collectors/pools/ckpool.ts";
import { createMiningcore } from "../../collectors/pools/miningcore.ts";
import { createMiningcoreRelay } from "../../collectors/pools/miningcore-relay.ts";
import { nodejsPoolHost } from "../../collectors/pools/nodejs-pool.ts";
import { createPublicPool } from "../../collectors/pools/public-pool.ts";
import { createPublicPoolRest } from "../../collectors/pools/public-pool-rest.ts";
import { createRedisShares } from "../../collectors/pools/redis-shares.ts";
import { createSri } from "../../collectors/pools/sri.ts";
import { createXmrigProxy } from "../../collectors/pools/xmrig-proxy.ts";
import { createMirror } from "../../collectors/stratum/mirror.ts";
import { createObserver } from "../../collectors/stratum/observer.ts";
import type { Journal, JournalEntry } from "../bus/journal.ts";
import { JournalRefusal } from "../bus/journal.ts";
import type { Config } from "../config.ts";
import type { Counters } from "./counters.ts";
import { openTap } from "./open-tap.ts";
import { sleep } from "./sleep.ts";

/** Collectors that can be read again, from their cursor. */
export function replayable({ collectors }: Config, log: Log): Collector[] {
  const now = Date.now;
  return [
    ...collectors.ckpool.map((section) => createCkpool({ ...section, now })),
    ...collectors.miningcore.map((section) => createMiningcore({ ...section, now })),
    ...collectors.redisShares.map((section) => createRedisShares({ ...section, now })),
    ...collectors.xmrigProxy.map((section) => createXmrigProxy({ ...section, now })),
    ...collectors.publicPool.map((section) => createPublicPool({ ...section, now })),
    ...collectors.publicPoolRest.map((section) => createPublicPoolRest({ ...section, now })),
    ...collectors.sri.map((section) => createSri({ ...section, now })),
    ...collectors.zeek.map(({ name, file, pollMs }) =>
      createFollower({ name, file, pollMs, sleep, parser: () => createZeekParser(name, now) }),
    ),
    ...collectors.suricata.map(({ name, file, pollMs }) =>
      createFollower({
        name,
        file,
        pollMs,
        sleep,
        parser: () =>
          createSuricataParser({
            exporter: name,
            now,
            onAlert: ({ signature, src, dst }) =>
              log("info", "suricata alert", { name, signature, src, dst }),
          }),
      }),
    ),
  ];
}

/** Feeds that get their answer only once the journal has what they brought. */
export function acknowledged(
  { collectors }: Config,
  journal: Journal,
  onReceived: Counters["received"],
): { name: string; task: Task }[] {
  const append = (entry: JournalEntry) => journal.append(entry);
  const now = Date.now;
  return [
    ...collectors.nodejsPool.map(({ name, listen, secret, pool, algorithm }) => ({
      name,
      task: nodejsPoolHost({
        name,
        ...listen,
        key: secret,
        pool,
        algorithm,
        now,
        append,
        onReceived: (received) => onReceived(name, received),
      }),
    })),
    ...collectors.websocket.map((section) => ({
      name: section.name,
      task: websocketFeed({
        ...section,
        now,
        append,
        onReceived: (received) => onReceived(section.name, received),
      }),
    })),
  ];
}

/** Collectors of exported flows. */
export function exported(config: Config, log: Log, measure: FlowMeasure): FlowsCollector[] {
  return config.collectors.flows.map(({ name, listen, exporters, receiveBufferBytes }) =>
    createFlows({
      name,
      ...listen,
      ...(exporters ? { exporters } : {}),
      receiveBufferBytes,
      stateFile: join(config.data.directory, `${name}.templates.json`),
      now: Date.now,
      log,
      onListening: ({ address, port }) => log("info", "flows listening", { name, address, port }),
      onLost: measure.lost,
    }),
  );
}

/** Collectors of what else happens once: they go through the journal. */
export function live(config: Config, log: Log): Collector[] {
  const { collectors } = config;
  const taps = config.collectors.tap.map((section) => openTap(section, log));
  const mirrors = collectors.mirror.map(createMirror);
  const relays = collectors.miningcoreRelay.map((section) =>
    createMiningcoreRelay({ ...section, now: Date.now }),
  );
  const { observer } = collectors;
  const observers =
    observer.pools.length > 0
      ? [
          createObserver({
            ...observer,
            log,
            onFinding: (finding) => log("info", "observed", { ...finding }),
          }),
        ]
      : [];
  return [...taps, ...mirrors, ...relays, ...observers];
}

/** Writes what a live collector yields to the journal. What the journal cannot take is dropped, counted and said. */
export function intoJournal(
  collector: Collector,
  options: { journal: Journal; log: Log; onBatch: (batch: Batch, dropped: number) => void },
): Task {
  const { journal, log, onBatch } = options;
  return async (signal) => {
    let saying = "";
    for await (const batch of collector.collect(signal)) {
      let dropped = 0;
      try {
        if (batch.observations.length > 0) {
          await journal.append({ source: collector.name, lines: batch.observations.map(writeObservation) });
        }
        saying = "";
      } catch (error) {
        if (!(error instanceof JournalRefusal)) throw error;
        dropped = batch.observations.length;
        if (saying !== error.code)
          log("error", "journal refuses observations", { collector: collector.name, reason: error.message });
        saying = error.code;
      }
      onBatch(batch, dropped);
    }
  };
}
