import type { Refusal } from "#core/observation.ts";

/** Told singly in one batch; what comes beyond is counted in one last entry. */
const MAX_ENTRIES = 100;

/** The refusals of one batch: the same reason at the same place is one entry with a count. */
export interface Refusals {
  add(reason: string, place: string): void;
  /** All so far, or nothing when there were none. */
  list(): Refusal[] | undefined;
}

export function createRefusals(): Refusals {
  const entries = new Map<string, Required<Refusal>>();
  return {
    add(reason, place) {
      const key = `${place}\n${reason}`;
      const full = entries.size >= MAX_ENTRIES - 1 && !entries.has(key);
      const entry = entries.get(full ? "" : key);
      if (entry) entry.count += 1;
      else if (full) entries.set("", { reason: "further refusals", place: "", count: 1 });
      else entries.set(key, { reason, place, count: 1 });
    },
    list: () => (entries.size === 0 ? undefined : [...entries.values()]),
  };
}
