import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { client, type MetricTable, type ModelAnswer, type PoolStanding } from "./client.ts";
import { FeatureDrift } from "./feature-drift.tsx";
import { count, figure, percent } from "./format.ts";
import { useLoad } from "./load.ts";
import { At, Card, Empty, type Figure, FigureRow, Show, Tabs } from "./parts.tsx";
import { interval, PrecisionTable } from "./precision.tsx";
import { PLAIN, writeFilter } from "./queue-filter.ts";
import { attempt, mayReview, say } from "./session.ts";
import { ShadowCard } from "./shadow.tsx";
import { Text } from "./text.tsx";
import { typologyName } from "./wording.ts";

const DAY_MS = 86_400_000;
/** Days that volume and the shadow are summed over. */
const DAYS = 30;

const STATE_WORDS: Record<PoolStanding["state"], [word: string, health: string, means: string]> = {
  few: ["too few", "waiting", "fewer than 200 accounts say nothing"],
  learning: ["learning", "waiting", "the first settled day becomes the pool's reference"],
  steady: ["steady", "running", "inputs are as they were"],
  warn: ["drifting", "waiting", "somebody should look"],
  stop: ["stopped", "failed", "the score's thresholds do not hold"],
};

/** Whether the model's scores still mean what they say. */
export function ModelPage() {
  const window = () => ({
    from: new Date(Date.now() - DAYS * DAY_MS).toISOString(),
    to: new Date().toISOString(),
  });
  const model = useLoad("model", client.model);
  const volume = useLoad("volume", () =>
    client.metrics({ measurement: "flag", where: "kind=anomaly", ...window() }),
  );
  const shadow = useLoad("shadow", () => client.metrics({ measurement: "shadow", by: "model", ...window() }));
  return (
    <>
      <div class="page-head">
        <h1>Model</h1>
        {model.data && (
          <span class="muted">
            {model.data.model.name} {model.data.model.version}, flags from a score of{" "}
            {percent(model.data.thresholds.flag)}
          </span>
        )}
      </div>
      <Show of={model} rows={10}>
        {(answer) => (
          <>
            <Stopped pools={answer.pools} />
            <Figures answer={answer} volume={volume.data} />
            <Pools answer={answer} reload={model.reload} />
            {answer.pools.some(({ features }) => features.length > 0) && (
              <FeatureDrift pools={answer.pools} thresholds={answer.thresholds} />
            )}
            <DescribedCard described={answer.described} />
            <ShadowCard answer={answer} kept={shadow.data} days={DAYS} />
            <PrecisionCard answer={answer} />
          </>
        )}
      </Show>
    </>
  );
}

function Stopped({ pools }: { pools: readonly PoolStanding[] }) {
  const stopped = pools.filter(({ state }) => state === "stop");
  if (stopped.length === 0) return null;
  return (
    <div class="problem" role="alert">
      <span>
        What the model is given in{" "}
        {stopped.map(({ pool }, index) => (
          <strong key={pool}>
            {index > 0 && ", "}
            <Text of={pool} />
          </strong>
        ))}{" "}
        is no longer what it was: a score there does not mean what it says. Flags are still raised, marked as
        such, and their severity rests on the agreeing families alone.
      </span>
    </div>
  );
}

const openedIn = (table: MetricTable | null): number | null => {
  if (!table) return null;
  const at = table.fields.indexOf("opened");
  return table.rows.reduce((sum, row) => sum + (row.values[at] ?? 0), 0);
};

function Figures({ answer, volume }: { answer: ModelAnswer; volume: MetricTable | null }) {
  const { pools, precision, thresholds, days } = answer;
  const psis = pools.flatMap(({ features }) => features.flatMap(({ psi }) => psi ?? []));
  const measured = pools.flatMap(({ conformal, accounts }) =>
    conformal ? [{ ...conformal, accounts }] : [],
  );
  const accounts = measured.reduce((sum, each) => sum + each.accounts, 0);
  const low = measured.reduce((sum, each) => sum + each.low * each.accounts, 0) / accounts;
  const opened = openedIn(volume);
  const figures: Figure[] = [
    [
      "Worst drift",
      psis.length > 0 ? figure(Math.max(...psis)) : "–",
      `stability index; ${thresholds.warn} warns, ${thresholds.stop} stops thresholds`,
    ],
    [
      "Conformal p ≤ .01",
      accounts > 0 ? percent(low) : "–",
      "of the accounts; 1 % where they are like those of calibration",
    ],
    [
      "Flags a day",
      opened === null ? "–" : figure(opened / DAYS),
      `anomalies opened, mean of ${DAYS} days; at most ${count(thresholds.flagsPerDay)} a day`,
    ],
    [
      "Measured precision",
      precision.anomalies.precision === null ? "–" : percent(precision.anomalies.precision),
      precision.anomalies.answered === 0
        ? `no verdict in ${days} days`
        : `${interval(precision.anomalies)} of ${count(precision.anomalies.answered)} anomalies answered`,
    ],
    [
      "Promised precision",
      precision.anomalies.expected === null ? "–" : percent(precision.anomalies.expected),
      "mean score of the answered anomalies",
    ],
  ];
  return <FigureRow of={figures} />;
}

