import type { Flow, Observation, Session, Share } from "#core/observation.ts";
import { createElsewhere, type ElsewhereFinding } from "./elsewhere.ts";

/** What a finished stratum session looked like on the network. */
export interface SessionFinding {
  kind: "session";
  pool: string;
  session: string;
  account: string | undefined;
  ip: string;
  port: number;
  durationMs: number;
  bytes: number;
  packets: number;
  shares: number;
  /** NaN while there is no share: a connection that carries bytes and no work. */
  bytesPerShare: number;
  /** Least round trip any flow told, and least one the session itself told of its application. */
  rttMs: number | undefined;
  appRttMs: number | undefined;
}

/** A connection to one of the pool's servers that no session was seen of. */
export interface UnseenFinding {
  kind: "unseen";
  pool: string;
  ip: string;
  port: number;
  startMs: number;
  endMs: number;
  bytes: number;
  packets: number;
}
export type FlowFinding = SessionFinding | UnseenFinding | ElsewhereFinding;

/** A port of the pool as flows see it; without `address`, on any host. */
export interface PoolServer {
  pool: string;
  address?: string | undefined;
  port: number;
}

/** Sessions and connections followed at once; beyond it the oldest is finished early. */
const MAX_TRACKS = 200_000;
/** Clocks of exporters and pool differ, and a flow begins a handshake before its session does. */
const SLACK_MS = 60_000;
/** Exporters tell of a flow when it ends, or every half hour at the latest; so long a finished one is waited for. */
const GRACE_MS = 35 * 60_000;

interface Track {
  pool: string;
  ip: string;
  port: number;
  /** Set once a session was seen; until then it is a connection out of flows alone. */
  session: string | undefined;
  account: string | undefined;
  /** The exporter whose counts are taken: two on one path would count everything twice. */
  exporter: string | undefined;
  startMs: number;
  endMs: number;
  closed: boolean;
  bytes: number;
  packets: number;
  shares: number;
  rttMs: number | undefined;
  appRttMs: number | undefined;
  /** Counted as a session that flows were found for. */
  joined: boolean;
}

/** Joins flows to stratum sessions by the client's address and port, and by time. */
export interface FlowJoin {
  /**
   * Takes observations of any kind, roughly in order of time. Returns what flows add to sessions: session
   * observations with the round trip an exporter measured, for the same path as those of the tap.
   */
  take(observations: readonly Observation[]): Session[];
  /** What was found since the last call. */
  takeFindings(): FlowFinding[];
  /** Stratum sessions that at least one flow was found for; it only grows. */
  joined(): number;
}

