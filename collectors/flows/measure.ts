import { HOUR_MS, type MetricDelta, MINUTE_MS } from "#core/metrics.ts";
import { type Bucket, MetricsBook } from "#core/metrics-book.ts";
import type { Flow, Observation } from "#core/observation.ts";
import type { LookUpOrigin, Origin } from "#core/origin.ts";

/** Clients remembered, of all exporters; traffic from more of them costs look-ups. */
const REMEMBERED = 65_536;

/** Gathers the `flow` measurement: per minute, exporter, and country and tier of the connection's client. */
export interface FlowMeasure {
  take(observations: readonly Observation[]): void;
  /** Records of an exporter that never came. They have no country. */
  lost(exporter: string, records: number, atMs: number): void;
  /** What was gained since the last call. */
  takeDeltas(): MetricDelta[];
}

/** What is remembered of a client: its origin, until the hour ends, and the bucket its last flow went to. */
interface Client {
  origin: Origin;
  untilMs: number;
  bucket: Bucket;
}

/**
 * The client is the end with the higher port: servers listen low, and both directions of one connection then count
 * for the same country. Hot path: one look-up by address finds the bucket itself, without building a key.
 */
export function createFlowMeasure(lookUpOrigin: LookUpOrigin): FlowMeasure {
  const book = new MetricsBook();
  const byExporter = new Map<string, Map<string, Client>>();
  let remembered = 0;
  /** Flows come in datagrams, each of one exporter. */
  let exporter = "";
  let clients = new Map<string, Client>();

  function turnTo(another: string): void {
    exporter = another;
    clients = byExporter.get(another) ?? new Map();
    byExporter.set(another, clients);
  }

  function bucketOf(flow: Flow): Bucket {
    const { atMs } = flow;
    if (flow.exporter !== exporter) turnTo(flow.exporter);
    const ip = flow.srcPort >= flow.dstPort ? flow.src : flow.dst;
    const client = clients.get(ip);
    if (client && atMs < client.untilMs) {
      const { bucket } = client;
      if (bucket.open && atMs >= bucket.bucketMs && atMs < bucket.bucketMs + MINUTE_MS) return bucket;
    }
    return lookUp(ip, atMs, client);
  }

  function lookUp(ip: string, atMs: number, known: Client | undefined): Bucket {
    const origin = known && atMs < known.untilMs ? known.origin : lookUpOrigin(ip, atMs);
    const bucket = book.bucket("flow", [exporter, origin.country, origin.tier], atMs);
    const untilMs = atMs - (atMs % HOUR_MS) + HOUR_MS;
    if (known) {
      known.bucket = bucket;
      known.origin = origin;
      known.untilMs = untilMs;
      return bucket;
    }
    if (remembered >= REMEMBERED) {
      remembered = 0;
      byExporter.clear();
      turnTo(exporter);
    }
    remembered += 1;
    clients.set(ip, { origin, untilMs, bucket });
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
    takeDeltas: () => book.take(),
  };
}
