import { queryText } from "./client.ts";

/** What the queue shows, as it stands in the address bar. Open flags unless said. */
export interface QueueFilter {
  state: "open" | "investigating" | "closed" | "all";
  severity: string;
  kind: string;
  typology: string;
  pool: string;
  text: string;
  order: "updated" | "score";
}

export const PLAIN: QueueFilter = {
  state: "open",
  severity: "",
  kind: "",
  typology: "",
  pool: "",
  text: "",
  order: "updated",
};

/** Reads a query text; what it does not know stays plain. */
export function readFilter(search: string): QueueFilter {
  const values = new URLSearchParams(search);
  const filter: Record<string, string> = { ...PLAIN };
  for (const name of Object.keys(PLAIN)) filter[name] = values.get(name) ?? filter[name]!;
  if (!["open", "investigating", "closed", "all"].includes(filter.state!)) filter.state = PLAIN.state;
  if (filter.order !== "score") filter.order = PLAIN.order;
  return filter as unknown as QueueFilter;
}

/** The shortest query text that means the filter. */
export function writeFilter(filter: QueueFilter): string {
  const changed = Object.entries(filter).filter(
    ([name, value]) => value !== PLAIN[name as keyof QueueFilter],
  );
  const text = queryText(Object.fromEntries(changed));
  return text ? `/?${text}` : "/";
}

/** The filter as the API takes it: only what is set. */
export function askedFor(filter: QueueFilter): Record<string, string> {
  const { order, state, ...rest } = filter;
  const set = Object.entries({ ...rest, state: state === "all" ? "" : state }).filter(
    ([, value]) => value !== "",
  );
  return Object.fromEntries(set);
}

const VIEWS_KEY = "assay.views";
/** Filters the user gave a name to, kept by the browser: name → path. */
export function readViews(): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(VIEWS_KEY) ?? "{}");
    return kept !== null && typeof kept === "object" ? (kept as Record<string, string>) : {};
  } catch {
    // Somebody else wrote there: there are no views of ours.
    return {};
  }
}
export const writeViews = (views: Record<string, string>): void =>
  localStorage.setItem(VIEWS_KEY, JSON.stringify(views));
