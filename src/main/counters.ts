import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Analysis } from "#core/analysis.ts";
import type { Batch } from "#core/collector.ts";
import type { MetricDelta } from "#core/metrics.ts";
import { MetricsBook } from "#core/metrics-book.ts";
import type { Delivery } from "#core/store.ts";
import type { PipelineCounts } from "./pipeline.ts";

/** How one collector is doing, for the console. */
export interface CollectorHealth {
  name: string;
  observations: number;
  refused: number;
  unknownFields: number;
  restarts: number;
  /** Wall clock of the last batch, 0 when there was none. */
  lastBatchMs: number;
  /** Wall clock less event time at the last batch. */
  lagMs: number;
  lastError: string;
  /** The latest refusals with their places, at most 20. */
  refusals: { place: string; reason: string }[];
}

/** Everything that moves has a counter: for Prometheus, for the metrics store and for the console. */
export interface Counters {
  batch(collector: string, batch: Batch): void;
  /** What a request or feed brought that went straight to the journal. */
  received(source: string, received: { accepted: number; refused: number; unknownFields?: number }): void;
  restart(collector: string, reason: string): void;
  delivered(attempt: {
    destination: string;
    outcome: "delivered" | "retry" | "refused";
    state: Delivery["state"];
  }): void;
  /** Age and size of a list, and bytes that wait on disk, as of now. */
  list(list: { name: string; ageHours: number; entries: number }): void;
  spool(spool: { name: string; bytes: number; dropped: number }): void;
  /** Deltas of the `collector`, `delivery`, `list` and `spool` measurements since the last call. */
  takeDeltas(): MetricDelta[];
  collectors(): CollectorHealth[];
  /** Adds a gauge that is read when the metrics are. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Adds gauges of one name, one for each set of labels that `read` gives. */
  gauges<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    read: () => Iterable<[Record<Label, string>, number]>,
  ): void;
  text(): Promise<string>;
}

const KEPT_REFUSALS = 20;

/** Counters of one running service. */
export function createCounters(options: {
  now: () => number;
  analysis: Analysis;
  pipeline: Readonly<PipelineCounts>;
}): Counters {
  const { now, analysis, pipeline } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "assay_" });
  const labelNames = ["collector"] as const;
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const observations = counter("assay_observations_total", "Observations taken, by collector");
  const refusals = counter("assay_refused_total", "Pieces of bad input, by collector");
  const restarts = counter("assay_collector_restarts_total", "Collectors restarted after their source broke");
  const deliveries = new Counter({
    name: "assay_delivery_attempts_total",
    help: "Attempts to deliver, by destination and outcome",
    labelNames: ["destination", "outcome"] as const,
    registers: [registry],
  });
  const book = new MetricsBook();
  const health = new Map<string, CollectorHealth>();
  const of = (name: string): CollectorHealth => {
    let found = health.get(name);
    if (!found) {
      found = {
        name,
        observations: 0,
        refused: 0,
        unknownFields: 0,
        restarts: 0,
        lastBatchMs: 0,
        lagMs: 0,
        lastError: "",
        refusals: [],
      };
      health.set(name, found);
    }
    return found;
  };
  const gauge: Counters["gauge"] = (name, help, read) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  };
  gauge(
    "assay_shares_kept",
    "Accepted shares taken since the data directory was made",
    () => analysis.totals.shares,
  );
  gauge("assay_accounts", "Accounts held in memory", () => analysis.accounts);
  gauge("assay_accounts_left_out", "Shares of accounts beyond the bound", () => analysis.skipped.accounts);
  gauge(
    "assay_watched_left_out",
    "Shares of watched accounts beyond the bound of those looked at closely",
    () => analysis.skipped.watched,
  );
  gauge("assay_workers_left_out", "Shares of workers beyond the bounds", () => analysis.skipped.workers);
  gauge(
    "assay_sightings_dropped",
    "Screenings put off because too many came at once",
    () => analysis.skipped.sightings,
  );
  gauge("assay_sessions_forgotten", "Sessions forgotten before they closed", () => analysis.skipped.sessions);
  gauge(
    "assay_backwards",
    "Observations more than an hour behind the newest",
    () => analysis.skipped.backwards,
  );
  gauge("assay_windows_scored", "Account windows scored", () => pipeline.scored);
  gauge("assay_flags_opened", "Flags opened", () => pipeline.flags);
  gauge("assay_flags_deferred", "Flags put off by the day's alert budget", () => pipeline.deferred);
  gauge(
    "assay_flags_doubtful",
    "Flags put off because too many of the day's would be expected to be false",
    () => pipeline.doubtful,
  );
  gauge(
    "assay_event_lag_seconds",
    "Wall clock less the newest event time",
    () => (now() - analysis.watermarkMs) / 1000,
  );
  function count(name: string, taken: number, refused: number, unknownFields: number): CollectorHealth {
    const at = of(name);
    at.observations += taken;
    at.refused += refused;
    at.unknownFields += unknownFields;
    at.lastBatchMs = now();
    observations.inc({ collector: name }, taken);
    refusals.inc({ collector: name }, refused);
    const { values } = book.bucket("collector", [name], now());
    values[0] = (values[0] ?? 0) + taken;
    values[1] = (values[1] ?? 0) + refused;
    values[2] = (values[2] ?? 0) + unknownFields;
    return at;
  }
  return {
    gauge,
    gauges(name, help, labels, read) {
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect() {
          this.reset();
          for (const [named, value] of read()) this.set(named, value);
        },
      });
    },
    batch(name, batch) {
      const refused = (batch.refusals ?? []).reduce((sum, { count: times = 1 }) => sum + times, 0);
      const { refusals } = count(name, batch.observations.length, refused, batch.unknownFields ?? 0);
      const at = of(name);
      at.lagMs = Math.max(0, now() - (batch.observations.at(-1)?.atMs ?? now()));
      for (const { place, reason } of batch.refusals ?? []) refusals.push({ place, reason });
      if (refusals.length > KEPT_REFUSALS) refusals.splice(0, refusals.length - KEPT_REFUSALS);
      book.bucket("collector", [name], now()).values[3] = at.lagMs;
    },
    received(source, { accepted, refused, unknownFields = 0 }) {
      count(source, accepted, refused, unknownFields);
    },
    restart(name, reason) {
      const at = of(name);
      at.restarts += 1;
      at.lastError = reason;
      restarts.inc({ collector: name });
    },
    delivered({ destination, outcome, state }) {
      const { values } = book.bucket("delivery", [destination], now());
      const column = { delivered: 0, waiting: 1, dead: 2 }[state];
      values[column] = (values[column] ?? 0) + 1;
      deliveries.inc({ destination, outcome });
    },
    list({ name, ageHours, entries }) {
      const { values } = book.bucket("list", [name], now());
      values[0] = ageHours;
      values[1] = entries;
    },
    spool({ name, bytes, dropped }) {
      const { values } = book.bucket("spool", [name], now());
      values[0] = (values[0] ?? 0) + dropped;
      values[1] = bytes;
    },
    takeDeltas: () => book.take(),
    collectors: () => [...health.values()],
    text: () => registry.metrics(),
  };
}
