import type { Decoder, DecoderFactory } from "./decoder.ts";
import type { Direction, Moment } from "./ledger-context.ts";
import type { Segment } from "./tcp-segment.ts";
import { type Piece, TcpStream } from "./tcp-stream.ts";

/** One connection of a capture, while its packets come. */
export interface CaptureConnection {
  take(segment: Segment, atMs: number): void;
  /** Both sides have finished, or one has broken off. */
  readonly ended: boolean;
  /** Sequence number of the SYN; null where the beginning was not recorded. */
  readonly began: number | null;
  /** The connection is over: it is told with this reason. */
  end(reason: string): void;
  /** The capture is over while the connection may not be: what waits is decoded, no close is told. */
  flush(): void;
}

/** Bytes held of a connection whose beginning was not recorded, until they tell which side is the miner. */
const MAX_HELD_BYTES = 65_536;
const FROM_MINER =
  /"method"\s*:\s*"(?:mining\.(?:subscribe|authorize|submit|configure)|login|submit|keepalived|eth_\w+)"/;
const FROM_POOL = /"method"\s*:\s*"(?:mining\.(?:notify|set_difficulty|set_target)|job)"/;

type Side = "first" | "second";

/**
 * Follows one connection: puts both directions together, finds out which side is the miner (by the handshake, else by
 * what is said) and feeds a decoder. The round trip is that from the pool's SYN to the ACK that ends the handshake: the leg
 * between the place of the capture and the miner, which the application's round trip is seen from too.
 */
export function createCaptureConnection(decoders: DecoderFactory, pool: string): CaptureConnection {
  /** `first` is the side whose packet came first. */
  let first: { address: string; port: number } | null = null;
  let second: { address: string; port: number } | null = null;
  const streams = { first: new TcpStream<Moment>(), second: new TcpStream<Moment>() };
  const finished = { first: false, second: false };
  let miner: Side | null = null;
  let decoder: Decoder | null = null;
  let held: { side: Side; piece: Piece<Moment> }[] | null = [];
  let heldBytes = 0;
  let openedAt: Moment = { atMs: 0, tickMs: 0 };
  let latest: Moment = openedAt;
  let began: number | null = null;
  let answeredAtMs: number | null = null;
  let ended = false;

  const other = (side: Side): Side => (side === "first" ? "second" : "first");

  function open(side: Side, midStream: boolean): void {
    miner = side;
    const { address, port } = (side === "first" ? first : second)!;
    const session = `${pool}-${address}-${port}-${Math.floor(openedAt.atMs)}`;
    decoder = decoders({ session, address, port, midStream }, openedAt);
    const waiting = held ?? [];
    held = null;
    for (const { side: from, piece } of waiting) decode(from, piece);
  }

  function decode(side: Side, piece: Piece<Moment>): void {
    const direction: Direction = side === miner ? "up" : "down";
    if (piece.bytes === null) decoder?.gap(direction);
    else decoder?.push(direction, piece.bytes, piece.when);
  }

  function deliver(side: Side, pieces: Piece<Moment>[]): void {
    for (const piece of pieces) {
      if (decoder) decode(side, piece);
      else if (held) hold(side, piece);
    }
  }

  /** Without a handshake: waits for a message that only one side sends. */
  function hold(side: Side, piece: Piece<Moment>): void {
    held!.push({ side, piece });
    heldBytes += piece.bytes?.length ?? 0;
    const text = piece.bytes?.toString("latin1") ?? "";
    if (FROM_MINER.test(text)) open(side, true);
    else if (FROM_POOL.test(text)) open(other(side), true);
    else if (heldBytes > MAX_HELD_BYTES) held = null;
  }

  function take(segment: Segment, atMs: number): void {
    const { source, sourcePort, destination, destinationPort, sequence } = segment;
    latest = { atMs, tickMs: atMs };
    if (first === null) {
      openedAt = latest;
      first = { address: source, port: sourcePort };
      second = { address: destination, port: destinationPort };
    }
    const side: Side = source === first.address && sourcePort === first.port ? "first" : "second";
    if (segment.syn) {
      shake(segment, side);
      return;
    }
    if (side === miner && answeredAtMs !== null && segment.ack) {
      decoder?.kernelRoundTrip(latest, atMs - answeredAtMs);
      answeredAtMs = null;
    }
    const stream = streams[side];
    const starts = !stream.started && segment.length > 0;
    // A line that began before the capture is not taken for a whole one.
    if (starts && segment.payload[0] !== 0x7b) deliver(side, [{ bytes: null, when: latest }]);
    deliver(side, stream.push(sequence, segment.payload, segment.length, latest));
    if (segment.ack) deliver(other(side), streams[other(side)].acknowledge(segment.acknowledged));
    if (segment.fin) finished[side] = true;
    if (segment.rst) end(side === miner ? "miner reset" : "pool reset");
    else if (finished.first && finished.second) end("ended");
  }

  function shake({ ack, sequence }: Segment, side: Side): void {
    streams[side].start(sequence);
    if (ack) {
      answeredAtMs = latest.atMs;
      if (miner === null) open(other(side), false);
    } else {
      began ??= sequence;
      if (miner === null) open(side, false);
    }
  }

  function flush(): void {
    deliver("first", streams.first.end());
    deliver("second", streams.second.end());
  }

  function end(reason: string): void {
    if (ended) return;
    ended = true;
    flush();
    decoder?.close(latest, reason);
  }

  return {
    take,
    end,
    flush,
    get ended() {
      return ended;
    },
    get began() {
      return began;
    },
  };
}
