import { isIP } from "node:net";
import type { Screen, Screening, Subject } from "#core/screening.ts";
import type { Update } from "./kept.ts";
import type { ListState } from "./lists.ts";

/** What a value somebody typed may be: an IP address or AS number, a country or region code, else a wallet or a name. */
export function subjectsOf(value: string): readonly Subject[] {
  const text = value.trim();
  if (isIP(text) !== 0 || /^AS\s*\d{1,10}$/i.test(text)) return ["network"];
  if (/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(text)) return ["region"];
  return /\s/.test(text) ? ["name", "address"] : ["address", "name"];
}

/** Screens a value as everything it may be. */
export function screenAny(screen: Screen, value: string, atMs: number): Screening[] {
  return subjectsOf(value).map((subject) => screen(subject, value, atMs));
}

/** A screening in words, a line each: what was asked, what it met, and against which versions. */
export function describeScreening({ subject, value, matches, lists }: Screening): string[] {
  const head = `${value} as ${subject}: ${matches.length === 0 ? "no match" : `${matches.length} ${matches.length === 1 ? "match" : "matches"}`}`;
  return [
    head,
    ...matches.map(
      ({ entry, note, list, source }) => `  ${entry} (${note}) in ${list.name} ${list.version}, ${source}`,
    ),
    `  held against ${lists.map(({ name, version }) => `${name} ${version}`).join("; ")}`,
  ];
}

/** What came of an update, a line a list. */
export function describeUpdate({ name, outcome, reason, version, added, removed }: Update): string {
  switch (outcome) {
    case "updated":
      return `${name}: updated to ${version}, ${added} added, ${removed} removed`;
    case "unchanged":
      return `${name}: unchanged, ${version}`;
    default:
      return `${name}: ${outcome}; ${reason}; ${version === "" ? "there is no version in use" : `still in use: ${version}`}`;
  }
}

/** How a list stands, a line a list. */
export function describeState({
  name,
  version,
  entries,
  unit,
  checkedAt,
  stale,
  lastError,
}: ListState): string {
  const use = version === "" ? "never fetched" : `${version}, ${entries} ${unit}`;
  const checked = checkedAt === "" ? "" : `, source reached ${checkedAt}`;
  return `${name}: ${use}${checked}${stale ? ", STALE" : ""}${lastError === "" ? "" : `; last attempt: ${lastError}`}`;
}
