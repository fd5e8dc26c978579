import type { MetricDelta } from "#core/metrics.ts";
import type { Observation } from "#core/observation.ts";
import { type Belief, createPrefixes } from "./prefixes.ts";
import type { WatchedNetwork } from "./watched.ts";

/** Gathers the `route` measurement from route observations, peer by peer, where no route collector is followed. */
export interface RouteMeasure {
  take(observations: readonly Observation[]): void;
  /** What was gained since the last call. */
  takeDeltas(): MetricDelta[];
}

/** Measures watched networks only. Bounded as the prefixes it follows. */
export function createRouteMeasure(networks: readonly WatchedNetwork[], belief: Belief): RouteMeasure {
  const prefixes = createPrefixes(networks, belief);
  return {
    take(observations) {
      for (const observation of observations) {
        if (observation.type !== "route") continue;
        const { atMs, peer, collector, prefix, event, path = [] } = observation;
        const [announced, withdrawn] = event === "announce" ? [[prefix], []] : [[], [prefix]];
        prefixes.take({ atMs, peer, collector, path, announced, withdrawn });
      }
    },
    takeDeltas: prefixes.takeDeltas,
  };
}
