import { MAX_AHEAD_MS } from "#core/observation.ts";
import { flowsOf, type ParseLine, protocolOf, readObject } from "./log-lines.ts";

/**
 * Suricata's eve.json (docs.suricata.io, "EVE JSON Format"): `flow` and `netflow` events become flows; an `alert` is
 * told with its ends, for its flow comes in its own event when it ends, and would count twice. The rest is stepped over.
 */
export interface SuricataAlert {
  atMs: number;
  signature: string;
  signatureId: number;
  category: string;
  /** 1 is the gravest. */
  severity: number;
  src: string;
  srcPort: number;
  dst: string;
  dstPort: number;
}

export interface SuricataParser {
  exporter: string;
  now: () => number;
  onAlert?: (alert: SuricataAlert) => void;
}

export function createSuricataParser({ exporter, now, onAlert }: SuricataParser): ParseLine {
  return (text) => {
    if (text === "") return [];
    const event = readObject(text);
    if (typeof event === "string") return event;
    switch (event.event_type) {
      case "flow":
      case "netflow":
        return flowEvent(event, event.event_type, exporter, now());
      case "alert": {
        const alert = alertOf(event);
        if (typeof alert === "string") return alert;
        onAlert?.(alert);
        return [];
      }
      default:
        return typeof event.event_type === "string" ? [] : "not an event";
    }
  };
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

function flowEvent(event: Fields, kind: "flow" | "netflow", exporter: string, nowMs: number) {
  const counts = fieldsOf(event[kind]);
  const tcp = fieldsOf(event.tcp);
  const oneWay = kind === "netflow";
  return flowsOf({
    exporter,
    src: event.src_ip,
    srcPort: event.src_port,
    dst: event.dest_ip,
    dstPort: event.dest_port,
    protocol: protocolOf(event.proto),
    startMs: instant(counts.start),
    endMs: instant(counts.end ?? event.timestamp),
    out: {
      bytes: number(oneWay ? counts.bytes : counts.bytes_toserver),
      packets: number(oneWay ? counts.pkts : counts.pkts_toserver),
      tcpFlags: flags(oneWay ? tcp.tcp_flags : tcp.tcp_flags_ts),
    },
    back: {
      bytes: oneWay ? 0 : number(counts.bytes_toclient),
      packets: oneWay ? 0 : number(counts.pkts_toclient),
      tcpFlags: flags(tcp.tcp_flags_tc),
    },
    latestMs: nowMs + MAX_AHEAD_MS,
  });
}

function alertOf(event: Fields): SuricataAlert | string {
  const { signature, signature_id: signatureId, category, severity } = fieldsOf(event.alert);
  const atMs = instant(event.timestamp);
  const { src_ip: src, dest_ip: dst } = event;
  if (Number.isNaN(atMs)) return "timestamp is not one";
  if (typeof signature !== "string" || typeof signatureId !== "number") return "alert without its signature";
  if (typeof src !== "string" || typeof dst !== "string") return "alert without its ends";
  return {
    atMs,
    signature: signature.slice(0, 256),
    signatureId,
    category: typeof category === "string" ? category.slice(0, 256) : "",
    severity: typeof severity === "number" ? severity : 3,
    src: src.slice(0, 64),
    srcPort: number(event.src_port),
    dst: dst.slice(0, 64),
    dstPort: number(event.dest_port),
  };
}

/** "2026-11-23T10:00:00.123456+0000": Suricata's offset has no colon. */
function instant(value: unknown): number {
  if (typeof value !== "string") return Number.NaN;
  return Date.parse(value.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
}

function number(value: unknown): number {
  return value === undefined ? 0 : typeof value === "number" ? value : Number.NaN;
}

/** Two hexadecimal digits. */
function flags(value: unknown): number | undefined {
  return typeof value === "string" && /^[0-9a-f]{1,2}$/i.test(value) ? Number.parseInt(value, 16) : undefined;
}
