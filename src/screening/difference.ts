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

/**
 * Why a new version must not replace the one in use, or null: it lost more than the allowed part of the entries of one
 * subject (40,000 names must not hide that 700 addresses went), or the publisher's day went backwards.
 */
export function refusal(before: WatchList, after: WatchList, maxShrinkPercent: number): string | null {
  if (before.publishedAt !== "" && after.publishedAt !== "" && after.publishedAt < before.publishedAt)
    return `is of ${after.publishedAt}, older than the one in use, of ${before.publishedAt}`;
  for (const subject of ["address", "name", "network", "region"] satisfies Subject[]) {
    const had = count(before, subject);
    const has = count(after, subject);
    if (has < had * (1 - maxShrinkPercent / 100)) {
      const percent = ((1 - has / had) * 100).toFixed(1);
      return `has ${has} ${subject} entries where the one in use has ${had}: ${percent} % fewer, more than ${maxShrinkPercent} %`;
    }
  }
  return null;
}

function count(list: WatchList, subject: Subject): number {
  return list.entries.reduce((sum, entry) => sum + (entry.subject === subject ? 1 : 0), 0);
}
