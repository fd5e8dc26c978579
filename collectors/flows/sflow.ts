import type { Flow } from "#core/observation.ts";
import { readAddress6, textOf4 } from "./address.ts";
import type { ExporterCounters } from "./exporters.ts";
import { type Packet, readEthernet, readIp } from "./packet.ts";
import { MAX_SAMPLING, makeFlow } from "./record.ts";

/**
 * sFlow version 5 (sflow.org, sflow_version_5.txt): datagrams of samples, of which the flow samples each hold one
 * packet's first bytes. Every sampled packet becomes a flow of its own, scaled by the sampling rate; the protocol
 * tells no times, so that the time of receipt is the packet's.
 */
const FLOW_SAMPLE = 1;
const EXPANDED_FLOW_SAMPLE = 3;
const RAW_HEADER = 1;
const SAMPLED_IP4 = 3;
const SAMPLED_IP6 = 4;
/** The sampled connection's state in the kernel, as hsflowd tells it. */
const TCP_INFO = 2209;
const ETHERNET = 1;
const IP4 = 11;
const IP6 = 12;

/** Where a datagram's samples begin, and its numbers. */
export interface SflowHeader {
  subAgent: number;
  sequence: number;
  uptimeMs: number;
  samples: number;
  offset: number;
}

/** Reads the header, or nothing where it is cut or its agent's address is of no known kind. */
export function readSflowHeader(view: DataView): SflowHeader | undefined {
  if (view.byteLength < 8) return undefined;
  const addressBytes = { 1: 4, 2: 16 }[view.getUint32(4)];
  if (addressBytes === undefined || view.byteLength < 24 + addressBytes) return undefined;
  const at = 8 + addressBytes;
  return {
    subAgent: view.getUint32(at),
    sequence: view.getUint32(at + 4),
    uptimeMs: view.getUint32(at + 8),
    samples: view.getUint32(at + 12),
    offset: at + 16,
  };
}

interface SflowContext {
  exporter: string;
  atMs: number;
  counters: ExporterCounters;
  flows: Flow[];
}

/** Reads a datagram's samples. Returns how many flow samples there were, and why the rest was refused, if it was. */
export function readSamples(
  view: DataView,
  header: SflowHeader,
  context: SflowContext,
): { count: number; reason: string | undefined } {
  let { offset } = header;
  let count = 0;
  const end = view.byteLength;
  for (let sample = 0; sample < header.samples; sample += 1) {
    if (offset + 8 > end) return { count, reason: "fewer samples than the header says" };
    const format = view.getUint32(offset);
    const length = view.getUint32(offset + 4);
    offset += 8;
    if (length > end - offset) return { count, reason: "sample longer than its datagram" };
    if (format === FLOW_SAMPLE || format === EXPANDED_FLOW_SAMPLE) {
      count += 1;
      const reason = readFlowSample(view, offset, offset + length, format === EXPANDED_FLOW_SAMPLE, context);
      if (reason) return { count, reason };
    }
    offset += length;
  }
  return { count, reason: undefined };
}

function readFlowSample(
  view: DataView,
  from: number,
  end: number,
  expanded: boolean,
  context: SflowContext,
): string | undefined {
  const headerBytes = expanded ? 44 : 32;
  if (from + headerBytes > end) return "sample shorter than its header";
  const rate = view.getUint32(from + (expanded ? 12 : 8));
  const records = view.getUint32(from + headerBytes - 4);
  let offset = from + headerBytes;
  let packet: Packet | undefined;
  let rttMs: number | undefined;
  for (let record = 0; record < records; record += 1) {
    if (offset + 8 > end) return "fewer records than the sample says";
    const format = view.getUint32(offset);
    const length = view.getUint32(offset + 4);
    offset += 8;
    if (length > end - offset) return "record longer than its sample";
    if (format === TCP_INFO) rttMs = readRoundTrip(view, offset, length);
    else packet ??= readPacket(view, format, offset, length);
    offset += length;
  }
  context.counters.records += 1;
  if (!packet) {
    context.counters.withoutAddress += 1;
    return undefined;
  }
  context.counters.flows += 1;
  const { src, dst, srcPort, dstPort, protocol, bytes, tcpFlags } = packet;
  const { exporter, atMs } = context;
  const scale = rate >= 1 && rate <= MAX_SAMPLING ? rate : 1;
  context.flows.push(
    makeFlow(
      exporter,
      atMs,
      src,
      dst,
      srcPort,
      dstPort,
      protocol,
      bytes,
      1,
      scale,
      atMs,
      atMs,
      tcpFlags,
      rttMs,
    ),
  );
  return undefined;
}

function readPacket(view: DataView, format: number, at: number, length: number): Packet | undefined {
  if (format === RAW_HEADER && length >= 16) {
    const protocol = view.getUint32(at);
    const end = at + 16 + Math.min(view.getUint32(at + 12), length - 16);
    if (protocol === ETHERNET) return readEthernet(view, at + 16, end);
    return protocol === IP4 || protocol === IP6 ? readIp(view, at + 16, end) : undefined;
  }
  if (format === SAMPLED_IP4 && length >= 32) {
    return sampled(view, at, textOf4(view.getUint32(at + 8)), textOf4(view.getUint32(at + 12)), at + 16);
  }
  if (format === SAMPLED_IP6 && length >= 56) {
    return sampled(view, at, readAddress6(view, at + 8), readAddress6(view, at + 24), at + 40);
  }
  return undefined;
}

/** A record of an IP packet already taken apart: length and protocol first, ports and flags behind the addresses. */
function sampled(view: DataView, at: number, src: string, dst: string, ports: number): Packet {
  return {
    src,
    dst,
    bytes: view.getUint32(at),
    protocol: view.getUint32(at + 4) & 255,
    srcPort: view.getUint32(ports) & 65_535,
    dstPort: view.getUint32(ports + 4) & 65_535,
    tcpFlags: view.getUint32(ports + 8) & 255,
  };
}

/** The kernel's least round trip of the connection, or its smoothed one; both in microseconds. */
function readRoundTrip(view: DataView, at: number, length: number): number | undefined {
  if (length < 48) return undefined;
  const microseconds = view.getUint32(at + 44) || view.getUint32(at + 28);
  return microseconds > 0 && microseconds <= 600_000_000 ? microseconds / 1000 : undefined;
}
