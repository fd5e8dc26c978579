import type { Subject } from "#core/screening.ts";
import { keyOf } from "./matcher.ts";
import type { Entry, WatchList } from "./watch-list.ts";

/** What one version of a list has that another has not, by the value alone: a changed note is no change. */
export interface Difference {
  added: Entry[];
  removed: Entry[];
}

/** Compares two versions of a list. A value that stands under several coins counts once. */
export function difference(before: readonly Entry[], after: readonly Entry[]): Difference {
  const known = index(before);
  const current = index(after);
  const missingIn = (others: Map<string, Entry>, entries: Map<string, Entry>) =>
    [...entries].flatMap(([key, entry]) => (others.has(key) ? [] : [entry]));
  return { added: missingIn(known, current), removed: missingIn(current, known) };
}

function index(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [`${entry.subject} ${keyOf(entry.subject, entry.value)}`, entry]));
}

/** What is known of the version in use: all of it, or, when it was damaged on disk, its day and length. */
type InUse = Pick<WatchList, "publishedAt"> & { entries: readonly Entry[] | number };

/**
 * Why a new version must not replace the one in use, or null: it lost more than the allowed part of the entries of one
 * subject (40,000 names must not hide that 700 addresses went), or the publisher's day went backwards.
 */
export function refusal(before: InUse, after: WatchList, maxShrinkPercent: number): string | null {
  if (before.publishedAt !== "" && after.publishedAt !== "" && after.publishedAt < before.publishedAt)
    return `is of ${after.publishedAt}, older than the one in use, of ${before.publishedAt}`;
  const { entries } = before;
  const counts: [kind: string, had: number, has: number][] =
    typeof entries === "number"
      ? [["", entries, after.entries.length]]
      : SUBJECTS.map((subject) => [`${subject} `, count(entries, subject), count(after.entries, subject)]);
  for (const [kind, had, has] of counts) {
    if (has >= had * (1 - maxShrinkPercent / 100)) continue;
    const percent = ((1 - has / had) * 100).toFixed(1);
    return `has ${has} ${kind}entries where the one in use has ${had}: ${percent} % fewer, more than ${maxShrinkPercent} %`;
  }
  return null;
}

const SUBJECTS: readonly Subject[] = ["address", "name", "network", "region"];

function count(entries: readonly Entry[], subject: Subject): number {
  return entries.reduce((sum, entry) => sum + (entry.subject === subject ? 1 : 0), 0);
}
