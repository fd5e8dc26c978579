import type { MetricTable, ModelAnswer } from "./client.ts";
import { count, figure, percent } from "./format.ts";
import { Account, At, accountPath, Card } from "./parts.tsx";
import { Text } from "./text.tsx";

/** What the metrics kept of one version. */
function sumsOf(table: MetricTable | null, model: string) {
  const rows = table?.rows.filter(({ tags }) => tags[0] === model) ?? [];
  const sum = (field: string) => {
    const at = table?.fields.indexOf(field) ?? -1;
    return rows.reduce((total, { values }) => total + (values[at] ?? 0), 0);
  };
  return {
    accounts: sum("accounts"),
    both: sum("both"),
    onlyActive: sum("onlyActive"),
    onlyShadow: sum("onlyShadow"),
  };
}

/** A second version beside the active one: what each would flag. */
export function ShadowCard({
  answer,
  kept,
  days,
}: {
  answer: ModelAnswer;
  kept: MetricTable | null;
  days: number;
}) {
  const { shadow, model } = answer;
  if (!shadow)
    return (
      <Card title="Shadow">
        <p class="muted">
          No second model runs beside this one. <code>detection.shadow</code> names one; it raises nothing.
        </p>
      </Card>
    );
  const name = `${shadow.name} ${shadow.version}`;
  const sums = sumsOf(kept, name);
  const differing = shadow.pools.flatMap((pool) =>
    pool.differing.map((each) => ({ ...each, pool: pool.pool })),
  );
  return (
    <Card
      title="Shadow"
      note={`${name} beside ${model.name} ${model.version}, on the same vectors; it raises nothing`}
    >
      {shadow.failures > 0 && (
        <p class="warning">It could not score {count(shadow.failures)} windows; the log says why.</p>
      )}
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th>Windows</th>
              <th class="number">Accounts scored</th>
              <th class="number">Both would flag</th>
              <th class="number">Only {model.version}</th>
              <th class="number">Only {shadow.version}</th>
              <th class="number">Rank correlation</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <td>All of {days} days</td>
              <td class="number">{count(Math.round(sums.accounts))}</td>
              <td class="number">{count(Math.round(sums.both))}</td>
              <td class="number">{count(Math.round(sums.onlyActive))}</td>
              <td class="number">{count(Math.round(sums.onlyShadow))}</td>
              <td class="number" />
            </tr>
            {shadow.pools.map((pool) => (
              <tr key={pool.pool}>
                <td>
                  <Text of={pool.pool} />{" "}
                  <span class="muted">
                    last, <At ms={pool.atMs} />
                  </span>
                </td>
                <td class="number">{count(pool.accounts)}</td>
                <td class="number">{count(pool.both)}</td>
                <td class="number">{count(pool.onlyActive)}</td>
                <td class="number">{count(pool.onlyShadow)}</td>
                <td class="number">{pool.rankCorrelation === null ? "–" : figure(pool.rankCorrelation)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {differing.length > 0 && (
        <details>
          <summary>Accounts that only one of them would flag, in the last window of each pool</summary>
          <div class="table-wrap">
            <table class="evidence">
              <thead>
                <tr>
                  <th>Account</th>
                  <th>Pool</th>
                  <th class="number">{model.version}</th>
                  <th class="number">{shadow.version}</th>
                </tr>
              </thead>
              <tbody>
                {differing.map((each) => (
                  <tr key={`${each.pool} ${each.account}`}>
                    <td>
                      <a href={accountPath(each.pool, each.account)}>
                        <Account name={each.account} />
                      </a>
                    </td>
                    <td>
                      <Text of={each.pool} />
                    </td>
                    <td class="number">{percent(each.active)}</td>
                    <td class="number">{percent(each.shadow)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </Card>
  );
}
