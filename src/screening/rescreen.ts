import type { Match, Screening, Subject } from "#core/screening.ts";
import { keyOf } from "./matcher.ts";

/** Something that was screened before and must be again when a list, a table or a database changed. */
export interface Known {
  subject: Subject;
  value: string;
  /** What it met when that was last acted upon. */
  stood: readonly Match[];
}

/** A value whose matches changed with the lists. */
export interface Changed<T extends Known = Known> {
  /** As it was given: who holds the value is the caller's to say. */
  known: T;
  screening: Screening;
  gained: readonly Match[];
  /** What stood before and no longer does: flags that rest on it have lost their ground. */
  lost: readonly Match[];
}

/** One stretch of a re-screening: every answer, to be recorded, and those that changed. */
export interface Rescreened<T extends Known> {
  screenings: Screening[];
  changed: Changed<T>[];
}

/** Values a batch: the caller may let others run between two. */
const BATCH = 10_000;

/**
 * Screens everything known again, hits and misses, and says what changed against what stood. A match is the same when
 * list and entry are, whatever the version.
 */
export function* rescreen<T extends Known>(
  known: Iterable<T>,
  screen: (subject: Subject, value: string) => Screening,
): Generator<Rescreened<T>> {
  let batch: Rescreened<T> = { screenings: [], changed: [] };
  for (const one of known) {
    const { subject, value, stood } = one;
    const screening = screen(subject, value);
    batch.screenings.push(screening);
    if (stood.length > 0 || screening.matches.length > 0) {
      const gained = without(screening.matches, stood, subject);
      const lost = without(stood, screening.matches, subject);
      if (gained.length > 0 || lost.length > 0) batch.changed.push({ known: one, screening, gained, lost });
    }
    if (batch.screenings.length === BATCH) {
      yield batch;
      batch = { screenings: [], changed: [] };
    }
  }
  if (batch.screenings.length > 0) yield batch;
}

function without(matches: readonly Match[], others: readonly Match[], subject: Subject): readonly Match[] {
  const identity = ({ list, entry }: Match) => `${list.name} ${keyOf(subject, entry)}`;
  const known = new Set(others.map(identity));
  return matches.filter((match) => !known.has(identity(match)));
}
