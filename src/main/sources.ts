import { join } from "node:path";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { writeObservation } from "#core/observation.ts";
import type { Task } from "#core/task.ts";
import { createFlows } from "../../collectors/flows/flows.ts";
import { createCkpool } from "../../collectors/pools/ckpool.ts";
import { createTap } from "../../collectors/stratum/tap.ts";
import type { Journal } from "../bus/journal.ts";
import { JournalRefusal } from "../bus/journal.ts";
import type { Config } from "../config.ts";

/** Collectors that can be read again, from their cursor. */
export function replayable(config: Config): Collector[] {
  return config.collectors.ckpool.map((section) => createCkpool({ ...section, now: Date.now }));
}

/** Collectors of what happens once: they go through the journal. */
export function live(config: Config, log: Log): Collector[] {
  const taps = config.collectors.tap.map((section) =>
    createTap({
      ...section,
      log,
      onListening: ({ port }) => log("info", "tap listening", { name: section.name, port }),
    }),
  );
  const flows = config.collectors.flows.map(({ name, listen, exporters, receiveBufferBytes }) =>
    createFlows({
      name,
      ...listen,
      ...(exporters ? { exporters } : {}),
      receiveBufferBytes,
      stateFile: join(config.data.directory, `${name}.templates.json`),
      now: Date.now,
      log,
    }),
  );
  return [...taps, ...flows];
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
