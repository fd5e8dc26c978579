import { isIP, SocketAddress } from "node:net";
import type { Flow } from "#core/observation.ts";
import { plainAddress } from "./address.ts";
import { makeFlow } from "./record.ts";

/** Makes flows of one line: none of a line that tells none, a reason where it is wrong. */
export type ParseLine = (text: string) => readonly Flow[] | string;

/** One direction's counts. */
interface Direction {
  bytes: number;
  packets: number;
  tcpFlags: number | undefined;
}

/** A connection as sensors log it: both directions under one line. */
export interface Connection {
  exporter: string;
  src: unknown;
  srcPort: unknown;
  dst: unknown;
  dstPort: unknown;
  protocol: number;
  startMs: number;
  endMs: number;
  out: Direction;
  back: Direction;
  /** The receiver's clock; Infinity for a replay. */
  latestMs: number;
}

const PROTOCOLS = new Map([
  ["icmp", 1],
  ["tcp", 6],
  ["udp", 17],
  ["ipv6-icmp", 58],
  ["icmp6", 58],
  ["sctp", 132],
]);

/** The protocol's number by the name sensors give it; 0 for one without. */
export function protocolOf(name: unknown): number {
  if (typeof name !== "string") return 0;
  return PROTOCOLS.get(name.toLowerCase()) ?? (/^\d{1,3}$/.test(name) ? Number(name) & 255 : 0);
}

/** A flow for each direction in which something went; the first in any case. */
export function flowsOf(connection: Connection): Flow[] | string {
  const { exporter, srcPort = 0, dstPort = 0, protocol, startMs, endMs, out, back } = connection;
  const src = addressOf(connection.src);
  const dst = addressOf(connection.dst);
  if (src === undefined) return "source is not an address";
  if (dst === undefined) return "destination is not an address";
  if (!isPort(srcPort) || !isPort(dstPort)) return "port is not one";
  if (!(startMs >= 0 && endMs >= startMs && endMs < 8.64e15)) return "times are not ones";
  if (endMs > connection.latestMs) return "time in the future";
  for (const { bytes, packets } of [out, back]) {
    if (!isCount(bytes) || !isCount(packets)) return "count is not one";
  }
  const forward = [exporter, endMs, src, dst, srcPort, dstPort, protocol] as const;
  const one = makeFlow(...forward, out.bytes, out.packets, 1, startMs, endMs, out.tcpFlags, undefined);
  if (back.packets === 0 && back.bytes === 0) return [one];
  const backward = [exporter, endMs, dst, src, dstPort, srcPort, protocol] as const;
  return [one, makeFlow(...backward, back.bytes, back.packets, 1, startMs, endMs, back.tcpFlags, undefined)];
}

/** As sockets and the tap write it, or sessions would not be found: Suricata writes every zero of IPv6 out. */
function addressOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  switch (isIP(value)) {
    case 4:
      return value;
    case 6:
      // Without its zone, with which it is no socket's address.
      return plainAddress(new SocketAddress({ address: value.split("%")[0]!, family: "ipv6" }).address);
    default:
      return undefined;
  }
}

const isPort = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535;
const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** The object in a line of JSON, or a reason. */
export function readObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : "not an object";
  } catch {
    return "not JSON";
  }
}
