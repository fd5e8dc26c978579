import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, BlockList, createServer, isIP, type Server } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { createDecoderFactory, type DecoderFactory } from "./decoder.ts";
import { JobBoard } from "./job-board.ts";
import { openKernelRoundTrips } from "./kernel-round-trips.ts";
import { createDecodeCounters, type DecodeCounters } from "./ledger-context.ts";
import { ObservationQueue } from "./observation-queue.ts";
import { pause } from "./pause.ts";
import { createTapConnections, type ForwardCounters } from "./tap-connections.ts";
import type { Upstream } from "./upstream.ts";

/** What a tap does; all but the last group are its section of the configuration, described there. */
export interface TapOptions {
  name: string;
  listen: { host: string; port: number };
  /** `ca` is a file of PEM certificates. */
  upstream: Upstream;
  /** PEM files; with them miners speak TLS to the tap. Without, TLS passes through and is told as an opaque session. */
  tls?: { certificate: string; key: string };
  pool: string;
  algorithm: string;
  proxyProtocol: { accept: boolean; from: readonly string[]; emit: "off" | "v1" | "v2" };
  maxConnections: number;
  maxConnectionsPerAddress: number;
  maxLineBytes: number;
  idleMs: number;

  log: Log;
  /** Told once, when miners can connect: port 0 has its number then. */
  onListening?: (address: AddressInfo) => void;
  /** Observations that wait for a slow taker at most; 65,536 unless said. */
  queueObservations?: number;
  /** Bytes that wait to be decoded at most; 16 MiB unless said. */
  backlogBytes?: number;
  /** How long a batch waits to grow; 100 ms unless said. */
  lingerMs?: number;
  /** How long bytes under way may still be sent after an abort; 1 s unless said. */
  drainMs?: number;
  /** How often the kernel is asked for round trips; 10 s unless said. */
  roundTripEveryMs?: number;
  /** Wall clock and steady clock, in milliseconds. */
  now?: () => number;
  tick?: () => number;
  sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  roundTrips?: typeof openKernelRoundTrips;
  /** Stands around the decoders the tap makes, to see what they see; the tap's own unless said. */
  decoders?: (standard: DecoderFactory) => DecoderFactory;
}

/** Every counter of a tap; each only ever rises but `connections`, which says how many there are now. */
export type TapCounters = ForwardCounters &
  DecodeCounters & {
    droppedObservations: number;
    undecodedBytes: number;
    decoderFailures: number;
    foldedJobs: number;
  };

/** The collector of one pool's stratum port. */
export interface Tap extends Collector {
  counters(): TapCounters;
}

const MAX_BATCH = 2000;
/** What a share that has just come waits at most while older ones are decoded: a little over the time of one system call. */
const DECODE_SLICE_MS = 0.1;
/** Connections the kernel holds until they are accepted: a whole farm may come back at once. */
const LISTEN_BACKLOG = 4096;

/**
 * A TCP proxy in front of a pool that forwards every byte unchanged and at once, and tells what it saw as
 * observations. Its batches carry no cursor: a connection cannot be read twice. Forwarding never waits for decoding
 * or for the taker of the batches; what they cannot keep up with is dropped and counted.
 */
export function createTap(options: TapOptions): Tap {
  const { name, pool, algorithm, log } = options;
  const now = options.now ?? Date.now;
  const tick = options.tick ?? (() => performance.now());
  const sleep = options.sleep ?? pause;
  const queue = new ObservationQueue(name, options.queueObservations ?? 65_536);
  const board = new JobBoard((job) => queue.push(job));
  const decoding = createDecodeCounters();
  const context = {
    pool,
    algorithm,
    counters: decoding,
    emit: queue.push.bind(queue),
    refuse: queue.refuse.bind(queue),
    announce: board.announce.bind(board),
  };
  const decoders = createDecoderFactory(context, { maxLineBytes: options.maxLineBytes });
  let { upstream } = options;
  let secureContext: SecureContext | null = null;
  const connections = createTapConnections({
    ...options,
    now,
    tick,
    refuse: context.refuse,
    upstream: () => upstream,
    secureContext: () => secureContext,
    trusted: trustedPeers(options.proxyProtocol.from),
    decoders: options.decoders?.(decoders) ?? decoders,
    backlog: { limitBytes: options.backlogBytes ?? 16 * 1024 * 1024, sliceMs: DECODE_SLICE_MS },
  });

  /** Closes silent connections and asks the kernel for round trips, until `signal` aborts. */
  async function attend(port: number, signal: AbortSignal): Promise<void> {
    const everyMs = options.roundTripEveryMs ?? 10_000;
    const ask = (options.roundTrips ?? openKernelRoundTrips)(port, signal);
    let known = true;
    while (!signal.aborted) {
      await sleep(Math.min(everyMs, options.idleMs / 4), signal);
      if (signal.aborted) return;
      connections.closeIdle();
      if (!known || !connections.hasDirect()) continue;
      known = await ask(connections.tellRoundTrip);
      if (!known && !signal.aborted) {
        log("info", `${name}: the kernel's round trips cannot be read here; TCP round trips stay unknown`);
      }
    }
  }

  /** Read when the tap starts, so that a restart takes renewed ones. */
  async function readCertificates(): Promise<void> {
    try {
      const { ca } = options.upstream;
      if (ca !== undefined) upstream = { ...options.upstream, ca: await readFile(ca, "utf8") };
      if (!options.tls) return;
      const [cert, key] = await Promise.all([readFile(options.tls.certificate), readFile(options.tls.key)]);
      secureContext = createSecureContext({ cert, key });
    } catch (cause) {
      throw new Error(`${name}: cannot read its certificates`, { cause });
    }
  }

  async function* collect(signal: AbortSignal): AsyncGenerator<Batch> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.on("connection", connections.take);
    const ending = new AbortController();
    try {
      await readCertificates();
      const address = await listen(server, options);
      // Failing to accept one connection (too many open files) must not end those that are.
      server.on("error", (error) => log("error", `${name}: cannot accept a connection: ${error.message}`));
      options.onListening?.(address);
      const attending = attend(address.port, AbortSignal.any([signal, ending.signal]));
      yield* queue.batches(signal, { maxBatch: MAX_BATCH, lingerMs: options.lingerMs ?? 100, sleep });
      ending.abort();
      await attending;
    } finally {
      ending.abort();
      server.close();
      await connections.drain(options.drainMs ?? 1000);
    }
  }

  return {
    name,
    collect,
    counters: () => ({
      ...connections.counters(),
      ...decoding,
      droppedObservations: queue.dropped,
      foldedJobs: board.folded,
    }),
  };
}

async function listen(server: Server, { name, listen: at }: TapOptions): Promise<AddressInfo> {
  server.listen({ host: at.host, port: at.port, backlog: LISTEN_BACKLOG });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Error(`${name}: cannot listen on ${at.host}:${at.port}`, { cause });
  }
  return server.address() as AddressInfo;
}

function trustedPeers(from: readonly string[]): BlockList {
  const peers = new BlockList();
  for (const entry of from) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address);
    if (family === 0) throw new Error(`proxyProtocol.from: ${entry} is neither an address nor a network`);
    const type = family === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) peers.addAddress(address, type);
    else peers.addSubnet(address, Number(bits), type);
  }
  return peers;
}
