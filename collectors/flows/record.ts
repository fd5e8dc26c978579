import type { Flow } from "#core/observation.ts";
import { readAddress6, textOf4 } from "./address.ts";
import type { Domain } from "./domain.ts";
import { CLOCK, type Clock, SLOT, type Slot } from "./elements.ts";
import type { ExporterCounters } from "./exporters.ts";
import { type Layout, readSlot, readUnsigned } from "./layout.ts";

/** Largest sampling rate believed: one packet in 16 million. Beyond it a datagram is lying or broken. */
export const MAX_SAMPLING = 1 << 24;
/** Seconds from 1900, where NTP counts from, to 1970 (RFC 7011 section 6.1.9). */
const NTP_EPOCH_SECONDS = 2_208_988_800;
/** A flow may seem to end so long after its export: clocks are read at different moments. */
const AHEAD_MS = 60_000;

/** What a message's header says of its records. */
export interface Message {
  exporter: string;
  /** When it was exported, by the exporter's own clock. */
  exportMs: number;
  /** Added to every instant in it: the correction of a clock that cannot be true, else 0. */
  shiftMs: number;
  /** Milliseconds since boot; NaN where the version has none. */
  uptimeMs: number;
}

/**
 * Reads one record into one flow, or two when it is bidirectional and something came back (RFC 5103).
 * Bytes and packets are scaled by the sampling rate, which stands beside them. Returns the number of flows.
 */
export function readRecord(
  view: DataView,
  base: number,
  layout: Layout,
  { message, domain, counters, flows }: RecordContext,
): number {
  const src = readAddress(view, base, layout, SLOT.src4, SLOT.src6);
  const dst = readAddress(view, base, layout, SLOT.dst4, SLOT.dst6);
  if (src === "" || dst === "") {
    counters.withoutAddress += 1;
    return 0;
  }
  const rate = (layout.tellsRate ? rateOf(view, base, layout) : 0) || knownRate(view, base, layout, domain);
  const srcPort = readSlot(view, base, layout, SLOT.srcPort, 0) & 65_535;
  const dstPort = readSlot(view, base, layout, SLOT.dstPort, 0) & 65_535;
  const protocol = readSlot(view, base, layout, SLOT.protocol, 0) & 255;
  const latencyMs = latencyOf(view, base, layout);
  const atMs = message.exportMs + message.shiftMs;
  let startMs = instantOf(view, base, layout, SLOT.start, layout.startClock, message, domain);
  let endMs = instantOf(view, base, layout, SLOT.end, layout.endClock, message, domain);
  if (Number.isNaN(startMs) || Number.isNaN(endMs)) {
    const durationMs = readSlot(view, base, layout, SLOT.durationMs, 0);
    if (Number.isNaN(endMs)) endMs = startMs + durationMs;
    if (Number.isNaN(startMs)) startMs = endMs - durationMs;
  }
  flows.push(
    makeFlow(
      message.exporter,
      atMs,
      src,
      dst,
      srcPort,
      dstPort,
      protocol,
      readSlot(view, base, layout, SLOT.bytes, 0),
      readSlot(view, base, layout, SLOT.packets, 0),
      rate,
      startMs,
      endMs,
      tcpFlagsOf(view, base, layout, SLOT.tcpFlags),
      latencyMs,
    ),
  );
  if (!layout.tellsReverse) return 1;
  const backPackets = readSlot(view, base, layout, SLOT.reversePackets, 0);
  const backBytes = readSlot(view, base, layout, SLOT.reverseBytes, 0);
  if (backPackets === 0 && backBytes === 0) return 1;
  const backStartMs = instantOf(
    view,
    base,
    layout,
    SLOT.reverseStart,
    layout.reverseStartClock,
    message,
    domain,
  );
  const backEndMs = instantOf(view, base, layout, SLOT.reverseEnd, layout.reverseEndClock, message, domain);
  flows.push(
    makeFlow(
      message.exporter,
      atMs,
      dst,
      src,
      dstPort,
      srcPort,
      protocol,
      backBytes,
      backPackets,
      rate,
      Number.isNaN(backStartMs) ? startMs : backStartMs,
      Number.isNaN(backEndMs) ? endMs : backEndMs,
      tcpFlagsOf(view, base, layout, SLOT.reverseTcpFlags),
      latencyMs,
    ),
  );
  return 2;
}

/** What stays the same from one record of a set to the next. */
export interface RecordContext {
  message: Message;
  domain: Domain;
  counters: ExporterCounters;
  flows: Flow[];
}

/**
 * The one place a flow is made, with every key in one order so that all flows share one hidden class. Instants that
 * cannot be (before 1970, after the export, an end before its start) give way to the time of export.
 */
