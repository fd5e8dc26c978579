import { setImmediate } from "node:timers/promises";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import type { Flow, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { createAllowList } from "./allow-list.ts";
import { createDecoder, type ExporterReport } from "./decoder.ts";
import { openReceiver, type Receiver } from "./receiver.ts";
import { readState, writeState } from "./state-file.ts";

/** Datagrams decoded for one batch: about 30 flows each, so a few thousand. */
const DATAGRAMS_A_BATCH = 128;
/** New templates are written down after so long at the latest; a restarted exporter sends dozens at once. */
const SAVE_EVERY_MS = 5000;

/** How `createFlows` listens. */
export interface FlowsOptions {
  name: string;
  host: string;
  /** UDP; 0 lets the system choose, see `onListening`. 2055 by custom for NetFlow and IPFIX, 6343 for sFlow. */
  port: number;
  /** Addresses and networks that may export. Absent: anybody who can reach the port, and can forge. */
  exporters?: readonly string[];
  /** Where templates are kept over a restart. Absent: data waits until they are sent again. */
  stateFile?: string;
  /** Asked of the kernel, which gives no more than net.core.rmem_max. */
  receiveBufferBytes?: number;
  /** Bound of what waits to be decoded, 64 MiB unless said; what finds it full is dropped and counted. */
  queueBytes?: number;
  now: () => number;
  log: Log;
  onListening?: (at: { address: string; port: number }) => void;
  /** Told of each loss once it is certain: for the `lost` sum of the `flow` measurement. */
  onLost?: (exporter: string, records: number, atMs: number) => void;
}

/** What a flow collector can say of itself. Every number only grows. */
export interface FlowsReport {
  datagrams: number;
  /** Datagrams that found the queue full. Their records are also in their exporters' `lost`. */
  dropped: number;
  /** Datagrams from addresses that may not export. */
  refused: number;
  /** Exporters forgotten because more sent than are remembered; with an allow-list it stays 0. */
  forgotten: number;
  exporters: ExporterReport[];
}

/** A Collector of flows over UDP: NetFlow v5 and v9, IPFIX. */
export interface FlowsCollector extends Collector {
  report(): FlowsReport;
}

/**
 * Listens for export datagrams and yields their flows. UDP cannot be read again: batches carry no cursor. `collect`
 * throws when the socket cannot be bound or breaks. Throws at once on an exporter that is no address.
 */
export function createFlows(options: FlowsOptions): FlowsCollector {
  const { name, now, log, stateFile, onLost } = options;
  const decoder = createDecoder(onLost ? { onLost } : {});
  // The thread makes its own; this one is for telling a mistake at once.
  createAllowList(options.exporters);
  const counters = { datagrams: 0, dropped: 0, refused: 0 };
  let restored = false;
  let listening = false;
  let running: Receiver | undefined;

  async function restore(file: string): Promise<void> {
    try {
      decoder.restore(await readState(file), now());
    } catch (error) {
      // Exporters will send their templates again, so that nothing depends on this file.
      log("warn", `${name}: saved templates could not be read`, { file, reason: String(error) });
    }
  }

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    if (stateFile && !restored) await restore(stateFile);
    restored = true;
    const saver = createSaver();
    const receiver = open(signal);
    try {
      while (!signal.aborted) {
        await listened(receiver.readable());
        if (signal.aborted) break;
        const { observations, refusals } = decodeSome(receiver);
        if (observations.length > 0 || refusals.length > 0) yield { observations, refusals };
        await saver(false);
        // Datagrams may come without end, and the rest of the service has its turn between two batches.
        await setImmediate();
      }
    } finally {
      await receiver.close();
      const { datagrams, dropped, refused } = receiver.counts();
      counters.datagrams += datagrams;
      counters.dropped += dropped;
      counters.refused += refused;
      running = undefined;
      await saver(true);
    }
  }

  function open(signal: AbortSignal): Receiver {
    const {
      host,
      port,
      exporters,
      receiveBufferBytes = 16 * 1024 * 1024,
      queueBytes = 64 * 1024 * 1024,
    } = options;
    const receiver = openReceiver(
      {
        host,
        port,
        exporters,
        receiveBufferBytes,
        queueBytes,
        onListening: (at) => {
          listening = true;
          options.onListening?.(at);
        },
        onRefused: (exporter) => log("warn", `${name}: exporter refused`, { exporter }),
      },
      signal,
    );
    running = receiver;
    return receiver;
  }

  async function listened(readable: Promise<void>): Promise<void> {
    try {
      await readable;
    } catch (cause) {
      const what = listening ? "UDP socket broke on" : "cannot listen on";
      throw new Error(`${name}: ${what} ${options.host}, UDP port ${options.port}`, { cause });
    }
  }

  function decodeSome(receiver: Receiver): { observations: Flow[]; refusals: Refusal[] } {
    const flows: Flow[] = [];
    const refusals: Refusal[] = [];
    for (let count = 0; count < DATAGRAMS_A_BATCH; count += 1) {
      const arrived = receiver.read();
      if (!arrived) break;
      const reason = decoder.decode(arrived.bytes, arrived.address, arrived.port, now(), flows);
      if (reason) refuse(refusals, reason, arrived.address);
    }
    return { observations: flows, refusals };
  }

  /** Writes templates down when they changed, at most every few seconds unless `force`. */
  function createSaver(): (force: boolean) => Promise<void> {
    let savedChanges = decoder.changes;
    let savedMs = Number.NEGATIVE_INFINITY;
    let complained = "";
    return async (force) => {
      if (!stateFile || decoder.changes === savedChanges) return;
      if (!force && now() - savedMs < SAVE_EVERY_MS) return;
      savedChanges = decoder.changes;
      savedMs = now();
      try {
        await writeState(stateFile, decoder.save());
      } catch (error) {
        if (String(error) !== complained)
          log("warn", `${name}: templates not saved`, { reason: String(error) });
        complained = String(error);
      }
    };
  }

  return {
    name,
    collect,
    report() {
      const { datagrams = 0, dropped = 0, refused = 0 } = running?.counts() ?? {};
      return {
        datagrams: counters.datagrams + datagrams,
        dropped: counters.dropped + dropped,
        refused: counters.refused + refused,
        forgotten: decoder.forgotten(),
        exporters: decoder.report(),
      };
    },
  };
}
