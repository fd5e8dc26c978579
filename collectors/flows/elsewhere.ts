import type { Flow } from "#core/observation.ts";

/** A pair of hosts that talk as a miner and a pool do, where the pool is not ours. */
export interface ElsewhereFinding {
  kind: "elsewhere";
  client: string;
  server: string;
  serverPort: number;
  startMs: number;
  endMs: number;
  packets: number;
  /** Mean bytes a packet, both ways. */
  packetBytes: number;
  packetsPerMinute: number;
  /** Part of the time in which the pair was seen talking, 0..1. */
  activity: number;
}

const TCP = 6;
/** Pairs followed at once; beyond it the one longest silent is forgotten. */
const MAX_PAIRS = 50_000;
/** Stratum's messages are one short line each: packets of 50 to 130 bytes (CESNET's Nemea miner detector scores these). */
const MIN_PACKET_BYTES = 50;
const MAX_PACKET_BYTES = 130;
/** A job or a share every few seconds to a minute, and its acknowledgement. */
const MIN_PER_MINUTE = 1;
const MAX_PER_MINUTE = 120;
/** Shorter acquaintances are not judged: a mining connection lasts for hours. */
const MIN_LIFE_MS = 20 * 60_000;
/** Seen talking for so much of its life, or it is not periodic but bursts. */
const MIN_ACTIVITY = 0.7;
/** More silence than this ends an acquaintance; exporters tell of a long flow every half hour at the latest. */
const MAX_SILENCE_MS = 45 * 60_000;
/** SYN and RST: connections that come and go are not mining's. */
const SYN_OR_RST = 0x06;
const MAX_OPENINGS_AN_HOUR = 6;

interface Pair {
  client: string;
  server: string;
  serverPort: number;
  exporter: string;
  startMs: number;
  endMs: number;
  /** Milliseconds within flows, overlaps counted once. */
  activeMs: number;
  bytes: number;
  packets: number;
  openings: number;
  toldMs: number;
}

/** Looks for mining to other pools in flows that are not to ours. Judges by shape alone, so a finding is a hint. */
export function createElsewhere() {
  const pairs = new Map<string, Pair>();

  /** The finding this flow completes, if it does; the same pair is told again after an hour at the earliest. */
  function take(flow: Flow): ElsewhereFinding | undefined {
    if (flow.protocol !== TCP || flow.srcPort === flow.dstPort) return undefined;
    const outward = flow.srcPort > flow.dstPort;
    const client = outward ? flow.src : flow.dst;
    const server = outward ? flow.dst : flow.src;
    const serverPort = outward ? flow.dstPort : flow.srcPort;
    const key = `${client} ${server} ${serverPort}`;
    const known = pairs.get(key);
    // Two exporters on the same path would count everything twice.
    if (known && known.exporter !== flow.exporter && flow.startMs - known.endMs < MAX_SILENCE_MS)
      return undefined;
    pairs.delete(key);
    if (!known && pairs.size >= MAX_PAIRS) pairs.delete(pairs.keys().next().value!);
    const fresh = !known || flow.startMs - known.endMs > MAX_SILENCE_MS;
    const pair = fresh ? begin(flow, client, server, serverPort) : known;
    add(pair, flow);
    pairs.set(key, pair);
    return judge(pair);
  }
  return { take };
}

function begin(flow: Flow, client: string, server: string, serverPort: number): Pair {
  const { exporter, startMs } = flow;
  const counts = { activeMs: 0, bytes: 0, packets: 0, openings: 0, toldMs: Number.NEGATIVE_INFINITY };
  return { client, server, serverPort, exporter, startMs, endMs: startMs, ...counts };
}

function add(pair: Pair, flow: Flow): void {
  pair.startMs = Math.min(pair.startMs, flow.startMs);
  pair.activeMs += Math.max(0, flow.endMs - Math.max(flow.startMs, pair.endMs));
  pair.endMs = Math.max(pair.endMs, flow.endMs);
  pair.bytes += flow.bytes;
  pair.packets += flow.packets;
  if (((flow.tcpFlags ?? 0) & SYN_OR_RST) !== 0) pair.openings += 1;
}

function judge(pair: Pair): ElsewhereFinding | undefined {
  const lifeMs = pair.endMs - pair.startMs;
  if (lifeMs < MIN_LIFE_MS || pair.packets === 0) return undefined;
  if (pair.endMs - pair.toldMs < 3_600_000) return undefined;
  const packetBytes = pair.bytes / pair.packets;
  const packetsPerMinute = pair.packets / (lifeMs / 60_000);
  const activity = pair.activeMs / lifeMs;
  if (packetBytes < MIN_PACKET_BYTES || packetBytes > MAX_PACKET_BYTES) return undefined;
  if (packetsPerMinute < MIN_PER_MINUTE || packetsPerMinute > MAX_PER_MINUTE) return undefined;
  if (activity < MIN_ACTIVITY || pair.openings / (lifeMs / 3_600_000) > MAX_OPENINGS_AN_HOUR)
    return undefined;
  pair.toldMs = pair.endMs;
  const { client, server, serverPort, startMs, endMs, packets } = pair;
  return {
    kind: "elsewhere",
    client,
    server,
    serverPort,
    startMs,
    endMs,
    packets,
    packetBytes,
    packetsPerMinute,
    activity,
  };
}
