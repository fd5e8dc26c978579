import type { MetricDelta } from "#core/metrics.ts";
import type { Observation } from "#core/observation.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import { createFlowMeasure, type FlowMeasure } from "../../collectors/flows/measure.ts";
import { createRouteMeasure } from "../../collectors/routes/measure.ts";
import type { Belief } from "../../collectors/routes/prefixes.ts";
import { watchedNetworks } from "../../collectors/routes/watched.ts";
import { createJobMeasure } from "../../collectors/stratum/job-measure.ts";

/** What is measured of observations beside the analysis: flows, jobs and routes. */
export interface Measures {
  flows: FlowMeasure;
  take(observations: readonly Observation[]): void;
  takeDeltas(): MetricDelta[];
}

/** `belief` absent: a route collector measures what its peers tell, of which route observations are only the gist. */
export function createMeasures({ lookUp, belief }: { lookUp: LookUpOrigin; belief?: Belief }): Measures {
  const flows = createFlowMeasure(lookUp);
  const all: Omit<FlowMeasure, "lost">[] = [flows, createJobMeasure()];
  if (belief) all.push(createRouteMeasure(watchedNetworks().networks, belief));
  return {
    flows,
    take(observations) {
      for (const measure of all) measure.take(observations);
    },
    takeDeltas: () => all.flatMap((measure) => measure.takeDeltas()),
  };
}
