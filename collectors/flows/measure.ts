import { HOUR_MS, type MetricDelta, MINUTE_MS } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Flow, Observation } from "#core/observation.ts";
import type { LookUpOrigin, Origin } from "#core/origin.ts";

/** Addresses whose origin is remembered until the hour ends; traffic from more of them costs look-ups. */
const REMEMBERED = 65_536;

/** Gathers the `flow` measurement: per minute, exporter, and country and tier of the connection's client. */
export interface FlowMeasure {
  take(observations: readonly Observation[]): void;
  /** Records of an exporter that never came. They have no country. */
  lost(exporter: string, records: number, atMs: number): void;
  /** What was gained since the last call. */
  takeDeltas(): MetricDelta[];
}

/**
 * The client is the end with the higher port: servers listen low, and both directions of one connection then count
 * for the same country. Hot path: a bucket is found by the identity of its origin, without building a key.
 */
export function createFlowMeasure(lookUpOrigin: LookUpOrigin): FlowMeasure {
  const book = new MetricsBook();
  let buckets = new Map<string, Map<Origin, MetricDelta>>();
  let minuteMs = Number.NaN;
  const origins = new Map<string, Origin>();
  let hourMs = Number.NaN;

  function originOf(ip: string, atMs: number): Origin {
    const hour = atMs - (atMs % HOUR_MS);
    if (hour !== hourMs || origins.size >= REMEMBERED) {
      origins.clear();
      hourMs = hour;
    }
    let origin = origins.get(ip);
    if (!origin) {
      origin = lookUpOrigin(ip, atMs);
      origins.set(ip, origin);
    }
    return origin;
  }

  function bucketOf(flow: Flow): MetricDelta {
    const origin = originOf(flow.srcPort >= flow.dstPort ? flow.src : flow.dst, flow.atMs);
    const minute = flow.atMs - (flow.atMs % MINUTE_MS);
    if (minute !== minuteMs) {
      buckets = new Map();
      minuteMs = minute;
    }
    let byOrigin = buckets.get(flow.exporter);
    if (!byOrigin) {
      byOrigin = new Map();
      buckets.set(flow.exporter, byOrigin);
    }
    let bucket = byOrigin.get(origin);
    if (!bucket) {
      bucket = book.bucket("flow", [flow.exporter, origin.country, origin.tier], flow.atMs);
      byOrigin.set(origin, bucket);
    }
    return bucket;
  }

  return {
    take(observations) {
      for (const observation of observations) {
        if (observation.type !== "flow") continue;
        const { values } = bucketOf(observation);
        values[0] = values[0]! + 1;
        values[1] = values[1]! + observation.bytes;
        values[2] = values[2]! + observation.packets;
      }
    },
    lost(exporter, records, atMs) {
      const { values } = book.bucket("flow", [exporter, "ZZ", "unknown"], atMs);
      values[3] = values[3]! + records;
    },
    takeDeltas() {
      buckets = new Map();
      return book.take();
    },
  };
}
