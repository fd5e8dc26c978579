import { evidenceOf, groundGoneFlag } from "#core/assess.ts";
import type { Log } from "#core/log.ts";
import type { MetricDelta } from "#core/metrics.ts";
import type { Model } from "#core/model.ts";
import type { Session } from "#core/observation.ts";
import type { Match } from "#core/screening.ts";
import type { Sighting } from "#core/sightings.ts";
import { createFlowJoin } from "../../collectors/flows/join.ts";
import type { FlowMeasure } from "../../collectors/flows/measure.ts";
import type { LoadedModel } from "../../models/load-model.ts";
import { conformalOf } from "../../models/reference.ts";
import type { Journal } from "../bus/journal.ts";
import type { Config } from "../config.ts";
import type { InfluxStore } from "../store/influx.ts";
import type { EmbeddedMetrics } from "../store/metrics-sqlite.ts";
import type { EmbeddedOps } from "../store/ops-sqlite.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createDecisions } from "./decisions.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createMeasures } from "./measures.ts";
import { createModelWatch, exposeModel, type ModelWatch } from "./model-watch.ts";
import { createNetworkBook, type NetworkBook } from "./network.ts";
import type { Parts } from "./parts.ts";
import { createPipeline } from "./pipeline.ts";
import { createStanding } from "./standing.ts";

/** The journal's reader, as its cursor is kept. */
export const JOURNAL = "journal";

/** Everything that was opened and must be closed. */
export interface Opened {
  parts: Parts;
  model: LoadedModel;
  /** The version that is tried beside it. */
  shadow?: Model;
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
  modelWatch: ModelWatch;
  network: NetworkBook;
  /** A further source of metric deltas, asked at every checkpoint. */
  addDeltas: (take: () => MetricDelta[]) => void;
  /** Observations that the journal had no room for. */
  journalDropped: (observations: number) => void;
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
  const decisions = createDecisions();
  const pipeline = createPipeline({
    analysis,
    model,
    screen: screening.screen,
    lists,
    policy: config.detection,
    conformalP: (row, value) => conformalOf(model.reference, row, value),
    raise: async (flag, evidence) => {
      const raised = await ops.raise(flag, evidence, destinations);
      if (raised === "opened") decisions.flagged(flag);
      return raised;
    },
    onScreenings: (screenings, standings) => ops.recordScreenings(screenings, standings),
    onWindow: async (window, values) => {
      decisions.scored(window, values);
      await modelWatch.take(window, values);
    },
    drifted: (pool) => modelWatch.drifted(pool),
  });
  const counters = createCounters({ now: Date.now, analysis, pipeline: pipeline.counts });
  const modelWatch = createModelWatch(config, { model, shadow: opened.shadow }, { log, decisions });
  exposeModel(counters, modelWatch);
  const { risLive, poolServers } = config.collectors;
  const measures = createMeasures({
    lookUp: origin.lookUp,
    ...(risLive.enabled ? {} : { belief: risLive }),
  });
  const deltas: (() => MetricDelta[])[] = [counters.takeDeltas, decisions.takeDeltas, measures.takeDeltas];
  const join = createFlowJoin(poolServers);
  const network = createNetworkBook();

  let journalDropped = 0;
  const noteStanding = createStanding({
    counters,
    lists: async () => [...(await parts.lists.status()), ...(await parts.networkLists.status())],
    spools: [
      { name: JOURNAL, state: () => ({ bytes: journal.status().bytes, dropped: journalDropped }) },
      ...(influx ? [{ name: "influx", state: () => spoolOf(influx) }] : []),
    ],
    now: Date.now,
  });
  const engine = createEngine({
    analysis,
    pipeline,
    store: metrics,
    modelState: { takeChange: modelWatch.takeChange, restore: modelWatch.watch.restore },
    takeDeltas: async () => {
      await noteStanding();
      return deltas.flatMap((take) => take());
    },
    onBatch: counters.batch,
    onTake: ({ observations }): Session[] => {
      measures.take(observations);
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
    if (found && verdict) decisions.decided(found.flag, verdict);
  }
  counters.gauge(
    "assay_journal_bytes",
    "Observations on disk that no checkpoint has yet",
    () => journal.status().bytes,
  );
  counters.gauge("assay_flow_sessions_joined", "Stratum sessions that flows were found for", join.joined);
  if (influx) followerGauges(counters, influx);
  const waiting = async () => (await ops.deliveries({ state: "waiting", limit: 1000 })).length;
  counters.gauge("assay_outbox_waiting", "Deliveries not yet made, 1000 at most", waiting);
  return {
    engine,
    counters,
    flowMeasure: measures.flows,
    modelWatch,
    network,
    addDeltas: (take) => deltas.push(take),
    journalDropped: (observations) => {
      journalDropped += observations;
    },
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

function spoolOf(influx: InfluxStore): { bytes: number; dropped: number } {
  const { spoolBytes: bytes, dropped } = influx.state();
  return { bytes, dropped };
}

/** What became of the points for InfluxDB, in words that `InfluxStore.state` has too. */
function followerGauges(counters: Counters, influx: InfluxStore): void {
  for (const [name, help, read] of [
    ["written", "Points InfluxDB took", () => influx.state().written],
    ["refused", "Points InfluxDB did not take", () => influx.state().refused],
    ["expired", "Points older than InfluxDB's retention", () => influx.state().expired],
    ["left_out", "Points of accounts beyond the bound of series", () => influx.state().leftOut],
    ["dropped", "Points lost because the spool was full", () => influx.state().dropped],
    ["waiting", "Points that wait in the spool", () => influx.state().spoolPoints],
  ] as const)
    counters.gauge(`assay_influx_${name}`, help, read);
}
