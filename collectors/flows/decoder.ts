import { type Flow, MAX_AHEAD_MS } from "#core/observation.ts";
import { plainAddress } from "./address.ts";
import { type Exporter, type ExporterCounters, Exporters } from "./exporters.ts";
import { HEADER5_BYTES, readNetflow5 } from "./netflow5.ts";
import type { Message } from "./record.ts";
import type { Convention, Numbered } from "./sequence.ts";
import { readSamples, readSflowHeader } from "./sflow.ts";
import { type DomainState, restoreDomains, saveDomains } from "./state.ts";
import { HEADER9_BYTES, HEADER10_BYTES, readSets } from "./templated.ts";

/** An export clock further behind the receiver's than this is a clock that was never set. */
const MAX_BEHIND_MS = 24 * 3_600_000;

/** What came from one exporter so far, and how its loss is being told. */
export interface ExporterReport extends ExporterCounters {
  exporter: string;
  conventions: Convention[];
}

export interface DecoderOptions {
  /** A recording: exporters' clocks are believed, however far they are from the time of receipt. */
  recorded?: boolean;
  /** Told of records that never came, in the exporter's name, as soon as they are certainly lost. */
  onLost?: (exporter: string, records: number, atMs: number) => void;
}

/**
 * Decodes export datagrams of any supported version into flows. Bounded memory and no loop whatever comes in; not
 * for use by several sources at once whose clocks differ.
 */
export interface Decoder {
  /**
   * Appends the datagram's flows to `flows` and returns why it, or the rest of it, was refused, if it was.
   * `receivedMs` is the receiver's clock, NaN when unknown: then sFlow, which tells no times, is refused.
   */
  decode(
    datagram: Uint8Array,
    address: string,
    port: number,
    receivedMs: number,
    flows: Flow[],
  ): string | undefined;
  report(): ExporterReport[];
  /** Exporters forgotten because more sent than are remembered. */
  forgotten(): number;
  /** Grows whenever what `save` returns would differ in its templates. */
  readonly changes: number;
  save(): DomainState[];
  restore(states: readonly DomainState[], nowMs: number): void;
}

