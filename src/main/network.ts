import type { Observation } from "#core/observation.ts";
import type { FlowsCollector } from "../../collectors/flows/flows.ts";
import type { FlowFinding } from "../../collectors/flows/join.ts";
import type { RisLive } from "../../collectors/routes/ris-live.ts";
import type { Network } from "../review/network-routes.ts";

/** Entries kept of each kind of finding; the log has them all. */
const KEPT = 200;

/** The latest entries of one kind, newest first, and how many there were. */
function createLatest<Entry>() {
  const entries: Entry[] = [];
  let total = 0;
  return {
    add(entry: Entry) {
      total += 1;
      entries.unshift(entry);
      if (entries.length > KEPT) entries.pop();
    },
    answer: () => ({ total, entries: [...entries] }),
  };
}

type Entry<Kind extends "joined" | "unseen" | "elsewhere" | "routes"> = Network[Kind]["entries"][number];

/** What flows and routes told since the service started, for the console. Bounded; only in memory. */
export interface NetworkBook {
  found(finding: FlowFinding): void;
  /** Keeps what is believed of routes. */
  take(observations: readonly Observation[]): void;
  /** Sources whose own counters are shown. */
  show(source: { flows?: readonly FlowsCollector[]; routes?: RisLive }): void;
  answer(): Network;
}

/** An empty book. */
export function createNetworkBook(): NetworkBook {
  const joined = createLatest<Entry<"joined">>();
  const unseen = createLatest<Entry<"unseen">>();
  const elsewhere = createLatest<Entry<"elsewhere">>();
  const routes = createLatest<Entry<"routes">>();
  let collectors: readonly FlowsCollector[] = [];
  let ris: RisLive | undefined;
  return {
    found(finding) {
      if (finding.kind === "unseen") {
        const { kind: _, ...entry } = finding;
        unseen.add(entry);
      } else if (finding.kind === "elsewhere") {
        const { kind: _, ...entry } = finding;
        elsewhere.add(entry);
      } else {
        const { kind: _, account = null, rttMs = null, appRttMs = null, bytesPerShare, ...entry } = finding;
        const perShare = Number.isNaN(bytesPerShare) ? null : bytesPerShare;
        joined.add({ ...entry, account, rttMs, appRttMs, bytesPerShare: perShare });
      }
    },
    take(observations) {
      for (const observation of observations) {
        if (observation.type !== "route") continue;
        const { atMs, prefix, event, path = [] } = observation;
        routes.add({ atMs, prefix, event, path });
      }
    },
    show(source) {
      collectors = source.flows ?? collectors;
      ris = source.routes ?? ris;
    },
    answer: () => ({
      exporters: collectors.flatMap((collector) =>
        collector.report().exporters.map((report) => {
          const { exporter, datagrams, flows, lost, malformed, templates, droppedSets, clockCorrected } =
            report;
          const counts = { datagrams, flows, lost, malformed, templates, droppedSets, clockCorrected };
          return { collector: collector.name, exporter, ...counts };
        }),
      ),
      joined: joined.answer(),
      unseen: unseen.answer(),
      elsewhere: elsewhere.answer(),
      prefixes: ris?.states() ?? [],
      routes: routes.answer(),
    }),
  };
}
