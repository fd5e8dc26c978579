import { useState } from "preact/hooks";
import { FEATURES } from "#core/features.ts";
import type { ModelAnswer, PoolStanding } from "./client.ts";
import { figure } from "./format.ts";
import { Card, Tabs } from "./parts.tsx";

/** Features shown before the rest is asked for. */
const FIRST = 10;
const ABOUT = new Map(FEATURES.map(({ name, about }) => [name, about]));

/** Each feature's stability index in one pool, the worst first. */
export function FeatureDrift({
  pools,
  thresholds,
}: {
  pools: readonly PoolStanding[];
  thresholds: ModelAnswer["thresholds"];
}) {
  const measured = pools.filter(({ features }) => features.length > 0);
  const [chosen, choose] = useState(measured[0]?.pool ?? "");
  const [whole, setWhole] = useState(false);
  const pool = measured.find((each) => each.pool === chosen) ?? measured[0];
  if (!pool) return null;
  const rank = ({ psi, training }: PoolStanding["features"][number]) => (psi ?? -1) * 1000 + (training ?? 0);
  const sorted = [...pool.features].sort((left, right) => rank(right) - rank(left));
  const level = (psi: number) => (psi >= thresholds.stop ? "over" : psi >= thresholds.warn ? "near" : "");
  return (
    <Card
      title="Features"
      note={`stability index against the pool's own reference: ${thresholds.warn} warns, ${thresholds.stop} stops thresholds`}
    >
      {measured.length > 1 && (
        <div>
          <Tabs
            label="Pool"
            options={measured.map((each) => [each.pool, each.pool] as const)}
            value={pool.pool}
            set={choose}
          />
        </div>
      )}
      <div class="table-wrap">
        <table class="drift">
          <thead>
            <tr>
              <th>Feature</th>
              <th>Drift</th>
              <th class="number">Index</th>
              <th class="number">From training</th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, whole ? undefined : FIRST).map(({ feature, psi, training }) => (
              <tr key={feature}>
                <td>
                  <code>{feature}</code> <span class="muted about">{ABOUT.get(feature)}</span>
                </td>
                <td>
                  {psi !== null && (
                    <span class={`meter ${level(psi)}`} aria-hidden="true">
                      <span style={{ width: `${Math.min(1, psi / (2 * thresholds.stop)) * 100}%` }} />
                    </span>
                  )}
                </td>
                <td class="number">{psi === null ? <span class="muted">not compared</span> : figure(psi)}</td>
                <td class="number">
                  {training === null ? <span class="muted">not collected</span> : figure(training)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!whole && sorted.length > FIRST && (
        <div>
          <button type="button" class="quiet" onClick={() => setWhole(true)}>
            All {sorted.length} features
          </button>
        </div>
      )}
    </Card>
  );
}
