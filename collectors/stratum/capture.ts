import { createReadStream } from "node:fs";
import type { Batch } from "#core/collector.ts";
import type { Observation, Refusal } from "#core/observation.ts";
import { refuse } from "#core/refusals.ts";
import { type CaptureConnection, createCaptureConnection } from "./capture-connection.ts";
import { CaptureReader } from "./capture-file.ts";
import { createDecoderFactory } from "./decoder.ts";
import { JobBoard } from "./job-board.ts";
import { createDecodeCounters, type DecodeCounters } from "./ledger-context.ts";
import { readSegment, type Segment } from "./tcp-segment.ts";

/** What a capture does not say itself, and the bounds of reading it. */
export interface CaptureOptions {
  pool: string;
  /** Of connections whose dialect leaves it open. */
  algorithm: string;
  maxLineBytes?: number;
  /** Connections followed at once; 65,536 unless said. The one that has been silent longest is given up. */
  maxConnections?: number;
  onCounters?: (counters: DecodeCounters) => void;
}

/**
 * Reads the stratum in a capture file (`-`: standard input), in event time: sessions of connections that speak it, their jobs and
 * shares. Other traffic gives nothing. Deterministic. A damaged file ends with a refusal, after everything before the damage.
 */
export function readCapture(file: string, options: CaptureOptions): AsyncIterable<Batch> {
  const chunks = file === "-" ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 });
  return readCaptureStream(chunks, file, options);
}

/** The same from a stream of the file's bytes, as they come; `place` names it in refusals. */
export async function* readCaptureStream(
  chunks: AsyncIterable<Uint8Array>,
  place: string,
  options: CaptureOptions,
): AsyncGenerator<Batch> {
  const { pool, algorithm, maxConnections = 65_536 } = options;
  let observations: Observation[] = [];
  let refusals: Refusal[] = [];
  const counters = createDecodeCounters();
  const board = new JobBoard((job) => observations.push(job));
  const context = {
    pool,
    algorithm,
    counters,
    emit: (observation: Observation) => observations.push(observation),
    refuse: (reason: string, place: string) => refuse(refusals, reason, place),
    announce: board.announce.bind(board),
  };
  const decoders = createDecoderFactory(context, {
    maxLineBytes: options.maxLineBytes ?? 65_536,
    onlyRecognised: true,
  });
  /** In order of their last packet, the longest silent first. */
  const connections = new Map<string, CaptureConnection>();

  function take(segment: Segment, atMs: number): void {
    const key = connectionKey(segment);
    let connection = connections.get(key);
    const reused = segment.syn && !segment.ack && connection?.began !== segment.sequence;
    if (connection && reused) {
      connection.end("ports used again");
      connection = undefined;
    }
    connections.delete(key);
    connection ??= createCaptureConnection(decoders, pool);
    connections.set(key, connection);
    connection.take(segment, atMs);
    if (connection.ended) connections.delete(key);
    else if (connections.size > maxConnections) {
      const [silent, oldest] = connections.entries().next().value!;
      oldest.flush();
      connections.delete(silent);
    }
  }

  function batch(): Batch {
    const full: Batch = { observations };
    if (refusals.length > 0) full.refusals = refusals;
    observations = [];
    refusals = [];
    return full;
  }

  const reader = new CaptureReader();
  let packets = 0;
  for await (const chunk of chunks) {
    for (const { atMs, linkType, data } of reader.push(
      Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
    )) {
      packets += 1;
      const segment = readSegment(linkType, data);
      if (segment === null) continue;
      if ("reason" in segment) refuse(refusals, segment.reason, `${place}: packet ${packets}`);
      else take(segment, atMs);
    }
    // What a live capture has told waits for nothing.
    if (observations.length > 0) yield batch();
  }
  reader.end();
  if (reader.broken !== null) refuse(refusals, reader.broken, `${place}: after packet ${packets}`);
  for (const connection of connections.values()) connection.flush();
  options.onCounters?.(counters);
  if (observations.length > 0 || refusals.length > 0) yield batch();
}

/** The same for both directions. */
function connectionKey({ source, sourcePort, destination, destinationPort }: Segment): string {
  const one = `${source} ${sourcePort}`;
  const other = `${destination} ${destinationPort}`;
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
