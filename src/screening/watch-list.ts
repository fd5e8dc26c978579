import type { Subject } from "#core/screening.ts";

/** One entry as its list has it. */
export interface Entry {
  subject: Subject;
  value: string;
  /** Programme, coin, holder or remark. */
  note: string;
}

/** A list as it stood at one time. */
export interface WatchList {
  name: string;
  /** "2024-09-27 3f9a12bc4d5e": the publisher's own day where it is known, and the first 12 digits of the content's SHA-256. */
  version: string;
  /** Where it came from, for the record. */
  source: string;
  /** The publisher's day, "" when the list does not say. */
  publishedAt: string;
  /** SHA-256 of the content, hexadecimal. */
  hash: string;
  entries: readonly Entry[];
}

/** What a reader makes of a list's content. */
export interface Parsed {
  entries: readonly Entry[];
  publishedAt: string;
}

/** Names the version of a content that was read; `hash` is its SHA-256 in hexadecimal. */
export function watchList(name: string, source: string, hash: string, parsed: Parsed): WatchList {
  const version = [parsed.publishedAt, hash.slice(0, 12)].filter(Boolean).join(" ");
  return { name, source, version, hash, ...parsed };
}