/** A decoder with no state but what it is given by `restore`. */
export function createDecoder({ onLost, recorded = false }: DecoderOptions = {}): Decoder {
  const exporters = new Exporters();
  let changes = 0;

  function follow(
    exporter: Exporter,
    version: number,
    domainId: number,
    port: number,
    numbered: Numbered,
  ): void {
    const domain = exporter.domain(version, domainId);
    const before = domain.convention;
    const lost = domain.follow(port, numbered);
    if (domain.convention !== before) changes += 1;
    if (lost === 0) return;
    exporter.counters.lost += lost;
    onLost?.(exporter.address, lost, numbered.exportMs);
  }

  /** The message's clocks, corrected to the time of receipt where they cannot be true. */
  function clocks(exporter: Exporter, seconds: number, uptimeMs: number, receivedMs: number): Message {
    const exportMs = seconds * 1000;
    const ahead = exportMs - receivedMs;
    const wrong = !recorded && (ahead > MAX_AHEAD_MS || ahead < -MAX_BEHIND_MS);
    if (wrong) exporter.counters.clockCorrected += 1;
    return { exporter: exporter.address, exportMs, shiftMs: wrong ? -ahead : 0, uptimeMs };
  }

  function decodeSflow(view: DataView, { exporter, port, receivedMs, flows }: Arrival): string | undefined {
    const header = readSflowHeader(view);
    if (!header) return "datagram shorter than its header";
    if (Number.isNaN(receivedMs)) return "sFlow tells no times, and the recording has none";
    const context = { exporter: exporter.address, atMs: receivedMs, counters: exporter.counters, flows };
    const { count, reason } = readSamples(view, header, context);
    const { sequence, uptimeMs, subAgent } = header;
    const counted = reason === undefined ? count : Number.NaN;
    follow(exporter, 0, subAgent, port, {
      sequence,
      flows: counted,
      records: counted,
      exportMs: receivedMs,
      uptimeMs,
    });
    return reason;
  }

  function decode5(view: DataView, exporter: Exporter, port: number, receivedMs: number, flows: Flow[]) {
    if (view.byteLength < HEADER5_BYTES) return "datagram shorter than its header";
    const message = clocks(exporter, view.getUint32(8), view.getUint32(4), receivedMs);
    message.exportMs += Math.floor(Math.min(view.getUint32(12), 999_999_999) / 1e6);
    const count = readNetflow5(view, message, flows);
    exporter.counters.records += count;
    exporter.counters.flows += count;
    const engine = view.getUint16(20);
    follow(exporter, 5, engine, port, numbers(view.getUint32(16), count, count, message));
    return count < view.getUint16(2) ? "fewer records than the header says" : undefined;
  }

  function decodeSets(
    view: DataView,
    version: 9 | 10,
    { exporter, port, receivedMs, flows }: Arrival,
  ): string | undefined {
    if (view.byteLength < (version === 9 ? HEADER9_BYTES : HEADER10_BYTES))
      return "datagram shorter than its header";
    const length = version === 10 ? view.getUint16(2) : view.byteLength;
    if (length < HEADER10_BYTES) return "message shorter than its header";
    const whole = new DataView(view.buffer, view.byteOffset, Math.min(length, view.byteLength));
    const uptimeMs = version === 9 ? view.getUint32(4) : Number.NaN;
    const message = clocks(exporter, view.getUint32(version === 9 ? 8 : 4), uptimeMs, receivedMs);
    const domainId = view.getUint32(version === 9 ? 16 : 12);
    const domain = exporter.domain(version, domainId);
    const before = exporter.counters.templates;
    const nowMs = Number.isNaN(receivedMs) ? message.exportMs : receivedMs;
    const read = readSets(whole, version, nowMs, { message, domain, counters: exporter.counters, flows });
    if (exporter.counters.templates !== before) changes += 1;
    // What a broken datagram held cannot be counted.
    const known = read.reason === undefined;
    const sequence = view.getUint32(version === 9 ? 12 : 8);
    follow(
      exporter,
      version,
      domainId,
      port,
      numbers(sequence, known ? read.flows : Number.NaN, known ? read.records : Number.NaN, message),
    );
    return read.reason ?? (length > view.byteLength ? "message longer than its datagram" : undefined);
  }

  return {
    decode(datagram, address, port, receivedMs, flows) {
      const exporter = exporters.at(plainAddress(address), receivedMs);
      exporter.counters.datagrams += 1;
      exporter.counters.bytes += datagram.length;
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
      const arrival = { exporter, port, receivedMs, flows };
      const version = datagram.length >= 4 ? view.getUint16(0) : -1;
      let reason: string | undefined;
      if (version === 5) reason = decode5(view, exporter, port, receivedMs, flows);
      else if (version === 9 || version === 10) reason = decodeSets(view, version, arrival);
      // sFlow writes its version in 32 bits.
      else if (version === 0 && view.getUint16(2) === 5) reason = decodeSflow(view, arrival);
      else if (version < 0) reason = "datagram shorter than its header";
      else reason = `export version ${version} is not known`;
      if (reason !== undefined) exporter.counters.malformed += 1;
      return reason;
    },
    report: () => [...exporters.all()].map(reportOf),
    forgotten: () => exporters.forgotten,
    get changes() {
      return changes;
    },
    save: () => saveDomains(exporters.all()),
    restore: (states, nowMs) => restoreDomains(states, exporters, nowMs),
  };
}

interface Arrival {
  exporter: Exporter;
  port: number;
  receivedMs: number;
  flows: Flow[];
}

function numbers(sequence: number, flows: number, records: number, message: Message): Numbered {
  const exportMs = message.exportMs + message.shiftMs;
  return { sequence, flows, records, exportMs, uptimeMs: message.uptimeMs };
}

function reportOf(exporter: Exporter): ExporterReport {
  const conventions = [...exporter.domains.values()].map((domain) => domain.convention);
  return { exporter: exporter.address, ...exporter.counters, conventions: [...new Set(conventions)] };
}
