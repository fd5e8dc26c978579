import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Tabs } from "./parts.tsx";
import { PLAIN, type QueueFilter, readViews, writeFilter, writeViews } from "./queue-filter.ts";
import { navigate } from "./session.ts";
import { Text } from "./text.tsx";
import { TYPOLOGY_NAMES, typologyName } from "./wording.ts";

/** Typing settles before it is asked for, in milliseconds. */
const SETTLE_MS = 200;
const STATES = [
  ["open", "Open"],
  ["investigating", "Investigating"],
  ["closed", "Closed"],
  ["all", "All"],
] as const;

function Select(props: {
  label: string;
  value: string;
  options: [value: string, text: string][];
  set: (value: string) => void;
}) {
  const { label, value, options, set } = props;
  return (
    <label class={value && value !== options[0]?.[0] ? "select set" : "select"}>
      <span class="hidden">{label}</span>
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The bar above the queue. Every change goes into the address bar, so that a view can be sent to a colleague. */
export function Filters({
  filter,
  searchBox,
}: {
  filter: QueueFilter;
  searchBox: RefObject<HTMLInputElement | null>;
}) {
  const change = (part: Partial<QueueFilter>) => navigate(writeFilter({ ...filter, ...part }), true);
  const [text, setText] = useState(filter.text);
  useEffect(() => setText(filter.text), [filter.text]);
  useEffect(() => {
    if (text === filter.text) return;
    const settled = setTimeout(() => change({ text }), SETTLE_MS);
    return () => clearTimeout(settled);
  }, [text]);
  const isPlain = writeFilter({ ...filter, state: PLAIN.state }) === "/";
  return (
    <search class="filters">
      <Tabs label="State" options={STATES} value={filter.state} set={(state) => change({ state })} />
      <input
        ref={searchBox}
        type="search"
        placeholder="Account…  ( / )"
        aria-label="Part of an account's name"
        value={text}
        maxLength={256}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      <Select
        label="Severity"
        value={filter.severity}
        set={(severity) => change({ severity })}
        options={[
          ["", "Any severity"],
          ["critical", "Critical"],
          ["high", "High"],
          ["medium", "Medium"],
          ["low", "Low"],
        ]}
      />
      <Select
        label="Kind"
        value={filter.kind}
        set={(kind) => change({ kind })}
        options={[
          ["", "Any kind"],
          ["anomaly", "Anomalies"],
          ["screening", "Screening hits"],
        ]}
      />
      <Select
        label="Consistent with"
        value={filter.typology}
        set={(typology) => change({ typology })}
        options={[
          ["", "Any typology"],
          ...[...new Set([...TYPOLOGY_NAMES, filter.typology])]
            .filter((name) => name !== "")
            .map((name): [string, string] => [name, typologyName(name)]),
        ]}
      />
      <Select
        label="Order"
        value={filter.order}
        set={(order) => change({ order: order === "score" ? "score" : "updated" })}
        options={[
          ["updated", "Newest first"],
          ["score", "Most likely first"],
        ]}
      />
      {filter.pool && (
        <button type="button" class="chip-button" onClick={() => change({ pool: "" })}>
          pool: <Text of={filter.pool} /> ✕
        </button>
      )}
      {!isPlain && (
        <button
          type="button"
          class="quiet"
          onClick={() => navigate(writeFilter({ ...PLAIN, state: filter.state }), true)}
        >
          Clear
        </button>
      )}
      <Views here={writeFilter(filter)} />
    </search>
  );
}

/** Filters with a name, kept in this browser. */
function Views({ here }: { here: string }) {
  const [views, setViews] = useState(readViews);
  const [name, setName] = useState("");
  const keep = (next: Record<string, string>) => {
    writeViews(next);
    setViews(next);
  };
  return (
    <details class="views">
      <summary>Views</summary>
      <div class="menu">
        {Object.entries(views).map(([each, to]) => (
          <div key={each} class="menu-row">
            <a href={to} aria-current={to === here ? "page" : undefined}>
              {each}
            </a>
            <button
              type="button"
              class="quiet"
              aria-label={`Forget view ${each}`}
              onClick={() =>
                keep(Object.fromEntries(Object.entries(views).filter(([other]) => other !== each)))
              }
            >
              ✕
            </button>
          </div>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) keep({ ...views, [name.trim()]: here });
            setName("");
          }}
        >
          <input
            aria-label="Name for this view"
            placeholder="Name this view"
            maxLength={60}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit">Save</button>
        </form>
      </div>
    </details>
  );
}