function Pools({ answer, reload }: { answer: ModelAnswer; reload: () => void }) {
  const forget = (pool: string) =>
    attempt(async () => {
      await client.forgetReference(pool);
      say("Its next whole day becomes the reference.");
      reload();
    });
  const { pools, unwatched } = answer;
  return (
    <Card
      title="Drift by pool"
      note="each pool is held against its own first settled day, flagged accounts left out"
    >
      {pools.length === 0 ? (
        <Empty title="No window was scored yet" />
      ) : (
        <div class="table-wrap">
          <table>
            <thead>
              <tr>
                <th>Pool</th>
                <th>State</th>
                <th class="number">Accounts</th>
                <th>Reference</th>
                <th class="number">Worst</th>
                <th class="number">Conformal distance</th>
                <th class="number">p ≤ .01</th>
                <th>Measured</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {pools.map(({ pool, state, accounts, reference, features, conformal, atMs }) => {
                const [word, health, means] = STATE_WORDS[state];
                const worst = Math.max(0, ...features.flatMap(({ psi }) => psi ?? []));
                return (
                  <tr key={pool}>
                    <td>
                      <Text of={pool} />
                    </td>
                    <td>
                      <span class={`badge health-${health}`}>{word}</span> <span class="muted">{means}</span>
                    </td>
                    <td class="number">{count(accounts)}</td>
                    <td>{reference ? <At ms={reference.takenMs} /> : "–"}</td>
                    <td class="number">{reference ? figure(worst) : "–"}</td>
                    <td class="number">{conformal ? figure(conformal.distance) : "–"}</td>
                    <td class="number">{conformal ? percent(conformal.low) : "–"}</td>
                    <td>
                      <At ms={atMs} />
                    </td>
                    <td class="number">
                      {reference && mayReview() && (
                        <button type="button" onClick={() => forget(pool)}>
                          Take a new reference
                        </button>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {unwatched > 0 && <p class="warning">{count(unwatched)} further pools are not watched.</p>}
    </Card>
  );
}

/** Typologies that are looked for by their signs, each leading to its flags. */
function DescribedCard({ described }: Pick<ModelAnswer, "described">) {
  if (described.length === 0) return null;
  return (
    <Card
      title="Described typologies"
      note="looked for by their signs; a value is as rare among honest accounts as the model's own, no probability"
    >
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th>Typology</th>
              <th>Consistent with</th>
              <th>Signs</th>
            </tr>
          </thead>
          <tbody>
            {described.map(({ name, about, source, signs }) => (
              <tr key={name}>
                <td>
                  <a href={writeFilter({ ...PLAIN, typology: name })}>{typologyName(name)}</a>
                </td>
                <td>
                  {about}
                  {source !== undefined && <div class="muted">{source}</div>}
                </td>
                <td>
                  {signs.map(({ feature, side }, index) => (
                    <Fragment key={feature}>
                      {index > 0 && ", "}
                      {side} <code>{feature}</code>
                    </Fragment>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

const PARTS = [
  ["bands", "By score"],
  ["typologies", "By typology"],
  ["versions", "By model"],
] as const;

function PrecisionCard({ answer }: { answer: ModelAnswer }) {
  const [part, setPart] = useState<(typeof PARTS)[number][0]>("bands");
  const { precision, days } = answer;
  const { hoursToVerdict } = precision;
  return (
    <Card
      title="Precision"
      note={
        hoursToVerdict
          ? `verdicts of ${days} days; half of them came within ${figure(hoursToVerdict.median)} hours, nine in ten within ${figure(hoursToVerdict.ninetieth)}`
          : `verdicts of ${days} days`
      }
    >
      {precision.anomalies.answered === 0 ? (
        <Empty title="No anomaly was answered yet" />
      ) : (
        <>
          <div>
            <Tabs label="Precision" options={PARTS} value={part} set={setPart} />
          </div>
          <PrecisionTable parts={precision[part]} />
        </>
      )}
    </Card>
  );
}
