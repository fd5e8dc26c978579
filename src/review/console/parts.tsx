import type { ComponentChildren } from "preact";
import type { Family, FlagState, Severity } from "#core/flag.ts";
import type { FlagSummary } from "./client.ts";
import { age, percent, unseen, when } from "./format.ts";
import type { Loaded } from "./load.ts";
import { nowMs, zone } from "./session.ts";
import { Text } from "./text.tsx";
import { FAMILY_WORDS, typologyName } from "./wording.ts";

/** Small pieces that several pages show. Everything a miner wrote passes through text nodes. */

export const SeverityBadge = ({ severity }: { severity: Severity }) => (
  <span class={`badge severity-${severity}`}>{severity}</span>
);

export const StateBadge = ({ state }: { state: FlagState }) => (
  <span class={`badge state-${state}`}>{state}</span>
);

/** A name somebody else chose: set apart from the text around it in direction, cut by the style, whole in its title. */
export const Account = ({ name }: { name: string }) => (
  <Text of={name} class="account" title={unseen(name).join("")} />
);

export const Typologies = ({ flag }: { flag: Pick<FlagSummary, "typologies"> }) => (
  <span class="chips">
    {flag.typologies.slice(0, 2).map(({ name }, index) => (
      <span key={name} class={index === 0 ? "chip" : "chip chip-minor"}>
        {typologyName(name)}
      </span>
    ))}
    {flag.typologies.length > 2 && <span class="muted">+{flag.typologies.length - 2}</span>}
  </span>
);

export const Families = ({ families }: { families: readonly Family[] }) => (
  <span class="families">{families.map((family) => FAMILY_WORDS[family][0]).join(" · ")}</span>
);

/** A figure of a page's first row, with what it counts. */
export type Figure = [label: string, value: string, note: string];

export const FigureRow = ({ of }: { of: readonly Figure[] }) => (
  <dl class="figures">
    {of.map(([label, value, note]) => (
      <div key={label}>
        <dt>{label}</dt>
        <dd>{value}</dd>
        <span class="muted">{note}</span>
      </div>
    ))}
  </dl>
);

/** A likelihood as a bar and a number; a screening hit is no estimate. */
export const Likelihood = ({ flag }: { flag: Pick<FlagSummary, "kind" | "score"> }) =>
  flag.kind === "screening" ? (
    <span class="likelihood">Direct match</span>
  ) : (
    <span class="likelihood">
      <span class="meter" aria-hidden="true">
        <span style={{ width: `${flag.score * 100}%` }} />
      </span>
      {percent(flag.score)}
    </span>
  );

/** An instant as an age, whole in its title; `ago` where it stands in a sentence. */
export const Age = ({ at, ago = false }: { at: number; ago?: boolean }) => (
  <time dateTime={new Date(at).toISOString()} title={`${when(at, zone.value, "second")} ${zone.value}`}>
    {age(nowMs.value - at)}
    {ago && nowMs.value - at >= 60_000 && " ago"}
  </time>
);

/** An instant in the zone the user chose; `brief` leaves the year to the title. */
export const At = ({ ms, brief = false }: { ms: number; brief?: boolean }) => (
  <time
    dateTime={Number.isFinite(ms) ? new Date(ms).toISOString() : ""}
    title={when(ms, zone.value, "second")}
  >
    {when(ms, zone.value).slice(brief ? "2026-".length : 0)}
  </time>
);

export function Card(props: {
  title: string;
  note?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  const id = `card-${props.title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return (
    <section class={`card ${props.class ?? ""}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.note && <span class="muted note">{props.note}</span>}
      </header>
      {props.children}
    </section>
  );
}

/** Empty, failed or on its way, in the place of what is not there. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <strong>{title}</strong>
    {children && <p>{children}</p>}
  </div>
);

/** Shows what was loaded, or why it is not there. A failure beside older data is said above it. */
export function Show<T>({
  of,
  rows = 4,
  children,
}: {
  of: Loaded<T>;
  rows?: number;
  children: (data: T) => ComponentChildren;
}) {
  const failed = of.error && (
    <div class="problem" role="alert">
      {of.error.message}
      <button type="button" onClick={of.reload}>
        Try again
      </button>
    </div>
  );
  if (of.data !== null)
    return (
      <>
        {failed}
        {children(of.data)}
      </>
    );
  if (failed) return failed;
  return (
    <div class="skeleton" role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} />
      ))}
    </div>
  );
}

/** One of a few, as buttons side by side. */
export function Tabs<T extends string>(props: {
  label: string;
  options: readonly (readonly [value: T, text: string])[];
  value: T;
  set: (value: T) => void;
}) {
  return (
    <fieldset class="tabs">
      <legend class="hidden">{props.label}</legend>
      {props.options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={props.value === value}
          onClick={() => props.set(value)}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}

export const flagPath = (id: string) => `/flags/${encodeURIComponent(id)}`;
export const accountPath = (pool: string, account: string) =>
  `/accounts/${encodeURIComponent(pool)}/${encodeURIComponent(account)}`;
