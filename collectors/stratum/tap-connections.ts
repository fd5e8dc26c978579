import type { BlockList, Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Log } from "#core/log.ts";
import { DecodeBacklog, type Decoding } from "./decode-backlog.ts";
import type { DecoderFactory } from "./decoder.ts";
import { forward } from "./forward.ts";
import { peerKey } from "./kernel-round-trips.ts";
import type { SessionIdentity } from "./ledger-context.ts";
import { peekHello } from "./peek-hello.ts";
import { acceptProxyHeader } from "./proxy-acceptance.ts";
import { type Endpoint, plainAddress, writeProxyHeader } from "./proxy-protocol.ts";
import { dial, type Upstream } from "./upstream.ts";

/** What went through; each only ever rises but `connections`, which says how many there are now. */
export interface ForwardCounters {
  connections: number;
  accepted: number;
  /** Turned away: a limit was reached, or the PROXY header was missing or malformed. */
  refusedConnections: number;
  idleClosed: number;
  bytesUp: number;
  bytesDown: number;
}

interface ConnectionOptions {
  name: string;
  /** Called for each connection: the certificate authority file is read when the tap starts. */
  upstream: () => Upstream;
  /** With one, miners speak TLS to the tap. */
  secureContext: () => SecureContext | null;
  proxyProtocol: { accept: boolean; emit: "off" | "v1" | "v2" };
  trusted: BlockList;
  maxConnections: number;
  maxConnectionsPerAddress: number;
  idleMs: number;
  log: Log;
  now: () => number;
  tick: () => number;
  refuse: (reason: string, place: string) => void;
  decoders: DecoderFactory;
  backlog: { limitBytes: number; sliceMs: number };
}

interface Connection extends Decoding {
  miner: Socket;
  pool: Socket | null;
  address: string;
  /** The peer of the socket itself, a balancer's where there is one. */
  peer: string;
  lastTickMs: number;
}

/** A whole PROXY header must come within this time; HAProxy's own `timeout http-request` examples use 5 s. */
const PROXY_HEADER_MS = 5000;
/** How long a quiet peer stays unasked by the kernel whether it is still there. */
const KEEP_ALIVE_MS = 60_000;

