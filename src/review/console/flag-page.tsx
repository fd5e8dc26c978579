import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { moveFlags } from "./bulk.tsx";
import { client, type FlagDetail } from "./client.ts";
import { CloseLook } from "./close-look.tsx";
import { CounterfactualNote } from "./counterfactual.tsx";
import { Reasons } from "./evidence.tsx";
import { FeatureTable } from "./feature-table.tsx";
import { count, figure, percent } from "./format.ts";
import { HashrateChart } from "./hashrate-chart.tsx";
import { useKeys } from "./keys.ts";
import { onFlagChange } from "./live.ts";
import { useLoad } from "./load.ts";
import {
  Account,
  Age,
  At,
  accountPath,
  Card,
  Empty,
  flagPath,
  SeverityBadge,
  Show,
  StateBadge,
} from "./parts.tsx";
import { mayReview, navigate } from "./session.ts";
import { placesOf, Sources } from "./sources.tsx";
import { Text } from "./text.tsx";
import { Trail } from "./trail.tsx";
import { VerdictForm } from "./verdict.tsx";
import { confidence, describedAs, likelihood, typologyName, typologySentence } from "./wording.ts";
import { WorldMap } from "./world-map.tsx";

/** One flag: what it is consistent with, why, on what evidence, and what was decided. */
export function FlagPage({ id }: { id: string }) {
  const flag = useLoad(id, () => client.flag(id));
  useEffect(
    () => onFlagChange((changed) => (changed === id || changed === null) && flag.reload()),
    [id, flag.reload],
  );
  if (flag.error?.status === 404)
    return (
      <Empty title="There is no such flag">
        <a href="/">Back to the queue</a>
      </Empty>
    );
  return (
    <Show of={flag} rows={16}>
      {(detail) => <Detail detail={detail} reload={flag.reload} />}
    </Show>
  );
}

/** Chooses an outcome and stays there, so that Tab leads on to the comment. */
const choose = (index: number) => () => {
  const outcome = document.querySelectorAll<HTMLInputElement>("#verdict input[type=radio]")[index];
  outcome?.focus();
  outcome?.click();
};

function Detail({ detail, reload }: { detail: FlagDetail; reload: () => void }) {
  const { flag, evidence } = detail;
  const move = (state: typeof flag.state) => {
    if (mayReview()) moveFlags([flag], state).then(reload);
  };
  useKeys({
    u: () => navigate("/"),
    i: () => move("investigating"),
    e: () => document.querySelector<HTMLElement>("#verdict input")?.focus(),
    1: choose(0),
    2: choose(1),
    3: choose(2),
  });
  return (
    <article class="flag">
      <header class="flag-head">
        <nav aria-label="Breadcrumb">
          <a href="/">Queue</a> <span class="muted">/ {flag.id}</span>
        </nav>
        <h1>
          <a href={accountPath(flag.pool, flag.account)}>
            <Account name={flag.account} />
          </a>
        </h1>
        <div class="meta">
          <SeverityBadge severity={flag.severity} />
          <StateBadge state={flag.state} />
          <span>
            pool <Text of={flag.pool} />
          </span>
          <span>
            opened <At ms={Date.parse(flag.openedAt)} />
          </span>
          <span>
            updated <Age at={Date.parse(flag.updatedAt)} ago />
          </span>
          <span class="spring" />
          {mayReview() &&
            (["open", "investigating", "closed"] as const)
              .filter((state) => state !== flag.state)
              .map((state) => (
                <button key={state} type="button" onClick={() => move(state)}>
                  {
                    {
                      open: flag.state === "closed" ? "Open again" : "Put back",
                      investigating: "Investigate",
                      closed: "Close",
                    }[state]
                  }
                </button>
              ))}
          <a
            class="button"
            href={`/api/v1/flags/${encodeURIComponent(flag.id)}`}
            download={`${flag.id}.json`}
          >
            Export
          </a>
          <button type="button" onClick={() => print()}>
            Print
          </button>
        </div>
      </header>
      <Finding detail={detail} />
      <Drifted flag={flag} />
      <div class="columns">
        <div class="main-column">
          <Card title="Reasons" note="the part of the score each one carries is at its left">
            <Reasons reasons={flag.reasons} />
            <CounterfactualNote of={evidence.counterfactual} />
          </Card>
          <Card title="Hashrate" note={`by the hour, with the 95 % interval of its share count`}>
            <HashrateChart evidence={evidence} />
          </Card>
          <CloseLook evidence={evidence} />
          <Card title="Origin" note="share of accepted work by country">
            <WorldMap places={placesOf(evidence.sources)} />
          </Card>
          <Card title="Sources" note="open an address to see where each fact was read">
            <Sources sources={evidence.sources} />
          </Card>
          {Object.keys(evidence.features).length > 0 && (
            <Card title="Features" note="what the model saw">
              <FeatureTable features={evidence.features} />
            </Card>
          )}
        </div>
        <aside class="side-column">
          <Card title="Verdict">
            <VerdictForm detail={detail} onDone={reload} />
          </Card>
          <Related flag={flag} />
          <Card title="Audit trail">
            <Trail entries={detail.audit.toReversed()} first={6} />
          </Card>
          <Card title="Versions" note="used for this flag">
            <dl class="pairs">
              <dt>Model</dt>
              <dd>
                {flag.model.name} {flag.model.version}
              </dd>
              {flag.lists.map((list) => (
                <Fragment key={`${list.name}`}>
                  <dt>{list.name}</dt>
                  <dd>{list.version}</dd>
                </Fragment>
              ))}
            </dl>
          </Card>
        </aside>
      </div>
    </article>
  );
}

