import { Fragment } from "preact";
import { useState } from "preact/hooks";
import type { Source } from "./client.ts";
import { count, country, percent } from "./format.ts";
import { At, Empty } from "./parts.tsx";
import { Text } from "./text.tsx";
import { TIER_SHORT } from "./wording.ts";
import type { Place } from "./world-map.tsx";

/** Sources as parts of the whole by country, region and tier, for the map. */
export function placesOf(sources: readonly Source[]): Place[] {
  const whole = sources.reduce((sum, source) => sum + source.work, 0);
  return sources.map(({ country, region, tier, work }) => ({
    country,
    region,
    tier,
    part: whole > 0 ? work / whole : 0,
  }));
}

/** The table of sources behind the map: one row an address and agent, each fact with where it was read. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  const [open, setOpen] = useState<number | null>(null);
  const whole = sources.reduce((sum, source) => sum + source.work, 0);
  const rows = [...sources].sort((a, b) => b.work - a.work);
  if (rows.length === 0)
    return <Empty title="No source was observed">Nothing says where the work came from.</Empty>;
  return (
    <div class="table-wrap">
      <table class="sources">
        <thead>
          <tr>
            <th>Address</th>
            <th>Country</th>
            <th>Network</th>
            <th>Tier</th>
            <th>Agent</th>
            <th class="number">Work</th>
            <th class="number">Shares</th>
            <th>First – last</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((source, index) => (
            <Fragment key={`${source.ip} ${source.agent} ${index}`}>
              <tr>
                <td>
                  <button
                    type="button"
                    class="fold"
                    aria-expanded={open === index}
                    title="Where each fact was read"
                    onClick={() => setOpen(open === index ? null : index)}
                  >
                    <Text of={source.ip} />
                  </button>
                </td>
                <td title={country(source.country)}>
                  {country(source.country)}
                  {source.region && <span class="muted"> {source.region}</span>}
                </td>
                <td class="network" title={source.holder}>
                  <Text of={source.holder || "Unknown network"} />
                  <span class="muted">
                    {source.asn > 0 && ` AS${source.asn}`} {source.kind}
                  </span>
                </td>
                <td>
                  <span class={`swatch tier-${source.tier}`} /> {TIER_SHORT[source.tier] ?? source.tier}
                </td>
                <td class="agent" title={source.agent}>
                  <Text of={source.agent || "–"} />
                </td>
                <td class="number">{percent(whole > 0 ? source.work / whole : 0)}</td>
                <td class="number">{count(source.shares)}</td>
                <td>
                  <At ms={source.firstMs} brief /> – <At ms={source.lastMs} brief />
                </td>
              </tr>
              {open === index && (
                <tr class="facts">
                  <td colSpan={8}>
                    <dl>
                      {source.facts.map((fact) => (
                        <div key={`${fact.fact}${fact.source}`}>
                          <dt>{fact.fact}</dt>
                          <dd>
                            <Text of={fact.value} /> <span class="muted">read from {fact.source}</span>
                          </dd>
                        </div>
                      ))}
                      {source.facts.length === 0 && (
                        <span class="muted">No source states a fact about this address.</span>
                      )}
                    </dl>
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}