export function makeFlow(
  exporter: string,
  atMs: number,
  src: string,
  dst: string,
  srcPort: number,
  dstPort: number,
  protocol: number,
  bytes: number,
  packets: number,
  rate: number,
  startMs: number,
  endMs: number,
  tcpFlags: number | undefined,
  rttMs: number | undefined,
): Flow {
  const end = endMs >= 0 && endMs <= atMs + AHEAD_MS ? endMs : atMs;
  return {
    type: "flow",
    exporter,
    src,
    dst,
    srcPort,
    dstPort,
    protocol,
    bytes: bytes * rate,
    packets: packets * rate,
    tcpFlags,
    sampling: rate > 1 ? rate : undefined,
    rttMs,
    atMs,
    startMs: startMs >= 0 && startMs <= end ? startMs : end,
    endMs: end,
  };
}

function readAddress(view: DataView, base: number, layout: Layout, slot4: Slot, slot6: Slot): string {
  const at4 = layout.at[slot4]!;
  if (at4 >= 0) {
    // A dual-stack template fills the family it does not use with zeros.
    const bits = view.getUint32(base + at4);
    if (bits !== 0 || layout.at[slot6]! < 0) return textOf4(bits);
  }
  const at6 = layout.at[slot6]!;
  return at6 >= 0 ? readAddress6(view, base + at6) : "";
}

function tcpFlagsOf(view: DataView, base: number, layout: Layout, slot: Slot): number | undefined {
  const at = layout.at[slot]!;
  return at < 0 ? undefined : readUnsigned(view, base + at, layout.size[slot]!) & 65_535;
}

/** nProbe gives half the round trip on each side of the probe; both sides together are the connection's. */
function latencyOf(view: DataView, base: number, layout: Layout): number | undefined {
  if (layout.at[SLOT.clientLatencyMs]! < 0 || layout.at[SLOT.serverLatencyMs]! < 0) return undefined;
  const client = readSlot(view, base, layout, SLOT.clientLatencyMs, 0);
  const rttMs = 2 * (client + readSlot(view, base, layout, SLOT.serverLatencyMs, 0));
  return rttMs > 0 && rttMs <= 600_000 ? rttMs : undefined;
}

function instantOf(
  view: DataView,
  base: number,
  layout: Layout,
  slot: Slot,
  clock: Clock,
  message: Message,
  domain: Domain,
): number {
  if (clock === CLOCK.none) return Number.NaN;
  const offset = base + layout.at[slot]!;
  const size = layout.size[slot]!;
  switch (clock) {
    case CLOCK.milliseconds:
      return readUnsigned(view, offset, size) + message.shiftMs;
    case CLOCK.seconds:
      return readUnsigned(view, offset, size) * 1000 + message.shiftMs;
    case CLOCK.uptime: {
      const sinceBoot = readUnsigned(view, offset, size);
      // Both uptimes wrap after 49.7 days, so only their difference, as a signed number, is meant.
      if (!Number.isNaN(message.uptimeMs)) {
        return message.exportMs + message.shiftMs + ((sinceBoot - message.uptimeMs) | 0);
      }
      return domain.bootMs + sinceBoot + message.shiftMs;
    }
    case CLOCK.delta:
      return message.exportMs + message.shiftMs - Math.round(readUnsigned(view, offset, size) / 1000);
    default: {
      const seconds = view.getUint32(offset) - NTP_EPOCH_SECONDS;
      return (
        seconds * 1000 + Math.round((view.getUint32(offset + 4) * 1000) / 4_294_967_296) + message.shiftMs
      );
    }
  }
}

/** The sampling rate this very record gives; 0 when it gives none. */
export function rateOf(view: DataView, base: number, layout: Layout): number {
  const interval = readSlot(view, base, layout, SLOT.interval, 0);
  if (interval > 0) return believable(interval);
  const taken = readSlot(view, base, layout, SLOT.packetInterval, 0);
  if (taken > 0) return believable((taken + readSlot(view, base, layout, SLOT.packetSpace, 0)) / taken);
  const size = readSlot(view, base, layout, SLOT.sampleSize, 0);
  return size > 0 ? believable(readSlot(view, base, layout, SLOT.samplePopulation, 0) / size) : 0;
}

const believable = (rate: number) => (rate >= 1 && rate <= MAX_SAMPLING ? rate : 0);

function knownRate(view: DataView, base: number, layout: Layout, domain: Domain): number {
  if (domain.samplers.size > 0 && layout.at[SLOT.sampler]! >= 0) {
    const rate = domain.samplers.get(readSlot(view, base, layout, SLOT.sampler, 0));
    if (rate !== undefined) return rate;
  }
  if (domain.interfaces.size > 0 && layout.at[SLOT.interface]! >= 0) {
    const rate = domain.interfaces.get(readSlot(view, base, layout, SLOT.interface, 0));
    if (rate !== undefined) return rate;
  }
  return domain.sampling;
}
