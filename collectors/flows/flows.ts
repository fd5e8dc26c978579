import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import type { Flow, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { createAllowList } from "./allow-list.ts";
import { createDecoder, type ExporterReport } from "./decoder.ts";
import { createDatagramQueue, type DatagramQueue } from "./queue.ts";
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
  /** Bounds of what waits to be decoded; what finds it full is dropped and counted. */
  maxQueuedDatagrams?: number;
  maxQueuedBytes?: number;
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
  const allowed = createAllowList(options.exporters);
  const counters = { datagrams: 0, dropped: 0, refused: 0 };
  let restored = false;

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
    const { maxQueuedDatagrams: maxDatagrams = 16_384, maxQueuedBytes: maxBytes = 32 * 1024 * 1024 } =
      options;
    const queue = createDatagramQueue({ maxDatagrams, maxBytes }, signal);
    const saver = createSaver();
    const socket = open(queue);
    try {
      await bind(socket, options);
      while (!signal.aborted) {
        const arrived = await queue.take(DATAGRAMS_A_BATCH);
        if (signal.aborted) break;
        const flows: Flow[] = [];
        const refusals: Refusal[] = [];
        for (const { bytes, address, port, atMs } of arrived) {
          const reason = decoder.decode(bytes, address, port, atMs, flows);
          if (reason) refuse(refusals, reason, address);
        }
        yield { observations: flows, refusals };
        await saver(false);
        // Between two batches the socket must be read, or a busy consumer would make the kernel drop.
        await setImmediate();
      }
    } finally {
      socket.close();
      await saver(true);
    }
  }

  function open(queue: DatagramQueue): Socket {
    const socket = createSocket({ type: isIPv6(options.host) ? "udp6" : "udp4" });
    let refusedHere = 0;
    socket.on("message", (bytes, from) => {
      counters.datagrams += 1;
      if (!allowed(from.address)) {
        counters.refused += 1;
        refusedHere += 1;
        if (refusedHere === 1) log("warn", `${name}: exporter refused`, { exporter: from.address });
      } else if (!queue.push({ bytes, address: from.address, port: from.port, atMs: now() }))
        counters.dropped += 1;
    });
    socket.on("error", (cause) => queue.fail(new Error(`${name}: UDP socket broke`, { cause })));
    return socket;
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
    report: () => ({ ...counters, forgotten: decoder.forgotten(), exporters: decoder.report() }),
  };
}

async function bind(socket: Socket, options: FlowsOptions): Promise<void> {
  const { name, host, port, receiveBufferBytes = 16 * 1024 * 1024, onListening } = options;
  socket.bind({ address: host, port });
  try {
    await once(socket, "listening");
  } catch (cause) {
    throw new Error(`${name}: cannot listen on ${host}, UDP port ${port}`, { cause });
  }
  socket.setRecvBufferSize(receiveBufferBytes);
  const { address, port: bound } = socket.address();
  onListening?.({ address, port: bound });
}