/** Event time only; bounded; the same input gives the same output. */
export function createFlowJoin(servers: readonly PoolServer[]): FlowJoin {
  const elsewhere = createElsewhere();
  /** By client, "address port"; in order of last use. */
  const tracks = new Map<string, Track>();
  const bySession = new Map<string, Track>();
  let findings: FlowFinding[] = [];
  let joined = 0;
  let watermarkMs = Number.NEGATIVE_INFINITY;
  let sweptMs = Number.NEGATIVE_INFINITY;

  function poolAt(address: string, port: number): string | undefined {
    return servers.find((server) => server.port === port && (server.address ?? address) === address)?.pool;
  }

  function finish(key: string, track: Track): void {
    if (tracks.get(key) === track) tracks.delete(key);
    const { pool, session, account, ip, port, startMs, endMs, bytes, packets, shares } = track;
    if (session === undefined) {
      findings.push({ kind: "unseen", pool, ip, port, startMs, endMs, bytes, packets });
      return;
    }
    bySession.delete(`${pool}\n${session}`);
    if (packets === 0) return;
    const bytesPerShare = shares > 0 ? bytes / shares : Number.NaN;
    const durationMs = endMs - startMs;
    const counts = { durationMs, bytes, packets, shares, bytesPerShare };
    const { rttMs, appRttMs } = track;
    findings.push({ kind: "session", pool, session, account, ip, port, ...counts, rttMs, appRttMs });
  }

  /** The client's track if it was alive in this span; an older one of the same port is finished first. */
  function alive(key: string, startMs: number, endMs: number): Track | undefined {
    const track = tracks.get(key);
    if (!track) return undefined;
    tracks.delete(key);
    tracks.set(key, track);
    const ended = track.closed ? track.endMs + SLACK_MS : Number.POSITIVE_INFINITY;
    if (startMs <= ended && endMs >= track.startMs - SLACK_MS) return track;
    // A flow of before must not end the session of now.
    if (startMs > track.endMs) finish(key, track);
    return undefined;
  }

  function begin(key: string, part: Pick<Track, "pool" | "ip" | "port" | "startMs" | "endMs">): Track {
    const oldest = tracks.size >= MAX_TRACKS ? tracks.entries().next().value : undefined;
    if (oldest) finish(...oldest);
    const counts = { closed: false, bytes: 0, packets: 0, shares: 0, joined: false };
    const unknown = { session: undefined, account: undefined, exporter: undefined };
    const track = { ...part, ...unknown, ...counts, rttMs: undefined, appRttMs: undefined };
    tracks.set(key, track);
    return track;
  }

  /** Whichever comes first, the session or its flow, the other completes the pair. */
  function countJoined(track: Track): void {
    if (track.joined || track.session === undefined || track.packets === 0) return;
    track.joined = true;
    joined += 1;
  }

  function takeSession(observation: Session): void {
    const { pool, session, ip, port, account, atMs, event, appRttMs } = observation;
    if (port === undefined) return;
    const key = `${ip} ${port}`;
    let track = alive(key, atMs, atMs);
    if (track?.session !== undefined && track.session !== session) {
      finish(key, track);
      track = undefined;
    }
    if (!track && event === "close") return;
    track ??= begin(key, { pool, ip, port, startMs: atMs, endMs: atMs });
    track.session = session;
    track.account = account ?? track.account;
    if (appRttMs !== undefined) track.appRttMs = Math.min(appRttMs, track.appRttMs ?? appRttMs);
    track.endMs = Math.max(track.endMs, atMs);
    if (event === "close") track.closed = true;
    bySession.set(`${pool}\n${session}`, track);
    countJoined(track);
  }

  function takeShare({ pool, session, outcome, account }: Share): void {
    const track = session === undefined ? undefined : bySession.get(`${pool}\n${session}`);
    if (!track) return;
    track.account ??= account;
    if (outcome === "accepted") track.shares += 1;
  }

  function takeFlow(flow: Flow): Session | undefined {
    const toPool = poolAt(flow.dst, flow.dstPort);
    const pool = toPool ?? poolAt(flow.src, flow.srcPort);
    if (pool === undefined) {
      const finding = elsewhere.take(flow);
      if (finding) findings.push(finding);
      return undefined;
    }
    const ip = toPool === undefined ? flow.dst : flow.src;
    const port = toPool === undefined ? flow.dstPort : flow.srcPort;
    const key = `${ip} ${port}`;
    const { startMs, endMs } = flow;
    const track =
      alive(key, startMs, endMs) ??
      (tracks.has(key) ? undefined : begin(key, { pool, ip, port, startMs, endMs }));
    if (!track) return undefined;
    track.exporter ??= flow.exporter;
    if (track.exporter === flow.exporter) {
      track.bytes += flow.bytes;
      track.packets += flow.packets;
    }
    countJoined(track);
    track.startMs = Math.min(track.startMs, startMs);
    track.endMs = Math.max(track.endMs, endMs);
    if (flow.rttMs === undefined || !(flow.rttMs < (track.rttMs ?? Number.POSITIVE_INFINITY)))
      return undefined;
    track.rttMs = flow.rttMs;
    const { session, account, rttMs } = track;
    if (session === undefined) return undefined;
    return { type: "session", atMs: flow.atMs, pool, session, event: "subscribe", ip, port, account, rttMs };
  }

  function sweep(): void {
    sweptMs = watermarkMs;
    for (const [key, track] of tracks) {
      const due = track.closed || track.session === undefined;
      if (due && watermarkMs - track.endMs > GRACE_MS) finish(key, track);
    }
  }

  return {
    take(observations) {
      const told: Session[] = [];
      for (const observation of observations) {
        watermarkMs = Math.max(watermarkMs, observation.atMs);
        if (observation.type === "session") takeSession(observation);
        else if (observation.type === "share") takeShare(observation);
        else if (observation.type === "flow") {
          const session = takeFlow(observation);
          if (session) told.push(session);
        }
      }
      if (watermarkMs - sweptMs > SLACK_MS) sweep();
      return told;
    },
    takeFindings() {
      const taken = findings;
      findings = [];
      return taken;
    },
    joined: () => joined,
  };
}
