import { readFile } from "node:fs/promises";
import type { Batch } from "#core/collector.ts";
import type { Flow, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { isCapture } from "./capture.ts";
import { readDatagrams } from "./datagrams.ts";
import { createDecoder, type Decoder, type ExporterReport } from "./decoder.ts";

/** Datagrams decoded before a batch is handed on: at about 30 flows each, a few thousand flows. */
const DATAGRAMS_A_BATCH = 64;
/** Frames carry no addresses, so that all of a recording is one exporter's. */
const UNKNOWN_EXPORTER = "recording";
/** No UDP payload is longer: such a frame is not one. */
const MAX_DATAGRAM_BYTES = 65_535;

type Refuse = (reason: string, place: string) => void;

interface Recorded {
  bytes: Uint8Array;
  exporter: string;
  port: number;
  /** Where it was sent. Each destination is a collector of its own, with its own templates. */
  to: string;
  place: string;
  /** When it was captured; NaN where the recording has no times. */
  atMs: number;
}

/** A recording being replayed. */
export interface FlowsReplay {
  /** Flows in the recording's order, without cursors. Rejects when the file cannot be read. */
  batches: AsyncGenerator<Batch>;
  /** What was found so far: by destination ("127.0.0.1:2055", or "" where the recording has none), by exporter. */
  report(): ReadonlyMap<string, readonly ExporterReport[]>;
}

/**
 * Replays recorded NetFlow, IPFIX or sFlow export: a pcap or pcapng file, or frames of [32 bits big-endian length][payload].
 * Event time is the exporters' own, however old; sFlow's, which has none, is the capture's.
 */
export function readFlowsFile(path: string): FlowsReplay {
  const decoders = new Map<string, Decoder>();
  return {
    batches: replay(path, decoders),
    report: () => new Map([...decoders].map(([to, decoder]) => [to, decoder.report()])),
  };
}

async function* replay(path: string, decoders: Map<string, Decoder>): AsyncGenerator<Batch> {
  const file = await readFile(path);
  let flows: Flow[] = [];
  let refusals: Refusal[] = [];
  let datagrams = 0;
  // Asked for at each use, because every batch has its own.
  const refuseHere: Refuse = (reason, place) => refuse(refusals, reason, place);
  for (const recorded of isCapture(file) ? captured(file, refuseHere) : framed(file, refuseHere)) {
    const { bytes, exporter, port, to, place, atMs } = recorded;
    const decoder = decoders.get(to) ?? createDecoder({ recorded: true });
    decoders.set(to, decoder);
    const reason = decoder.decode(bytes, exporter, port, atMs, flows);
    if (reason) refuseHere(reason, place);
    datagrams += 1;
    if (datagrams % DATAGRAMS_A_BATCH !== 0) continue;
    yield { observations: flows, refusals };
    flows = [];
    refusals = [];
  }
  yield { observations: flows, refusals };
}

function* captured(file: Uint8Array, refuse: Refuse): Generator<Recorded> {
  let number = 0;
  const datagrams = readDatagrams(file, (why, packet) => {
    // Other traffic in the capture is not wrong.
    if (why !== "other") refuse(`packet ${why}`, `packet ${packet}`);
  });
  for (const { src, srcPort, dst, dstPort, payload, atMs } of datagrams) {
    number += 1;
    yield {
      bytes: payload,
      exporter: src,
      port: srcPort,
      to: `${dst}:${dstPort}`,
      place: `datagram ${number}`,
      atMs,
    };
  }
}

function* framed(file: Uint8Array, refuse: Refuse): Generator<Recorded> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let offset = 0;
  let number = 0;
  while (offset < file.length) {
    number += 1;
    const place = `datagram ${number}`;
    const length = offset + 4 <= file.length ? view.getUint32(offset) : Number.POSITIVE_INFINITY;
    if (length > MAX_DATAGRAM_BYTES || offset + 4 + length > file.length) {
      return refuse("frame cut short, or not a recording of export datagrams", place);
    }
    const bytes = file.subarray(offset + 4, offset + 4 + length);
    yield { bytes, exporter: UNKNOWN_EXPORTER, port: 0, to: "", place, atMs: Number.NaN };
    offset += 4 + length;
  }
}