/** What it is consistent with, how likely, and how much stands behind that: two things, said apart. */
function Finding({ detail }: { detail: FlagDetail }) {
  const { flag } = detail;
  const [first, ...others] = flag.typologies;
  const { level, grounds } = confidence(detail);
  const direct = flag.kind === "screening";
  const described = first !== undefined && describedAs(first.name, flag.reasons) !== undefined;
  return (
    <section class="finding" aria-label="Finding">
      <div>
        <p class="lead">
          {direct ? "A direct match, consistent with" : "Consistent with"}{" "}
          <strong>{first ? typologySentence(first.name, flag.reasons) : "no named typology"}</strong>.
        </p>
        {others.length > 0 && (
          <p class="muted">
            Also considered:{" "}
            {others
              .map(({ name, probability }) => `${typologyName(name)} (${percent(probability)})`)
              .join(", ")}
            .
          </p>
        )}
        <p class="muted">This is a question to you, not a finding about a person. Nobody is banned by it.</p>
      </div>
      <dl>
        <div>
          <dt>Likelihood</dt>
          <dd>
            {direct
              ? "Direct match"
              : described
                ? "Not estimated"
                : `${percent(flag.score)}, ${likelihood(flag.score)}`}
          </dd>
          <span class="muted">
            {direct
              ? "an entry was met; nothing was estimated"
              : described
                ? `as rare among honest accounts as a score of ${percent(flag.score)}; nothing was learned of this typology`
                : flag.drift
                  ? "the model's score, not calibrated here"
                  : "the model's calibrated score"}
          </span>
        </div>
        {direct ? (
          <div>
            <dt>Rests on</dt>
            <dd>{flag.reasons.length === 1 ? "one reason" : `${count(flag.reasons.length)} reasons`}</dd>
            <span class="muted">
              each list or database is named with its version: the match is as good as they are
            </span>
          </div>
        ) : (
          <div>
            <dt>Confidence</dt>
            <dd>{level}</dd>
            <span class="muted">{grounds.join("; ")}</span>
          </div>
        )}
      </dl>
    </section>
  );
}

/** Where the pool's inputs had drifted when the flag was raised, its likelihood is not to be believed. */
function Drifted({ flag }: { flag: FlagDetail["flag"] }) {
  if (!flag.drift) return null;
  return (
    <div class="problem" role="note">
      <span>
        The likelihood is not calibrated here: when this was raised, what the model is given in this pool had
        drifted ({flag.drift.map(({ feature, psi }) => `${feature} ${figure(psi)}`).join(", ")}). The severity
        rests on the agreeing families alone. <a href="/model">More about the model</a>
      </span>
    </div>
  );
}

/** Other flags of the same account. */
function Related({ flag }: { flag: FlagDetail["flag"] }) {
  const related = useLoad(`${flag.pool} ${flag.account} ${flag.updatedAt}`, () =>
    client.flags({ text: flag.account, pool: flag.pool, limit: 50 }),
  );
  const others =
    related.data?.flags.filter((each) => each.account === flag.account && each.id !== flag.id) ?? [];
  if (others.length === 0) return null;
  return (
    <Card title="Same account">
      <ul class="related">
        {others.map((each) => (
          <li key={each.id}>
            <a href={flagPath(each.id)}>{typologyName(each.typologies[0]?.name ?? each.kind)}</a>
            <StateBadge state={each.state} />
            <Age at={Date.parse(each.updatedAt)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
