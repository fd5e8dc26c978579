import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { client, type Screened } from "./client.ts";
import { country } from "./format.ts";
import { useLoad } from "./load.ts";
import { At, Card, Empty, Show } from "./parts.tsx";
import { navigate, search } from "./session.ts";
import { Text } from "./text.tsx";
import { WatchListsCard } from "./watch-lists.tsx";
import { TIER_WORDS } from "./wording.ts";

type Screening = Screened["screening"];
const lists = (screening: Screening) =>
  screening.lists.map(({ name, version }) => `${name} ${version}`).join(", ") || "no list";

/** Looks one value up in the watch lists. What was asked stands in the address bar. */
export function ScreeningPage() {
  const asked = new URLSearchParams(search.value).get("value") ?? "";
  const [value, setValue] = useState(asked);
  return (
    <>
      <div class="page-head">
        <h1>Screening</h1>
      </div>
      <p class="muted">
        Holds a wallet address, an IP address or an AS number against the watch lists. Every look-up is
        recorded, hit or miss, with the versions of the lists.
      </p>
      <form
        class="look-up"
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim()) navigate(`/screening?${new URLSearchParams({ value: value.trim() })}`);
        }}
      >
        <input
          type="search"
          aria-label="Value to look up"
          placeholder="bc1q…, 175.45.176.1 or AS131279"
          value={value}
          maxLength={256}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Look up
        </button>
      </form>
      {asked && <Answer value={asked} />}
      <WatchListsCard />
    </>
  );
}

function Answer({ value }: { value: string }) {
  const answer = useLoad(value, () => client.screen(value));
  return (
    <Show of={answer}>
      {({ screening, origin, earlier }) => (
        <>
          <section class={screening.matches.length > 0 ? "result hit" : "result"} aria-live="polite">
            <h2>
              <Text of={screening.value} />
            </h2>
            <p>
              <strong>
                {screening.matches.length > 0 ? `${screening.matches.length} match` : "No match"}
              </strong>{" "}
              <span class="muted">
                as {screening.subject}, against {lists(screening)}
              </span>
            </p>
            {screening.matches.map((match, index) => (
              <dl class="pairs" key={index}>
                <dt>List</dt>
                <dd>
                  {match.list.name} {match.list.version}
                </dd>
                <dt>Entry</dt>
                <dd>
                  <Text of={match.entry} />
                </dd>
                <dt>Note</dt>
                <dd>
                  <Text of={match.note || "–"} />
                </dd>
                <dt>Source</dt>
                <dd>
                  <Text of={match.source} />
                </dd>
              </dl>
            ))}
            {screening.matches.length === 0 && (
              <p class="muted">
                Lists are not exhaustive: no match says only that these lists do not name it.
              </p>
            )}
          </section>
          {origin && (
            <Card title="Where it is">
              <dl class="pairs">
                <dt>Country</dt>
                <dd>
                  {country(origin.country)} {origin.region}
                </dd>
                <dt>Network</dt>
                <dd>
                  <Text of={origin.holder || "unknown"} /> {origin.asn > 0 ? `AS${origin.asn}` : ""},{" "}
                  {origin.kind}
                </dd>
                <dt>Tier</dt>
                <dd>
                  <span class={`swatch tier-${origin.tier}`} /> {TIER_WORDS[origin.tier] ?? origin.tier}
                </dd>
                {origin.facts.map((fact) => (
                  <Fragment key={`${fact.fact}`}>
                    <dt>{fact.fact}</dt>
                    <dd>
                      <Text of={fact.value} /> <span class="muted">read from {fact.source}</span>
                    </dd>
                  </Fragment>
                ))}
              </dl>
            </Card>
          )}
          <Card title="Earlier look-ups" note="newest first">
            <Screenings of={earlier} />
          </Card>
        </>
      )}
    </Show>
  );
}

/** Screenings of one value: when, against which lists, and what came of it. */
export function Screenings({ of }: { of: readonly Screening[] }) {
  if (of.length === 0) return <Empty title="This value was not screened before" />;
  return (
    <div class="table-wrap">
      <table>
        <thead>
          <tr>
            <th>When</th>
            <th>Against</th>
            <th>Answer</th>
          </tr>
        </thead>
        <tbody>
          {of.map((screening, index) => (
            <tr key={index}>
              <td>
                <At ms={screening.atMs} />
              </td>
              <td>{lists(screening)}</td>
              <td>
                <Text
                  of={
                    screening.matches.length > 0
                      ? screening.matches.map(({ note, entry }) => note || entry).join("; ")
                      : "no match"
                  }
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
