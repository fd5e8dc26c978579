import { evidenceOf, groundGoneFlag } from "#core/assess.ts";
import type { Log } from "#core/log.ts";
import { HOUR_MS, type MetricDelta } from "#core/metrics.ts";
import type { Session } from "#core/observation.ts";
import type { Match } from "#core/screening.ts";
import type { Sighting } from "#core/sightings.ts";
import { createFlowJoin } from "../../collectors/flows/join.ts";
import { createFlowMeasure, type FlowMeasure } from "../../collectors/flows/measure.ts";
import type { LoadedModel } from "../../models/load-model.ts";
import { drift } from "../../models/reference.ts";
import type { Journal } from "../bus/journal.ts";
import type { Config } from "../config.ts";
import type { InfluxStore } from "../store/influx.ts";
import type { EmbeddedMetrics } from "../store/metrics-sqlite.ts";
import type { EmbeddedOps } from "../store/ops-sqlite.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createNetworkBook, type NetworkBook } from "./network.ts";
import type { Parts } from "./parts.ts";
import { createPipeline } from "./pipeline.ts";

const LEAST_FOR_DRIFT = 200;

/** The journal's reader, as its cursor is kept. */
export const JOURNAL = "journal";

/** Everything that was opened and must be closed. */
export interface Opened {
  parts: Parts;
  model: LoadedModel;
  metrics: EmbeddedMetrics;
  ops: EmbeddedOps;
  journal: Journal;
  influx?: InfluxStore;
}

/** Analysis, pipeline, counters and the engine that drives them, joined to the stores. */
export interface Heart {
  engine: Engine;
  counters: Counters;
  flowMeasure: FlowMeasure;
  network: NetworkBook;
  /** A further source of metric deltas, asked at every checkpoint. */
  addDeltas: (take: () => MetricDelta[]) => void;
  /** Lets an open screening flag say that a list no longer has what it rests on. */
  withdraw: (sighting: Sighting, lost: readonly Match[]) => Promise<void>;
}

/** Joins the parts of the analysis. Opens nothing and starts nothing. */
export function createHeart(
  config: Config,
  opened: Opened,
  { log, destinations }: { log: Log; destinations: readonly string[] },
): Heart {
  const { parts, model, metrics, ops, journal, influx } = opened;
  const { analysis, screening, origin } = parts;
  const lists = () =>
    [...screening.lists(), ...origin.versions()].map(({ name, version }) => ({ name, version }));
  const pipeline = createPipeline({
    analysis,
    model,
    screen: screening.screen,
    lists,
    policy: config.detection,
    raise: async (flag, evidence) => {
      const raised = await ops.raise(flag, evidence, destinations);
      if (raised === "opened") counters.flagged(flag);
      return raised;
    },
    onScreenings: (screenings) => ops.recordScreenings(screenings),
    onWindow: ({ pool, atMs, rows, accounts }, values) => {
      counters.scored({ pool, atMs, values });
      // Below this many accounts an index of stability is noise.
      if (accounts.length < LEAST_FOR_DRIFT) return;
      const psi = drift(model.reference, rows, accounts.length).reduce(
        (most, feature) => Math.max(most, feature.psi),
        0,
      );
      counters.drifted({ model: model.name, psi });
    },
  });
  const counters = createCounters({ now: Date.now, analysis, pipeline: pipeline.counts });
  const flowMeasure = createFlowMeasure(origin.lookUp);
  const deltas: (() => MetricDelta[])[] = [counters.takeDeltas, flowMeasure.takeDeltas];
  const join = createFlowJoin(config.collectors.poolServers);
  const network = createNetworkBook();

  /** What does not move by itself, noted at every checkpoint. */
  function noteStanding(): void {
    const nowMs = Date.now();
    for (const { name, publishedAt, entries } of screening.lists()) {
      const ageHours = (nowMs - Date.parse(publishedAt)) / HOUR_MS;
      if (Number.isFinite(ageHours)) counters.list({ name, ageHours, entries });
    }
    counters.spool({ name: JOURNAL, bytes: journal.status().bytes, dropped: 0 });
    if (influx) counters.spool({ name: "influx", bytes: influx.state().spoolBytes, dropped: 0 });
  }

  const engine = createEngine({
    analysis,
    pipeline,
    store: metrics,
    takeDeltas: () => {
      noteStanding();
      return deltas.flatMap((take) => take());
    },
    onBatch: counters.batch,
    onTake: ({ observations }): Session[] => {
      flowMeasure.take(observations);
      const sessions = join.take(observations);
      network.take(observations);
      for (const finding of join.takeFindings()) {
        network.found(finding);
        if (finding.kind !== "session") log("info", "flows", { ...finding });
      }
      return sessions;
    },
    onCommitted: async (rows, cursors) => {
      const cursor = cursors.get(JOURNAL);
      if (cursor !== undefined) await journal.release(cursor);
      await influx?.write(rows);
    },
  });
  ops.onChange(({ event, flag }) => {
    if (event === "flag.closed") void noteVerdict(flag.id);
    if (event === "flag.opened" && influx)
      influx.annotate(flag).catch((error) => log("error", "annotation", { reason: String(error) }));
  });
  async function noteVerdict(id: string): Promise<void> {
    const found = await ops.flag(id).catch(() => null);
    const verdict = found?.verdicts.at(-1);
    if (found && verdict) counters.decided(found.flag, verdict);
  }
  counters.gauge(
    "assay_journal_bytes",
    "Observations on disk that no checkpoint has yet",
    () => journal.status().bytes,
  );
  counters.gauge("assay_flow_sessions_joined", "Stratum sessions that flows were found for", join.joined);
  const waiting = async () => (await ops.deliveries({ state: "waiting", limit: 1000 })).length;
  counters.gauge("assay_outbox_waiting", "Deliveries not yet made, 1000 at most", waiting);
  return {
    engine,
    counters,
    flowMeasure,
    network,
    addDeltas: (take) => deltas.push(take),
    async withdraw(sighting, lost) {
      const { flags } = await ops.flags({
        kind: "screening",
        pool: sighting.pool,
        text: sighting.account,
        limit: 100,
      });
      const open = flags.some(({ account, state }) => account === sighting.account && state !== "closed");
      if (!open) return;
      const state = analysis.account(sighting.pool, sighting.account);
      await ops.raise(
        groundGoneFlag(sighting, lost, lists()),
        evidenceOf(state, sighting.atMs),
        destinations,
      );
    },
  };
}
