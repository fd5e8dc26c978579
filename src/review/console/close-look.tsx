import type { FlagDetail } from "./client.ts";
import { figure, percent, when } from "./format.ts";
import { Card } from "./parts.tsx";
import { zone } from "./session.ts";
import { Text } from "./text.tsx";
import { METRIC_WORDS } from "./wording.ts";

type Evidence = FlagDetail["evidence"];
type WorkerChange = NonNullable<Evidence["workers"]>[number];
type Extreme = NonNullable<Evidence["extremes"]>[number];

const became = ({ became: what, ratio }: WorkerChange): string =>
  what === "changed" ? `×${figure(Number(ratio.toPrecision(3)))}` : what;

const measured = (metric: Extreme["metric"], value: number): string =>
  metric === "staleRatio" ? percent(value) : `${figure(Number(value.toPrecision(3)))} ms`;

/** What was found of an account that keeps its own series: single workers' changes, and metrics that became extreme. */
export function CloseLook({ evidence: { workers = [], extremes = [] } }: { evidence: Evidence }) {
  if (workers.length + extremes.length === 0) return null;
  return (
    <Card title="Workers and extremes" note="of an account that keeps its own series">
      <ul class="changes">
        {workers.map((change) => (
          <li key={`${change.worker} ${change.atMs} ${change.became}`}>
            worker <Text of={change.worker} />: {became(change)} since{" "}
            <time>{when(change.atMs, zone.value)}</time>
            <span class="muted">, {figure(change.logLikelihoodRatio)} nats</span>
          </li>
        ))}
        {extremes.map(({ metric, atMs, value, threshold }) => (
          <li key={`${metric} ${atMs}`}>
            {METRIC_WORDS[metric]}: {measured(metric, value)} in the hour from{" "}
            <time>{when(atMs, zone.value)}</time>
            <span class="muted">, extreme above {measured(metric, threshold)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