/** The connections of one tap: limits, the way to the pool, and the copies for the decoder. */
export function createTapConnections(options: ConnectionOptions) {
  const { name, log, now, tick, refuse } = options;
  const live = new Set<Connection>();
  const perAddress = new Map<string, number>();
  /** Those whose round trip the kernel can tell. */
  const direct = new Map<string, Connection>();
  const counters = { accepted: 0, refusedConnections: 0, idleClosed: 0, bytesUp: 0, bytesDown: 0 };
  const backlog = new DecodeBacklog({ ...options.backlog, tick, onFailure });
  // Session names stay unique over restarts without anything kept.
  const started = Math.floor(now()).toString(36);
  let draining = false;

  function onFailure(error: unknown): void {
    refuse("the decoder failed", name);
    if (backlog.failures === 1) {
      log("error", `${name}: a decoder failed; its connection is forwarded undecoded`, { error });
    }
  }

  function turnAway(socket: Socket, reason: string): void {
    counters.refusedConnections += 1;
    refuse(reason, name);
    socket.destroy();
  }

  function take(miner: Socket): void {
    const { remoteAddress, remotePort } = miner;
    if (draining || remoteAddress === undefined || remotePort === undefined) {
      miner.destroy();
      return;
    }
    if (live.size >= options.maxConnections) {
      turnAway(miner, "connection beyond maxConnections");
      return;
    }
    const address = plainAddress(remoteAddress);
    const connection: Connection = {
      miner,
      pool: null,
      address,
      peer: peerKey(address, remotePort),
      lastTickMs: tick(),
      decoder: null,
      lost: null,
    };
    live.add(connection);
    const family = address.includes(":") ? "ipv6" : "ipv4";
    if (!options.proxyProtocol.accept || !options.trusted.check(address, family)) {
      direct.set(connection.peer, connection);
      open(connection, { address, port: remotePort });
      return;
    }
    acceptProxyHeader(miner, PROXY_HEADER_MS, (acceptance) => {
      if ("reason" in acceptance) {
        live.delete(connection);
        turnAway(miner, acceptance.reason);
        return;
      }
      // Behind a balancer the kernel's round trip is the balancer's.
      if (!acceptance.source) direct.set(connection.peer, connection);
      open(connection, acceptance.source ?? { address, port: remotePort });
    });
    miner.resume();
  }

  function open(connection: Connection, source: Endpoint): void {
    const { miner } = connection;
    const sameAddress = perAddress.get(source.address) ?? 0;
    if (sameAddress >= options.maxConnectionsPerAddress) {
      forget(connection);
      turnAway(miner, "connection beyond maxConnectionsPerAddress");
      return;
    }
    perAddress.set(source.address, sameAddress + 1);
    counters.accepted += 1;
    connection.address = source.address;
    miner.setKeepAlive(true, KEEP_ALIVE_MS);
    const context = options.secureContext();
    const session = `${name}-${started}-${counters.accepted.toString(36)}`;
    const identity: SessionIdentity = { session, ...source, ...(context ? { tls: true } : {}) };
    connection.decoder = startDecoder(identity);
    if (!context) {
      connect(connection, miner, source);
      return;
    }
    const onClose = () => end(connection, "miner closed");
    // The close that follows an error says what is to be said.
    miner.once("close", onClose).on("error", () => {});
    peekHello(miner, (fingerprint) => {
      miner.off("close", onClose);
      if (fingerprint !== null) identity.tlsFingerprint = fingerprint;
      connection.miner = new TLSSocket(miner, { isServer: true, secureContext: context });
      connect(connection, connection.miner, source);
    });
  }

  /** Connects a miner, whose TLS is ended if there is to be one, to the pool. */
  function connect(connection: Connection, near: Socket, source: Endpoint): void {
    const gone = new AbortController();
    const onGone = () => gone.abort();
    near.once("close", onGone).once("error", onGone);
    dial(options.upstream(), proxyHeader(near, source), gone.signal).then(
      (pool) => {
        near.off("close", onGone).off("error", onGone);
        pool.setKeepAlive(true, KEEP_ALIVE_MS);
        if (near.destroyed) {
          pool.destroy();
          end(connection, "miner closed");
          return;
        }
        connection.pool = pool;
        join(connection, near, pool);
      },
      (error: NodeJS.ErrnoException) => {
        near.destroySoon();
        end(connection, gone.signal.aborted ? "miner closed" : `pool: ${error.code ?? error.message}`);
      },
    );
  }

  function join(connection: Connection, near: Socket, pool: Socket): void {
    forward(near, pool, {
      copied(direction, chunk) {
        const moment = { atMs: now(), tickMs: tick() };
        connection.lastTickMs = moment.tickMs;
        if (direction === "up") counters.bytesUp += chunk.length;
        else counters.bytesDown += chunk.length;
        backlog.push(connection, direction, chunk, moment);
      },
      ended: (reason) => end(connection, reason),
    });
    near.resume();
  }

  function end(connection: Connection, reason: string): void {
    forget(connection);
    release(connection.address);
    backlog.close(connection, { atMs: now(), tickMs: tick() }, reason);
  }

  function proxyHeader(miner: Socket, source: Endpoint): Buffer | null {
    if (options.proxyProtocol.emit === "off") return null;
    const address = plainAddress(miner.localAddress ?? "0.0.0.0");
    const destination = { address, port: miner.localPort ?? 0 };
    return writeProxyHeader(options.proxyProtocol.emit, { source, destination });
  }

  function startDecoder(identity: SessionIdentity) {
    try {
      return options.decoders(identity, { atMs: now(), tickMs: tick() });
    } catch (error) {
      backlog.failures += 1;
      onFailure(error);
      return null;
    }
  }

  function forget(connection: Connection): void {
    live.delete(connection);
    direct.delete(connection.peer);
  }

  function release(address: string): void {
    const count = (perAddress.get(address) ?? 1) - 1;
    if (count > 0) perAddress.set(address, count);
    else perAddress.delete(address);
  }

  return {
    take,
    hasDirect: () => direct.size > 0,

    /** Closes connections on which nothing came from either side for `idleMs`. */
    closeIdle(): void {
      const before = tick() - options.idleMs;
      for (const { lastTickMs, miner, pool } of live) {
        if (lastTickMs > before) continue;
        counters.idleClosed += 1;
        miner.destroy();
        pool?.destroy();
      }
    },

    tellRoundTrip(peer: string, milliseconds: number): void {
      direct.get(peer)?.decoder?.kernelRoundTrip({ atMs: now(), tickMs: tick() }, milliseconds);
    },

    /** Takes no more until it is done, sends what has been read, and closes everything within `drainMs`. */
    async drain(drainMs: number): Promise<void> {
      draining = true;
      const closed = [...live].flatMap(({ miner, pool }) =>
        [miner, pool].map(async (socket) => {
          if (socket === null || socket.closed) return;
          const { promise, resolve } = Promise.withResolvers<void>();
          socket.once("close", () => resolve());
          const timer = setTimeout(() => socket.destroy(), drainMs);
          socket.pause();
          socket.destroySoon();
          await promise;
          clearTimeout(timer);
        }),
      );
      await Promise.all(closed);
      draining = false;
    },

    counters: () => ({
      connections: live.size,
      ...counters,
      undecodedBytes: backlog.droppedBytes,
      decoderFailures: backlog.failures,
    }),
  };
}
