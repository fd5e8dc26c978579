import { useState } from "preact/hooks";
import { client, type DataNotice, type MetricTable, type ModelAnswer, type Status } from "./client.ts";
import { age, count, hashrate, percent } from "./format.ts";
import { useLoad } from "./load.ts";
import { At, Card, Empty, type Figure, FigureRow, Show, Tabs } from "./parts.tsx";
import { interval } from "./precision.tsx";
import { nowMs, status } from "./session.ts";
import { Text } from "./text.tsx";
import { TierChart } from "./tier-chart.tsx";
import { type Place, WorldMap } from "./world-map.tsx";

const RANGES = { "24 h": 1, "7 d": 7, "30 d": 30 } as const;
type Range = keyof typeof RANGES;
const CHOICES = (Object.keys(RANGES) as Range[]).map((range) => [range, range] as const);
const DAY_MS = 86_400_000;

/** The sum of a field over a table's rows. */
function sum(
  table: MetricTable,
  field: string,
  wanted: (tags: Record<string, string>) => boolean = () => true,
): number {
  const at = table.fields.indexOf(field);
  return table.rows
    .filter((row) => wanted(Object.fromEntries(table.tags.map((tag, index) => [tag, row.tags[index] ?? ""]))))
    .reduce((total, row) => total + (row.values[at] ?? 0), 0);
}

function placesIn(table: MetricTable): Place[] {
  const [work, country, tier] = [
    table.fields.indexOf("work"),
    table.tags.indexOf("country"),
    table.tags.indexOf("tier"),
  ];
  const whole = sum(table, "work");
  const merged = new Map<string, Place>();
  for (const row of table.rows) {
    const key = `${row.tags[country]} ${row.tags[tier]}`;
    const place = merged.get(key) ?? {
      country: row.tags[country] ?? "ZZ",
      region: "",
      tier: row.tags[tier] ?? "unknown",
      part: 0,
    };
    place.part += whole > 0 ? (row.values[work] ?? 0) / whole : 0;
    merged.set(key, place);
  }
  return [...merged.values()];
}

/** The pool as a whole: where its hashrate comes from, how much of that is known, and how the service is. */
export function Overview() {
  const [range, setRange] = useState<Range>("7 d");
  const days = RANGES[range];
  const window = () => ({
    from: new Date(Date.now() - days * DAY_MS).toISOString(),
    to: new Date().toISOString(),
  });
  const tiers = useLoad(`tiers ${range}`, () =>
    client.metrics({ measurement: "origin", by: "tier", ...window() }),
  );
  const origins = useLoad(`origins ${range}`, () =>
    client.metrics({ measurement: "origin", by: "country,tier", ...window() }),
  );
  const model = useLoad("model", client.model);
  return (
    <>
      <div class="page-head">
        <h1>Overview</h1>
        <Tabs label="Time range" options={CHOICES} value={range} set={setRange} />
      </div>
      <Figures tiers={tiers.data} model={model.data} days={days} />
      <Card title="Hashrate by origin" note="sanction tier of the place the work came from">
        <Show of={tiers} rows={8}>
          {(table) =>
            table.rows.length > 0 ? (
              <TierChart table={table} />
            ) : (
              <Empty title="No work was seen in this time" />
            )
          }
        </Show>
      </Card>
      <Card title="Origin" note="share of accepted work by country">
        <Show of={origins} rows={12}>
          {(table) =>
            table.rows.length > 0 ? (
              <WorldMap places={placesIn(table)} rows={12} />
            ) : (
              <Empty title="No origin was seen in this time" />
            )
          }
        </Show>
      </Card>
      {status.value && <Parts health={status.value.health} />}
      {status.value && <Data notices={status.value.data} />}
    </>
  );
}

function Figures({
  tiers,
  model,
  days,
}: {
  tiers: MetricTable | null;
  model: ModelAnswer | null;
  days: number;
}) {
  const work = tiers ? sum(tiers, "work") : 0;
  const part = (tier: string) =>
    tiers && work > 0 ? percent(sum(tiers, "work", (tags) => tags.tier === tier) / work) : "–";
  const precision = model?.precision.anomalies;
  const figures: Figure[] = [
    ["Hashrate", tiers ? hashrate(work / (days * 86_400)) : "–", "mean over the range"],
    ["Comprehensive sanctions", part("comprehensive"), "of the work"],
    ["Watched places", part("watch"), "of the work"],
    ["Origin unknown", part("unknown"), "of the work: nobody says where it is"],
    [
      "Measured precision",
      typeof precision?.precision === "number" ? percent(precision.precision) : "–",
      precision && precision.answered > 0
        ? `${interval(precision)}, of ${count(precision.answered)} anomalies answered in ${model?.days} days; ${percent(precision.expected ?? 0)} was promised`
        : "no anomaly answered yet",
    ],
  ];
  return <FigureRow of={figures} />;
}

function Parts({ health }: { health: Status["health"] }) {
  return (
    <Card title="Health" note={health.ready ? "ready" : "not ready"}>
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th>Part</th>
              <th>State</th>
              <th class="number">Observations</th>
              <th class="number">Refused</th>
              <th class="number">Behind</th>
              <th class="number">Restarts</th>
              <th>Detail</th>
            </tr>
          </thead>
          <tbody>
            {health.components.map((part) => (
              <tr key={part.name}>
                <td>
                  {part.name} <span class="muted">{part.role}</span>
                </td>
                <td>
                  <span class={`badge health-${part.state}`}>{part.state}</span>
                </td>
                <td class="number">{part.observations === undefined ? "" : count(part.observations)}</td>
                <td class="number">{part.refused === undefined ? "" : count(part.refused)}</td>
                <td class="number">
                  {part.lagMs === undefined ? "" : part.lagMs === null ? "–" : behind(part.lagMs)}
                </td>
                <td class="number">{part.restarts ?? ""}</td>
                <td>
                  <Text of={part.detail} />
                  {part.refusals && part.refusals.length > 0 && (
                    <details>
                      <summary>Latest bad input</summary>
                      <ul class="refusals">
                        {part.refusals.map(({ place, reason }, index) => (
                          <li key={index}>
                            <code>
                              <Text of={place} />
                            </code>{" "}
                            <Text of={reason} />
                          </li>
                        ))}
                      </ul>
                    </details>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

const behind = (lagMs: number) =>
  lagMs < 1000 ? `${Math.round(lagMs)} ms` : lagMs < 60_000 ? `${Math.round(lagMs / 1000)} s` : age(lagMs);

function Data({ notices }: { notices: readonly DataNotice[] }) {
  return (
    <Card title="Data" note="geo databases and watch lists, with their age">
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th>Data</th>
              <th>Source</th>
              <th>Version</th>
              <th>Made</th>
              <th class="number">Age</th>
            </tr>
          </thead>
          <tbody>
            {notices.map((notice) => {
              const builtMs = notice.builtAt === null ? Number.NaN : Date.parse(notice.builtAt);
              return (
                <tr key={notice.name}>
                  <td>
                    {notice.name}
                    {notice.warning && <div class="warning">{notice.warning}</div>}
                  </td>
                  <td>{notice.source}</td>
                  <td>{notice.version}</td>
                  <td>{Number.isNaN(builtMs) ? "not said" : <At ms={builtMs} />}</td>
                  <td class="number">{Number.isNaN(builtMs) ? "" : age(nowMs.value - builtMs)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
